//! Branches: made, changed, found by distance; their machines, join codes and the state of their lines.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::branch::{BranchRow, Location};
use domain::id::{BranchId, StaffId};
use domain::money::Currency;
use domain::text::{NOTE_MAX, clean_block};
use sync_protocol::feed::{Cursor, FeedId};
use sync_protocol::item::{Item, NodeRevoked, Row};
use sync_protocol::join_code::JoinCode;
use sync_protocol::position::NodeId;

use super::error::AppError;
use super::session::Person;
use super::{Hub, HubTx, Link, NodeRow, branch_feeds};
use crate::store::db::PgConnection;
use crate::store::inventory::held;
pub use crate::store::inventory::held::Held;
use crate::store::inventory::read as inventory;
use crate::store::locations::read as store;
pub use crate::store::locations::read::BranchRecord;
use crate::store::orders;
use crate::store::rows::{RowKind, next_version};
use crate::store::scope::{Place, Scope};
use crate::store::sync::{feed, join_code, node};

/// How long a join code may be used.
pub const JOIN_CODE_LIFE: Duration = Duration::from_secs(30 * 60);

/// The codes of branches by id, for answers.
pub type Codes = BTreeMap<BranchId, String>;

/// Reads the codes of all branches.
///
/// # Errors
/// When the database fails.
pub async fn codes(connection: &mut PgConnection) -> Result<Codes, AppError> {
    Ok(store::codes(connection).await?.into_iter().collect())
}

/// The code of a branch; empty for the hub itself.
pub fn code_of(codes: &Codes, branch: BranchId) -> String {
    codes.get(&branch).cloned().unwrap_or_default()
}

/// The branch that a person names by code or id.
///
/// # Errors
/// 422 at `pointer` where there is none.
pub async fn named(
    connection: &mut PgConnection,
    pointer: &str,
    name: &str,
) -> Result<BranchId, AppError> {
    let id = name.parse::<BranchId>().ok();
    let code = if id.is_none() { Some(name) } else { None };
    let record = store::branch(connection, id, code).await?;
    record
        .map(|record| record.id)
        .ok_or_else(|| AppError::field(pointer, "there is no such branch"))
}

/// The branches with these codes.
///
/// # Errors
/// 422 at each code that no branch has.
pub async fn codes_to_ids(
    connection: &mut PgConnection,
    codes: &[String],
) -> Result<Vec<BranchId>, AppError> {
    let known: BTreeMap<String, BranchId> = store::with_codes(connection, codes)
        .await?
        .into_iter()
        .rev()
        .collect();
    let mut ids = Vec::with_capacity(codes.len());
    let mut problems = domain::problem::Problems::new();
    for (index, code) in codes.iter().enumerate() {
        match known.get(code) {
            Some(id) => ids.push(*id),
            None => problems.add(format!("/branches/{index}"), "there is no such branch"),
        }
    }
    problems.finish(ids).map_err(AppError::Invalid)
}

/// A new branch.
#[derive(Debug, Clone)]
pub struct NewBranch {
    /// Begins every number.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its address.
    pub address: String,
    /// Degrees north and east.
    pub location: Option<(f64, f64)>,
    /// An IANA time zone.
    pub time_zone: String,
    /// The currency of its prices.
    pub currency: Currency,
    /// How many orders it can have open.
    pub capacity: i64,
    /// Whether its prices include tax.
    pub prices_include_tax: bool,
    /// When it is open.
    pub opening_hours: String,
    /// The language of its pages and papers.
    pub language: String,
}

/// What to change about a branch.
#[derive(Debug, Clone, Default)]
pub struct BranchPatch {
    /// Its code; only while nothing bears it.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// Degrees north and east; `Some(None)` for not known.
    pub location: Option<Option<(f64, f64)>>,
    /// An IANA time zone.
    pub time_zone: Option<String>,
    /// The currency of its prices.
    pub currency: Option<Currency>,
    /// How many orders it can have open.
    pub capacity: Option<i64>,
    /// Whether its prices include tax.
    pub prices_include_tax: Option<bool>,
    /// Whether it is open for business.
    pub active: Option<bool>,
    /// When it is open.
    pub opening_hours: Option<String>,
    /// The language of its pages and papers.
    pub language: Option<String>,
}

fn point(location: Option<(f64, f64)>) -> Result<Option<Location>, AppError> {
    match location {
        None => Ok(None),
        Some((latitude, longitude)) => match Location::from_degrees(latitude, longitude) {
            Some(location) => Ok(Some(location)),
            None => Err(AppError::field("/location", "must lie on the globe")),
        },
    }
}

fn capacity(pieces: i64) -> Result<u32, AppError> {
    u32::try_from(pieces).map_err(|_| AppError::field("/capacity", "must be from 0 to 1000000"))
}

fn checked(fields: BranchRow) -> Result<BranchRow, AppError> {
    let mut problems = domain::problem::Problems::new();
    let zone = jiff::tz::TimeZone::get(fields.time_zone.trim());
    problems.check(
        zone.is_ok(),
        "/time_zone",
        "must be an IANA time zone such as Europe/Berlin",
    );
    let found = problems.into_vec();
    match fields.validate() {
        Ok(fields) if found.is_empty() => Ok(fields),
        Ok(_) => Err(AppError::Invalid(found)),
        Err(mut all) => {
            all.extend(found);
            Err(AppError::Invalid(all))
        }
    }
}

async fn require_free(tx: &mut HubTx, code: &str, own: Option<BranchId>) -> Result<(), AppError> {
    match store::branch(tx.sql(), None, Some(code)).await? {
        Some(other) if Some(other.id) != own => Err(AppError::conflict(
            "code-taken",
            format!("another branch has the code {code}"),
        )),
        _ => Ok(()),
    }
}

/// Makes a branch.
///
/// # Errors
/// Wrong fields, a code that is taken.
pub async fn create(tx: &mut HubTx, new: NewBranch) -> Result<BranchRecord, AppError> {
    let fields = checked(BranchRow {
        code: new.code,
        name: new.name,
        region: new.region,
        address: new.address,
        location: point(new.location)?,
        time_zone: new.time_zone,
        currency: new.currency,
        capacity: capacity(new.capacity)?,
        prices_include_tax: new.prices_include_tax,
        active: true,
        opening_hours: new.opening_hours,
        language: new.language,
    })?;
    require_free(tx, &fields.code, None).await?;
    let id = BranchId::from_random(&mut tx.hub().env().entropy());
    let at_ms = tx.at_ms();
    tx.fact(Item::Branch(Row {
        id,
        version: 1,
        deleted: false,
        fields: fields.clone(),
    }));
    Ok(BranchRecord {
        id,
        version: 1,
        fields,
        created_ms: at_ms,
        updated_ms: at_ms,
    })
}

/// Changes a branch; `check` holds the caller's condition against the row's version.
///
/// # Errors
/// Wrong fields, a code that is in use, a stale base.
pub async fn patch(
    tx: &mut HubTx,
    id: BranchId,
    check: impl FnOnce(u64) -> Result<(), AppError> + Send,
    patch: BranchPatch,
) -> Result<BranchRecord, AppError> {
    let record = store::branch(tx.sql(), Some(id), None)
        .await?
        .ok_or(AppError::NotFound { what: "branch" })?;
    check(record.version)?;
    let old = record.fields.clone();
    let fields = checked(BranchRow {
        code: patch.code.unwrap_or_else(|| old.code.clone()),
        name: patch.name.unwrap_or_else(|| old.name.clone()),
        region: patch.region.unwrap_or_else(|| old.region.clone()),
        address: patch.address.unwrap_or_else(|| old.address.clone()),
        location: match patch.location {
            None => old.location,
            Some(location) => point(location)?,
        },
        time_zone: patch.time_zone.unwrap_or_else(|| old.time_zone.clone()),
        currency: patch.currency.unwrap_or(old.currency),
        capacity: patch.capacity.map_or(Ok(old.capacity), capacity)?,
        prices_include_tax: patch.prices_include_tax.unwrap_or(old.prices_include_tax),
        active: patch.active.unwrap_or(old.active),
        opening_hours: patch
            .opening_hours
            .unwrap_or_else(|| old.opening_hours.clone()),
        language: patch.language.unwrap_or_else(|| old.language.clone()),
    })?;
    if fields.code != old.code {
        let in_use = orders::read::has_any(tx.sql(), id).await?
            || !node::of_branch(tx.sql(), id).await?.is_empty();
        if in_use {
            let detail = "orders or machines bear this code already";
            return Err(AppError::conflict("code-in-use", detail));
        }
        require_free(tx, &fields.code, Some(id)).await?;
    }
    if fields == old {
        return Ok(record);
    }
    let version = next_version(tx.sql(), RowKind::Branch, *id.as_bytes()).await?;
    let updated_ms = tx.at_ms();
    tx.fact(Item::Branch(Row {
        id,
        version,
        deleted: false,
        fields: fields.clone(),
    }));
    Ok(BranchRecord {
        version,
        fields,
        updated_ms,
        ..record
    })
}

/// What the line to a branch's machine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkState {
    /// A machine speaks for it and is not heard.
    CutOff,
    /// No machine has joined yet, or the last was revoked.
    NoMachine,
    /// A session is open.
    Connected,
}

impl LinkState {
    /// The name used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            LinkState::CutOff => "cut_off",
            LinkState::NoMachine => "no_machine",
            LinkState::Connected => "connected",
        }
    }

    /// Every name.
    pub const NAMES: [&'static str; 3] = ["connected", "cut_off", "no_machine"];
}

/// The line to a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BranchLink {
    /// What it is doing.
    pub state: LinkState,
    /// Since when, as far as this process knows.
    pub since_ms: Option<i64>,
    /// When the branch was last heard.
    pub last_contact_ms: Option<i64>,
    /// Transactions of the branch that the hub knows of and does not have yet.
    pub transactions_behind: u64,
    /// Feed entries that the branch has not applied yet.
    pub entries_behind: u64,
    /// The active machine.
    pub node: Option<NodeId>,
}

/// A branch with the state of its line.
#[derive(Debug, Clone, PartialEq)]
pub struct BranchState {
    /// The branch.
    pub record: BranchRecord,
    /// Its line.
    pub link: BranchLink,
}

/// What is known of the lines to all branches at one moment.
#[derive(Debug)]
pub struct Lines {
    active: BTreeMap<BranchId, NodeRow>,
    heads: BTreeMap<FeedId, u64>,
    cursors: BTreeMap<NodeId, Vec<Cursor>>,
    links: BTreeMap<NodeId, Link>,
}

/// The newest machine of each branch that may speak for it.
fn active(nodes: Vec<NodeRow>) -> BTreeMap<BranchId, NodeRow> {
    let mut active: BTreeMap<BranchId, NodeRow> = BTreeMap::new();
    for row in nodes
        .into_iter()
        .filter(|row| row.revoked.is_none() && !row.closed)
    {
        let is_newer = active
            .get(&row.branch)
            .is_none_or(|known| known.enrolled_ms <= row.enrolled_ms);
        if is_newer {
            active.insert(row.branch, row);
        }
    }
    active
}

/// Since when the line to a machine is as it is, as far as this process knows.
fn since(node: &NodeRow, link: Option<&Link>) -> Option<i64> {
    link.map(|link| link.since_ms)
        .or(node.last_contact_ms)
        .or(Some(node.enrolled_ms))
}

impl Lines {
    /// Reads what is known now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read(hub: &Hub) -> Result<Self, AppError> {
        let (nodes, heads) = {
            let mut connection = hub.snapshot().await?;
            let heads = feed::all_tips(&mut connection)
                .await?
                .into_iter()
                .map(|(feed, tip)| (feed, tip.n))
                .collect();
            (node::all(&mut connection).await?, heads)
        };
        Ok(Self {
            active: active(nodes),
            heads,
            cursors: hub.cursors().await?,
            links: hub.links(),
        })
    }

    /// The state of every line that has a machine, and since when.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn states(hub: &Hub) -> Result<Vec<(BranchId, LinkState, Option<i64>)>, AppError> {
        let nodes = active(hub.all_nodes().await?);
        let links = hub.links();
        let state = |node: &NodeRow| match links.get(&node.node) {
            Some(link) if link.is_connected => LinkState::Connected,
            _ => LinkState::CutOff,
        };
        Ok(nodes
            .into_values()
            .map(|node| {
                (
                    node.branch,
                    state(&node),
                    since(&node, links.get(&node.node)),
                )
            })
            .collect())
    }

    /// The line to a branch of a region.
    pub fn of(&self, branch: BranchId, region: &str) -> BranchLink {
        let Some(node) = self.active.get(&branch) else {
            return no_machine();
        };
        let link = self.links.get(&node.node);
        let is_connected = link.is_some_and(|link| link.is_connected);
        let cursors = self.cursors.get(&node.node);
        let applied = |feed: FeedId| {
            let known = cursors
                .into_iter()
                .flatten()
                .find(|cursor| cursor.kind == feed.kind);
            known.map_or(0, |cursor| cursor.n)
        };
        let behind = |feed: &FeedId| {
            let head = self.heads.get(feed).copied().unwrap_or(0);
            head.saturating_sub(applied(*feed))
        };
        BranchLink {
            state: if is_connected {
                LinkState::Connected
            } else {
                LinkState::CutOff
            },
            since_ms: since(node, link),
            last_contact_ms: link
                .map(|link| link.last_contact_ms)
                .max(node.last_contact_ms),
            transactions_behind: node.hello_tip_seq.saturating_sub(node.tip.seq),
            entries_behind: branch_feeds(branch, region).iter().map(behind).sum(),
            node: Some(node.node),
        }
    }
}

/// Puts the state of the lines to branches.
///
/// # Errors
/// When the database fails.
pub async fn with_links(
    hub: &Hub,
    records: Vec<BranchRecord>,
) -> Result<Vec<BranchState>, AppError> {
    let lines = Lines::read(hub).await?;
    let state = |record: BranchRecord| BranchState {
        link: lines.of(record.id, &record.fields.region),
        record,
    };
    Ok(records.into_iter().map(state).collect())
}

fn no_machine() -> BranchLink {
    BranchLink {
        state: LinkState::NoMachine,
        since_ms: None,
        last_contact_ms: None,
        transactions_behind: 0,
        entries_behind: 0,
        node: None,
    }
}

/// Branches with their lines, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    hub: &Hub,
    scope: &Scope,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<BranchState>, AppError> {
    let records = {
        let mut connection = hub.snapshot().await?;
        store::branches(&mut connection, scope, place, limit).await?
    };
    with_links(hub, records).await
}

/// The branch that an address names, by its id or its code.
///
/// # Errors
/// When there is none.
pub async fn find(hub: &Hub, name: &str) -> Result<BranchState, AppError> {
    let missing = || AppError::NotFound { what: "branch" };
    let record = {
        let mut connection = hub.snapshot().await?;
        let id = name.parse::<BranchId>().ok();
        let code = if id.is_none() { Some(name) } else { None };
        store::branch(&mut connection, id, code).await?
    };
    let mut states = with_links(hub, vec![record.ok_or_else(missing)?]).await?;
    states.pop().ok_or_else(missing)
}

/// One branch with its line.
///
/// # Errors
/// When there is none.
pub async fn get(hub: &Hub, id: BranchId) -> Result<BranchState, AppError> {
    let record = {
        let mut connection = hub.snapshot().await?;
        store::branch(&mut connection, Some(id), None).await?
    };
    let record = record.ok_or(AppError::NotFound { what: "branch" })?;
    let mut states = with_links(hub, vec![record]).await?;
    states.pop().ok_or(AppError::NotFound { what: "branch" })
}

/// The machines of a branch, the newest first.
///
/// # Errors
/// When there is no such branch.
pub async fn machines(hub: &Hub, id: BranchId) -> Result<Vec<NodeRow>, AppError> {
    let mut connection = hub.snapshot().await?;
    if store::branch(&mut connection, Some(id), None)
        .await?
        .is_none()
    {
        return Err(AppError::NotFound { what: "branch" });
    }
    Ok(node::of_branch(&mut connection, id).await?)
}

/// What a new machine of a branch shows once.
#[derive(Debug)]
pub struct NewJoinCode {
    /// The code.
    pub code: JoinCode,
    /// Until when it may be used.
    pub expires_ms: i64,
}

/// Makes a one-use join code for a branch; `fingerprint` is that of the authority's root. Only its hash is stored.
///
/// # Errors
/// When there is no such branch.
pub async fn new_join_code(
    tx: &mut HubTx,
    id: BranchId,
    fingerprint: [u8; 16],
    staff: StaffId,
) -> Result<NewJoinCode, AppError> {
    if store::branch(tx.sql(), Some(id), None).await?.is_none() {
        return Err(AppError::NotFound { what: "branch" });
    }
    let code = JoinCode {
        secret: tx.hub().env().random(),
        fingerprint,
    };
    let created_ms = tx.at_ms();
    let life_ms = i64::try_from(JOIN_CODE_LIFE.as_millis()).unwrap_or(i64::MAX);
    let new = join_code::NewCode {
        branch: id,
        secret_hash: JoinCode::secret_hash(&code.secret),
        created_ms,
        expires_ms: created_ms.saturating_add(life_ms),
        staff,
    };
    join_code::insert(tx.sql(), &new).await?;
    Ok(NewJoinCode {
        code,
        expires_ms: new.expires_ms,
    })
}

/// Takes a machine's right to speak away; what it wrote before stays.
///
/// # Errors
/// When there is no such machine, or it is revoked already.
pub async fn revoke(
    tx: &mut HubTx,
    person: &Person,
    id: NodeId,
    reason: &str,
) -> Result<NodeRow, AppError> {
    let reason =
        clean_block(reason, NOTE_MAX).map_err(|error| AppError::field("/reason", error))?;
    let row = node::find(tx.sql(), id)
        .await?
        .ok_or(AppError::NotFound { what: "machine" })?;
    person.require_branch(row.branch)?;
    if row.revoked.is_some() {
        return Err(AppError::conflict(
            "revoked",
            "this machine was revoked already",
        ));
    }
    tx.fact(Item::NodeRevoked(NodeRevoked {
        node: id,
        reason: reason.clone(),
    }));
    Ok(NodeRow {
        revoked: Some(reason),
        ..row
    })
}

/// A branch with its distance and what it has free of a part.
#[derive(Debug, Clone, PartialEq)]
pub struct NearBranch {
    /// The branch.
    pub record: BranchRecord,
    /// Metres on the globe.
    pub metres: f64,
    /// Free pieces, where a part was asked for.
    pub free: Option<i64>,
    /// When that was so: now for a branch that is connected, else when it was last heard.
    pub as_of_ms: Option<i64>,
}

/// Which branches are near.
#[derive(Debug, Clone)]
pub struct NearQuery {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// A part that must be there.
    pub sku: Option<String>,
    /// How many pieces of it.
    pub quantity: i64,
    /// How many branches.
    pub limit: i64,
}

/// The nearest open branches, of those that have a part free where one is named.
///
/// # Errors
/// A place off the globe, an unknown part.
pub async fn nearest(hub: &Hub, query: &NearQuery) -> Result<Vec<NearBranch>, AppError> {
    if Location::from_degrees(query.latitude, query.longitude).is_none() {
        return Err(AppError::field(
            "/latitude",
            "latitude and longitude must lie on the globe",
        ));
    }
    let mut connection = hub.snapshot().await?;
    let free: Option<BTreeMap<BranchId, i64>> = match &query.sku {
        None => None,
        Some(sku) => {
            let part = inventory::part_by_sku(&mut connection, sku).await?;
            let part = part.ok_or_else(|| AppError::field("/sku", "there is no such part"))?;
            Some(
                inventory::free_of(&mut connection, part.id, query.quantity.max(1))
                    .await?
                    .into_iter()
                    .collect(),
            )
        }
    };
    let among: Option<Vec<BranchId>> = free.as_ref().map(|free| free.keys().copied().collect());
    let (latitude, longitude) = (query.latitude, query.longitude);
    let near = store::nearest(
        &mut connection,
        latitude,
        longitude,
        among.as_deref(),
        query.limit,
    )
    .await?;
    drop(connection);
    let (records, metres): (Vec<_>, Vec<_>) = near.into_iter().unzip();
    let now_ms = hub.env().now_ms();
    let states = with_links(hub, records).await?;
    let found = states
        .into_iter()
        .zip(metres)
        .map(|(BranchState { record, link }, metres)| {
            let as_of_ms = match link.state {
                LinkState::Connected => Some(now_ms),
                _ => link.last_contact_ms,
            };
            let free = free.as_ref().and_then(|free| free.get(&record.id).copied());
            NearBranch {
                record,
                metres,
                free,
                as_of_ms: as_of_ms.filter(|_| free.is_some()),
            }
        });
    Ok(found.collect())
}

/// When the hub last heard of each branch's stock: now for those that are connected.
///
/// # Errors
/// When the database fails.
pub async fn heard(hub: &Hub) -> Result<BTreeMap<BranchId, i64>, AppError> {
    let (now_ms, links) = (hub.env().now_ms(), hub.links());
    let mut heard = BTreeMap::new();
    for row in hub.all_nodes().await? {
        let link = links.get(&row.node);
        let at_ms = match link {
            Some(link) if link.is_connected => Some(now_ms),
            link => link
                .map(|link| link.last_contact_ms)
                .max(row.last_contact_ms),
        };
        if let Some(at_ms) = at_ms {
            let known: &mut i64 = heard.entry(row.branch).or_insert(at_ms);
            *known = (*known).max(at_ms);
        }
    }
    Ok(heard)
}

/// Time zone and language that most branches have; `None` while there is no branch.
///
/// # Errors
/// When the database fails.
pub async fn usual_place(hub: &Hub) -> Result<Option<(String, String)>, AppError> {
    let mut connection = hub.pool().acquire().await?;
    Ok(store::usual_place(&mut connection).await?)
}

/// What a branch holds, in counts.
///
/// # Errors
/// When the database fails.
pub async fn held(hub: &Hub, id: BranchId) -> Result<Held, AppError> {
    let mut connection = hub.snapshot().await?;
    Ok(held::held(&mut connection, id).await?)
}

/// The codes of all branches.
///
/// # Errors
/// When the database fails.
pub async fn all_codes(hub: &Hub) -> Result<Codes, AppError> {
    let mut connection = hub.snapshot().await?;
    codes(&mut connection).await
}

/// Branches by their codes, without their lines.
///
/// # Errors
/// When the database fails.
pub async fn places(hub: &Hub, scope: &Scope) -> Result<Vec<store::BranchPlace>, AppError> {
    let mut connection = hub.snapshot().await?;
    Ok(store::places(&mut connection, scope).await?)
}
