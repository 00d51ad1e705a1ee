//! A hostile branch with a valid certificate.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use domain::document::{DocumentKind, Edit};
use domain::id::{BranchId, DocumentId, EventId, PartId, StaffId, VisitId};
use domain::money::Currency;
use domain::number::order_number;
use domain::order::{Device, NewOrder, Status, StatusMove, create_order};
use domain::stock::{Movement, MovementKind};
use edge_node::env::Env;
use edge_node::identity::NodeIdentity;
use edge_node::sync::{SyncConfig, start};
use reqwest::Method;
use sync_protocol::document::Document;
use sync_protocol::item::{Item, Origin};
use sync_protocol::position::{Position, actor};
use tests::process::chain::wait::until;
use tests::process::chain::{Chain, PATIENCE, Plan, create_branch, id_of, join_code};
use tests::process::edge::try_join;
use tests::process::hub::Database;

use super::hostile_store::{EPOCH, HostileStore};
use super::sound::{ensure_converged, orders_at_hub, plain_id, stock_at_hub};

/// Goal: the changes of a refused transaction are parked together, its facts are applied, the cursor advances, people
/// see it, and nothing unrelated waits (INV-19, INV-22, F-17).
/// Method: a machine joined by the command sends over the product's own line: (1) a change of another branch's order,
/// a good order of its own and a delivery, in one transaction; (2) a movement of another branch's stock; (3) a good
/// order. Then the hub's lists, tables and verdicts are read, the innocent branch is compared, the hub verifies itself.
#[tokio::test]
async fn a_refused_transactions_changes_are_parked_together_and_its_facts_applied() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let plan = Plan {
        parts: 1,
        database: Database::Private,
        ..Plan::of(&["GUT"])
    };
    let chain = Chain::start(&plan).await?;
    let evil = Evil::join(&chain).await?;
    let victim = chain.manager(0).await?;
    let order = id_of(&victim.take_in("victims-order", "is fine").await?)?;
    chain.until_level().await?;
    let foreign = evil.change_of_foreign_order(&chain, &order).await?;
    let now_ms = evil.env.now_ms();
    let (parked_order, parked_change) = evil.new_order()?;
    let delivery = Movement::new(evil.identity.branch, evil.part, MovementKind::Receive, 5);
    let first = evil
        .store
        .append(&[foreign, parked_change, Item::Movement(delivery)], now_ms);
    let theft = Movement::new(
        chain.edges[0].branch_id.parse()?,
        evil.part,
        MovementKind::Scrap,
        9,
    );
    let second = evil.store.append(&[Item::Movement(theft)], now_ms);
    let (good_order, good_change) = evil.new_order()?;
    let third = evil.store.append(&[good_change], now_ms);

    let config = SyncConfig {
        dir: evil.dir.clone(),
        hub: chain.hub.quic().to_string(),
        env: evil.env.clone(),
    };
    let line = start(evil.store.clone(), config)?;
    let mut acks = evil.store.acks();
    let reached = acks.wait_for(|ack| ack.is_some_and(|ack| ack.applied == third.seq));
    drop(
        tokio::time::timeout(PATIENCE, reached)
            .await
            .context("the cursor does not advance")??,
    );

    let mut hub = chain.hub.connect().await?;
    let orders = orders_at_hub(&mut hub, &evil.identity.branch.to_string()).await?;
    ensure!(
        orders == [plain_id(&good_order.to_string())].into(),
        "orders of the hostile branch: {orders:?}"
    );
    ensure!(
        !orders.contains(&plain_id(&parked_order.to_string())),
        "a parked order is there"
    );
    let stock = stock_at_hub(&mut hub, &evil.identity.branch.to_string()).await?;
    ensure!(
        stock.values().eq([&(5, 0, 1)]),
        "the delivery of the refused transaction: {stock:?}"
    );
    ensure_shown(&chain, &evil, first, second).await?;
    until("the verdicts come back", PATIENCE, async || {
        let verdicts = evil.store.verdicts();
        let judged = |position| verdicts.iter().any(|verdict| verdict.position == position);
        Ok(if judged(first) && judged(second) {
            Ok(())
        } else {
            Err(format!("{verdicts:?}"))
        })
    })
    .await?;
    ensure!(
        !evil
            .store
            .verdicts()
            .iter()
            .any(|verdict| verdict.position == third),
        "the good one was judged"
    );
    ensure!(
        evil.store.incidents().is_empty(),
        "the line itself was torn: {:?}",
        evil.store.incidents()
    );
    line.stop().await;
    ensure_converged(&chain).await?;
    chain.hub.verified().await.map(drop)
}

/// Both refused transactions are among the parked ones with their reasons, and exceptions show them.
async fn ensure_shown(chain: &Chain, evil: &Evil, first: Position, second: Position) -> Result<()> {
    let central = chain.hub.api("central").await?;
    let parked = central.list("/api/v1/parked").await?;
    let text = serde_json::to_string(&parked)?;
    ensure!(
        parked.len() == 2,
        "two transactions are parked, once each: {text}"
    );
    ensure!(
        text.contains("belongs to another branch"),
        "no reason: {text}"
    );
    for position in [first, second] {
        let shown = parked
            .iter()
            .any(|row| row.to_string().contains(&position.to_string()));
        ensure!(shown, "{position} is not among the parked: {text}");
    }
    let exceptions = serde_json::to_string(&central.list("/api/v1/exceptions").await?)?;
    ensure!(
        exceptions.matches("parked").count() >= 2,
        "exceptions do not show them: {exceptions}"
    );
    ensure!(
        exceptions.contains(&evil.identity.code),
        "exceptions do not name the branch: {exceptions}"
    );
    Ok(())
}

/// A machine with a valid certificate whose database says what the test wants.
pub(super) struct Evil {
    pub(super) identity: NodeIdentity,
    pub(super) dir: std::path::PathBuf,
    pub(super) env: Env,
    pub(super) store: HostileStore,
    part: PartId,
}

impl Evil {
    pub(super) async fn join(chain: &Chain) -> Result<Self> {
        let operator = chain.hub.api("operator").await?;
        let branch = create_branch(&operator, "EVIL").await?;
        let code = join_code(&operator, &branch).await?;
        let dir = chain.folder.path().join("evil");
        let joined = try_join(&dir, &chain.hub.quic().to_string(), &code).await?;
        ensure!(
            joined.status.success(),
            "{}",
            String::from_utf8_lossy(&joined.stderr)
        );
        let identity = NodeIdentity::read(&dir)?;
        let part: String = sqlx::query_scalar("select part::text from inventory.part limit 1")
            .fetch_one(&mut chain.hub.connect().await?)
            .await?;
        let store = HostileStore::new(identity.clone());
        Ok(Self {
            identity,
            dir,
            env: Env::system(),
            store,
            part: part.parse()?,
        })
    }

    fn origin(&self) -> Origin {
        Origin {
            actor: actor(self.identity.node, EPOCH),
            seq: 0,
            staff: StaffId::NIL,
            hlc: 1,
        }
    }

    /// A well-formed change of an order that is not ours.
    async fn change_of_foreign_order(&self, chain: &Chain, order: &str) -> Result<Item> {
        let victim = chain.manager(0).await?;
        let request = victim.request(Method::GET, &format!("/api/v1/documents/{order}"));
        let saved = request
            .header("accept", "application/octet-stream")
            .send()
            .await?
            .bytes()
            .await?;
        let loaded = automerge::Automerge::load(&saved)?;
        let mut heads: Vec<[u8; 32]> = loaded.get_heads().into_iter().map(|head| head.0).collect();
        heads.sort_unstable();
        let id: DocumentId = order.parse()?;
        let document = Document::load(id, DocumentKind::Order, &saved, &heads, Vec::new())?;
        let edit = Edit::text(&["device", "brand"], "stolen");
        let edited = Document::edit(
            Some(&document),
            id,
            DocumentKind::Order,
            self.origin(),
            &[edit],
        )?;
        let (_, chunk) = edited.context("the edit changes nothing")?;
        Ok(Item::change(id, DocumentKind::Order, chunk))
    }

    /// A new order of its own branch, as the product would make it.
    fn new_order(&self) -> Result<(DocumentId, Item)> {
        let mut random = self.env.random();
        let id = DocumentId::from_random(&mut random);
        let device = Device {
            category: "Lamp".to_owned(),
            brand: "Acme".to_owned(),
            model: String::new(),
            serial: String::new(),
            fault: "dark".to_owned(),
            accessories: BTreeMap::new(),
            condition: BTreeMap::new(),
        };
        let at_ms = self.env.now_ms();
        let received = StatusMove {
            id: EventId::from_random(&mut random),
            to: Status::Received,
            outcome: None,
            at_ms,
        };
        let edits = create_order(&NewOrder {
            number: order_number(&self.identity.code, &mut random),
            branch: BranchId::from_bytes(*self.identity.branch.as_bytes()),
            visit: VisitId::from_random(&mut random),
            customer: None,
            source: None,
            prices_include_tax: true,
            currency: Currency::EUR,
            device,
            promised_at_ms: None,
            technician: None,
            urgent: false,
            terms_at_ms: None,
            staff: StaffId::NIL,
            moves: vec![received],
        })?;
        let made = Document::edit(None, id, DocumentKind::Order, self.origin(), &edits)?;
        let (_, chunk) = made.context("an order changes something")?;
        Ok((id, Item::change(id, DocumentKind::Order, chunk)))
    }
}
