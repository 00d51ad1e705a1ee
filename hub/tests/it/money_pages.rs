//! The money pages and what their forms do once: a chain with a bit of everything that can be wrong with money.

use domain::day::{SettlementKind, SettlementLine};
use domain::id::{BranchId, DocumentId, LineId, PaymentId, ReceiptId, RefundId, SessionId};
use domain::money::Currency;
use domain::payment::{PaymentCancelled, PaymentOutcome, PaymentResult, Provider};
use domain::staff::Role;
use domain::till::{
    AccountRow, CardWay, Goods, Receipt, ReceiptLine, ReceiptLineKind, RefundAsked, RefundLine,
    Tender, TenderLine,
};
use hub::app::Actor;
use sync_protocol::item::{Item, Row, command};
use sync_protocol::message::GivenKey;
use sync_protocol::transaction::next_hlc;

use crate::api::Site;
use crate::pages::{Browser, hidden};
use crate::support::{TestBranch, World};

/// What a chain of the tests has.
pub struct Shops {
    pub site: Site,
    pub customer: DocumentId,
    pub twice: PaymentId,
    pub late: PaymentId,
    pub promised: PaymentId,
    pub asked: RefundId,
    pub small: RefundId,
    pub receipt: ReceiptId,
    pub foreign: ReceiptId,
}

fn id(kind: u8, n: u8) -> [u8; 16] {
    let mut id = [kind; 16];
    id[0] = n;
    id
}

pub fn payment(n: u8) -> PaymentId {
    PaymentId::from_bytes(id(0x52, n))
}

fn tender(n: u8, tender: Tender, amount_minor: i64) -> TenderLine {
    TenderLine {
        payment: payment(n),
        tender,
        amount_minor,
        given_minor: amount_minor,
        way: (tender == Tender::Card).then_some(CardWay::Link),
    }
}

fn receipt(n: u8, text: &str, tenders: Vec<TenderLine>, customer: Option<DocumentId>) -> Receipt {
    let unit_minor = tenders.iter().map(|one| one.amount_minor).sum();
    Receipt {
        id: ReceiptId::from_bytes(id(0x50, n)),
        register: 1,
        session: Some(SessionId::from_bytes([0x51; 16])),
        series: b'A',
        number: u32::from(n),
        customer,
        currency: Currency::EUR,
        lines: vec![ReceiptLine {
            id: LineId::from_bytes(id(0x54, n)),
            kind: ReceiptLineKind::Service,
            order: None,
            part: None,
            text: text.to_owned(),
            quantity: 1,
            unit_minor,
            tax_bp: 1900,
            includes_tax: true,
        }],
        tenders,
    }
}

fn captured(n: u8, attempt: u16, amount_minor: i64) -> Item {
    Item::PaymentResult(PaymentResult {
        payment: payment(n),
        attempt,
        outcome: PaymentOutcome::Captured,
        amount_minor,
        tender: Tender::Card,
        provider: Provider::Stripe,
        reference: format!("pi_{n}_{attempt}"),
        detail: String::new(),
    })
}

fn line(reference: &str, provider: Provider, amount_minor: i64, of: Option<u8>) -> Item {
    Item::SettlementLine(SettlementLine {
        provider,
        reference: reference.to_owned(),
        kind: SettlementKind::Charge,
        branch: BranchId::NIL,
        payment: of.map(payment),
        repayment: None,
        payout: "po_1".to_owned(),
        amount_minor,
        fee_minor: if provider == Provider::Bank { 0 } else { 230 },
        currency: Currency::EUR,
        at_ms: crate::support::START_MS,
    })
}

async fn say(world: &World, items: Vec<Item>) {
    let mut tx = world
        .hub
        .begin(Actor::SYSTEM, command::PAYMENT)
        .await
        .unwrap();
    items.into_iter().for_each(|item| tx.fact(item));
    tx.commit().await.unwrap();
}

fn asked(n: u8, of: &Receipt, amount_minor: i64, reason: &str) -> Item {
    Item::RefundAsked(RefundAsked {
        id: RefundId::from_bytes(id(0x56, n)),
        receipt: of.id,
        currency: Currency::EUR,
        lines: vec![RefundLine {
            line: of.lines[0].id,
            quantity: 1,
            goods: Goods::Stay,
        }],
        amount_minor,
        reason: reason.to_owned(),
    })
}

async fn trade(branch: &mut TestBranch, site: &Site, items: Vec<Item>) {
    let hub = site.world.hub.clone();
    branch.hlc = next_hlc(branch.hlc, hub.env().now_ms() - 3 * 3_600_000);
    let entries = items
        .into_iter()
        .map(|item| branch.tx(vec![item]))
        .collect();
    branch.send(&hub, entries).await;
}

impl Shops {
    /// Berlin with one of each; Hamburg with a promise above its limit.
    pub async fn open() -> Self {
        let mut site = Site::new().await;
        let mut berlin = site.world.branch("BER").await;
        let mut hamburg = site.world.branch("HAM").await;
        let (customer, key, created) = berlin.new_customer("Lovelace Workshop");
        let given = GivenKey {
            person: customer,
            generation: key.generation(),
            key: *key.expose(),
        };
        let hub = site.world.hub.clone();
        hub.store_keys(berlin.node, vec![given]).await.unwrap();
        let split = receipt(
            1,
            "Screen replaced",
            vec![
                tender(1, Tender::Cash, 5_000),
                tender(2, Tender::Card, 6_900),
            ],
            None,
        );
        let twice = receipt(2, "Battery", vec![tender(3, Tender::Card, 8_900)], None);
        let late = receipt(
            3,
            "Data rescue",
            vec![tender(4, Tender::Card, 24_900)],
            None,
        );
        let bank = receipt(4, "Ten laptops", vec![tender(5, Tender::Bank, 4_990)], None);
        let account = receipt(
            5,
            "Servicing",
            vec![tender(6, Tender::Account, 61_000)],
            Some(customer),
        );
        let promised = receipt(6, "Keyboard", vec![tender(7, Tender::Card, 12_900)], None);
        let items = vec![
            created,
            Item::Receipt(split.clone()),
            Item::Receipt(twice.clone()),
            Item::Receipt(late.clone()),
            Item::PaymentCancelled(PaymentCancelled {
                payment: payment(4),
            }),
            Item::Receipt(bank),
            Item::Receipt(account),
            Item::Receipt(promised),
            asked(1, &split, 11_900, "the new screen flickers"),
            asked(2, &twice, 120_000, "the battery swelled"),
        ];
        trade(&mut berlin, &site, items).await;
        let far = receipt(1, "Server", vec![tender(21, Tender::Card, 250_000)], None);
        let mut far = far;
        far.id = ReceiptId::from_bytes(id(0x60, 1));
        let foreign = far.id;
        trade(&mut hamburg, &site, vec![Item::Receipt(far)]).await;
        let terms = Item::Account(Row {
            id: customer,
            version: 1,
            deleted: false,
            fields: AccountRow {
                limit_minor: 50_000,
                due_days: 14,
            },
        });
        let items = vec![
            terms,
            captured(2, 1, 6_900),
            captured(3, 1, 8_900),
            captured(3, 2, 8_900),
            captured(4, 1, 24_900),
            line("txn_1", Provider::Stripe, 6_900, Some(2)),
            line("txn_stray", Provider::Stripe, 1_234, None),
            line("bank-7", Provider::Bank, 4_990, None),
        ];
        say(&site.world, items).await;
        Self {
            site,
            customer,
            twice: payment(3),
            late: payment(4),
            promised: payment(7),
            asked: RefundId::from_bytes(id(0x56, 1)),
            small: RefundId::from_bytes(id(0x56, 2)),
            receipt: split.id,
            foreign,
        }
    }

    /// The worker found no provider and leaves the job alone for a while; then it is given up.
    async fn dead(&self) {
        let idle = "select count(*) from sync.outbox where kind = 'ask' and lease_until_ms = 0 and last_error <> ''
            and payment = (select payment from payments.payment where asked_minor = 12900)";
        self.site.world.until(idle, 1).await;
        let dead = self
            .site
            .world
            .execute(
                "update sync.outbox set state = 'dead', tries = 1, last_error = 'the provider does not let us: no such key'
                 where kind = 'ask' and payment = (select payment from payments.payment where asked_minor = 12900)",
            )
            .await;
        assert_eq!(dead, 1);
    }
}

const PAGES: [&str; 8] = [
    "/money",
    "/money/payments",
    "/money/refunds",
    "/money/settlements",
    "/money/outbox",
    "/money/receipts",
    "/money/cash",
    "/money/accounts",
];

#[tokio::test]
async fn every_page_shows_what_is_wrong_first_and_leads_on() {
    let shops = Shops::open().await;
    shops.dead().await;
    let browser = Browser::new(&shops.site, Role::CentralManager, &[]).await;
    let page = browser.get("/money").await.text;
    let (ham, ber) = (page.find("Branch HAM"), page.find("Branch BER"));
    assert!(ham.is_some() && ham < ber, "above its limit comes first");
    assert!(page.contains("above the limit of 2,000.00"), "{page}");
    assert!(page.contains("href=\"/money/payments?branch=HAM&#38;state=open\""));
    assert!(page.contains("2 refunds") && page.contains("1 dead letter"));
    let part = browser.part("/money").await.text;
    assert!(part.starts_with("<div id=\"money\""), "{part}");

    let open = browser.get("/money/payments?branch=HAM&state=open").await;
    assert!(open.text.contains("2,500.00") && !open.text.contains("89.00"));
    let none = browser
        .get("/money/payments?branch=HAM&state=refunded")
        .await;
    assert!(none.text.contains("No payment fits"));
    let lines = browser.get("/money/settlements").await.text;
    let (stray, settled) = (lines.find("txn_stray"), lines.find("txn_1"));
    assert!(
        stray.is_some() && stray < settled,
        "what fits nowhere first"
    );
    assert!(
        lines.contains("BER-R-A000004"),
        "a payment that would fit is offered"
    );
    let outbox = browser.get("/money/outbox").await.text;
    assert!(outbox.contains("The provider does not let us: no such key."));
    let receipts = browser.get("/money/receipts").await.text;
    assert!(receipts.contains("BER-R-A000001") && receipts.contains("HAM-R-A000001"));
    let one = browser
        .get(&format!("/money/receipts/{}", shops.receipt))
        .await;
    assert!(one.text.contains("Screen replaced") && one.text.contains("EUR 69.00"));
    let accounts = browser.get("/money/accounts").await.text;
    assert!(accounts.contains("Lovelace Workshop") && accounts.contains("EUR 610.00"));
    assert!(accounts.contains("above the limit"), "{accounts}");
    let person = browser.get(&format!("/customers/{}", shops.customer)).await;
    assert!(person.text.contains("EUR 610.00") && person.text.contains("EUR 500.00"));
    let exceptions = browser.get("/exceptions?kind=money").await.text;
    assert!(exceptions.contains(&format!("/money/payments/{}", shops.twice)));
}

#[tokio::test]
async fn roles_and_branches_see_their_own() {
    let shops = Shops::open().await;
    let operator = Browser::new(&shops.site, Role::Operator, &[]).await;
    for page in PAGES {
        assert_eq!(operator.get(page).await.status, 403, "{page}");
    }
    assert!(
        !operator
            .get("/network")
            .await
            .text
            .contains("href=\"/money\"")
    );
    let manager = Browser::new(&shops.site, Role::BranchManager, &["BER"]).await;
    for page in PAGES {
        let shown = manager.get(page).await;
        assert_eq!(shown.status, 200, "{page}");
        assert!(!shown.text.contains("Branch HAM"), "{page}");
        assert!(
            !shown.text.contains("txn_stray"),
            "{page}: lines of the chain"
        );
    }
    let foreign = format!("/money/payments/{}", payment(21));
    assert_eq!(manager.get(&foreign).await.status, 404);
    let foreign = format!("/money/receipts/{}", shops.foreign);
    assert_eq!(manager.get(&foreign).await.status, 404);
    let auditor = Browser::new(&shops.site, Role::Auditor, &[]).await;
    let page = auditor.get("/money/refunds").await.text;
    assert!(page.contains("flickers") && !page.contains("/approve\""));
    let form = [("key", "audit"), ("reason", "no")];
    for path in [
        format!("/money/refunds/{}/approve", shops.asked),
        format!("/money/payments/{}/refunds", shops.twice),
        format!("/money/payments/{}/ask-again", shops.promised),
        "/money/outbox/ask-all".to_owned(),
        "/money/settlements/match".to_owned(),
        format!("/customers/{}/account", shops.customer),
        "/branches/BER/till-rules".to_owned(),
    ] {
        assert_eq!(auditor.post(&path, &form).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn a_refund_is_decided_once_with_a_reason_and_within_the_limit() {
    let shops = Shops::open().await;
    let manager = Browser::new(&shops.site, Role::BranchManager, &["BER"]).await;
    let page = manager.get("/money/refunds").await.text;
    assert!(page.contains("above your limit"), "{page}");
    let large = format!("/money/refunds/{}", shops.small);
    let above = [("key", "large"), ("reason", "")];
    let refused = manager.post(&format!("{large}/approve"), &above).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("more than your role may give back"));
    let silent = manager.post(&format!("{large}/decline"), &above).await;
    assert_eq!(silent.status, 422);
    let small = format!("/money/refunds/{}/approve", shops.asked);
    for _ in 0..2 {
        let done = manager.post(&small, &[("key", "small")]).await;
        assert_eq!(done.location, "/money/refunds");
    }
    let again = manager.post(&small, &[("key", "other")]).await;
    assert!(again.status == 409 && again.text.contains("decided already"));
    let central = Browser::new(&shops.site, Role::CentralManager, &[]).await;
    let why = [("key", "central"), ("reason", "not ours")];
    let done = central.post(&format!("{large}/decline"), &why).await;
    assert_eq!(done.location, "/money/refunds");
    let none = central.get("/money/refunds").await.text;
    assert!(none.contains("No refund waits for a word"));
    let decided =
        "select count(*) from payments.refund_asked where state in ('approved', 'refused')";
    assert_eq!(shops.site.world.count(decided).await, 2);
    shops.site.world.verified().await;
}

#[tokio::test]
async fn what_came_too_much_is_given_back_once() {
    let shops = Shops::open().await;
    let central = Browser::new(&shops.site, Role::CentralManager, &[]).await;
    let wanted = "select count(*) from sync.outbox where kind = 'repay'";
    let path = format!("/money/payments/{}", shops.twice);
    let page = central.get(&path).await.text;
    assert!(page.contains("EUR 89.00 to give back") && page.contains("More came than"));
    let key = hidden(&page, "key");
    let silent = central
        .post(
            &format!("{path}/refunds"),
            &[("key", &key), ("reason", " ")],
        )
        .await;
    assert_eq!(silent.status, 422);
    assert_eq!(hidden(&silent.text, "key"), key);
    let form = [("key", key.as_str()), ("reason", "paid twice")];
    for _ in 0..2 {
        let done = central.post(&format!("{path}/refunds"), &form).await;
        assert_eq!(done.location, path);
    }
    assert_eq!(shops.site.world.count(wanted).await, 1);
    let page = central.get(&path).await.text;
    assert!(
        !page.contains("to give back") && page.contains("paid twice"),
        "{page}"
    );
    let none = [("key", "third"), ("reason", "again")];
    let refused = central.post(&format!("{path}/refunds"), &none).await;
    assert!(refused.status == 409 && refused.text.contains("Nothing came too much"));

    // The same by the API, for what was called off, above a branch manager's limit or not.
    let client = shops.site.person(Role::BranchManager, &["BER"]).await;
    let late = format!("/api/v1/payments/{}", shops.late);
    let known = client.get(&late).await.with(200);
    assert_eq!(known["due_back"]["amount_minor"], 24_900);
    let why = serde_json::json!({ "reason": "called off" });
    let refunds = format!("{late}/refunds");
    let given = client.keyed(&refunds, "late", &why).await.with(202);
    assert_eq!(given["amount"]["amount_minor"], 24_900);
    let again = client.keyed(&refunds, "late", &why).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    client.post(&refunds, &why).await.problem(409);
    assert_eq!(shops.site.world.count(wanted).await, 2);
    let foreign = shops.site.person(Role::BranchManager, &["HAM"]).await;
    foreign.post(&refunds, &why).await.problem(404);
    shops.site.world.verified().await;
}

#[tokio::test]
async fn a_role_gives_back_within_its_limit_only() {
    let shops = Shops::open().await;
    let central = shops.site.person(Role::CentralManager, &[]).await;
    let branches = central.list("/api/v1/branches").await;
    let berlin = branches.iter().find(|one| one["code"] == "BER").unwrap();
    let rules = serde_json::json!({
        "promise_limit_minor": 200_000, "promise_days": 3, "refund_clerk_minor": 0, "refund_manager_minor": 20_000,
        "reader": false,
    });
    let path = format!(
        "/api/v1/branches/{}/till-rules",
        berlin["id"].as_str().unwrap()
    );
    central.post(&path, &rules).await.with(200);
    let why = serde_json::json!({ "reason": "called off" });
    let late = format!("/api/v1/payments/{}/refunds", shops.late);
    let manager = shops.site.person(Role::BranchManager, &["BER"]).await;
    let refused = manager.post(&late, &why).await.problem(409);
    assert_eq!(refused["limit_minor"], 20_000, "{refused}");
    central.post(&late, &why).await.with(202);
}

#[tokio::test]
async fn a_line_is_matched_by_the_number_of_its_receipt_and_pays_it() {
    let shops = Shops::open().await;
    let central = Browser::new(&shops.site, Role::CentralManager, &[]).await;
    let path = "/money/settlements/match";
    let mut form = vec![
        ("key", "match"),
        ("provider", "bank"),
        ("reference", "bank-7"),
        ("payment", "BER-R-A000099"),
        ("reason", "the customer forgot the number"),
    ];
    let unknown = central.post(path, &form).await;
    assert!(unknown.status == 422 && unknown.text.contains("There is no such payment."));
    form[3].1 = "ber-r-a4";
    for _ in 0..2 {
        let done = central.post(path, &form).await;
        assert_eq!(done.location, "/money/settlements");
    }
    let paid = "select captured_minor from payments.payment where tender = 'bank'";
    assert_eq!(shops.site.world.count(paid).await, 4_990);
    let back = [
        ("key", "back"),
        ("provider", "bank"),
        ("reference", "bank-7"),
        ("back", "yes"),
        ("reason", "a mistake"),
    ];
    let kept = central.post(path, &back).await;
    assert!(kept.status == 409 && kept.text.contains("counts as paid by this line"));
    let mut stray = form.clone();
    (stray[0].1, stray[1].1, stray[2].1) = ("stray", "stripe", "txn_stray");
    stray[3].1 = "BER-R-A000001";
    assert_eq!(
        central.post(path, &stray).await.location,
        "/money/settlements"
    );
    let matched = "select count(*) from payments.settlement where matched is not null";
    assert_eq!(shops.site.world.count(matched).await, 3);
    let mut free = back.to_vec();
    (free[0].1, free[1].1, free[2].1) = ("free", "stripe", "txn_stray");
    assert_eq!(
        central.post(path, &free).await.location,
        "/money/settlements"
    );
    assert_eq!(shops.site.world.count(matched).await, 2);
    shops.site.world.verified().await;
}

#[tokio::test]
async fn the_banks_file_is_taken_once_and_a_wrong_row_changes_nothing() {
    let shops = Shops::open().await;
    let manager = Browser::new(&shops.site, Role::CentralManager, &[]).await;
    let page = manager.get("/money/settlements/bank").await.text;
    let key = hidden(&page, "key");
    let lines = "select count(*) from payments.settlement where provider = 'bank'";
    let wrong = "booked_on,reference,amount,currency,text\n2026-11-21,8,much,EUR,x\n";
    let refused = manager.upload("/money/settlements/bank", &key, wrong).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Row 2:"), "{}", refused.text);
    assert_eq!(shops.site.world.count(lines).await, 1);
    let good = "booked_on,reference,amount,currency,text\n2026-11-21,8,49.90,EUR,BER-R-A000004\n";
    for _ in 0..2 {
        let done = manager.upload("/money/settlements/bank", &key, good).await;
        assert_eq!(done.location, "/money/settlements", "{}", done.text);
    }
    assert_eq!(shops.site.world.count(lines).await, 2);
    let said = manager.get("/money/settlements").await.text;
    assert!(
        said.contains("Rows: 1, new: 1, paid a receipt: 1"),
        "{said}"
    );
}

#[tokio::test]
async fn dead_letters_are_asked_again_and_rules_and_accounts_are_set() {
    let shops = Shops::open().await;
    shops.dead().await;
    let central = Browser::new(&shops.site, Role::CentralManager, &[]).await;
    let dead = "select count(*) from sync.outbox where state = 'dead'";
    let done = central
        .post("/money/outbox/ask-all", &[("key", "all")])
        .await;
    assert_eq!(done.location, "/money/outbox");
    assert_eq!(shops.site.world.count(dead).await, 0);

    let page = central.get("/branches/BER/till-rules").await.text;
    let key = hidden(&page, "key");
    let mut rules = vec![
        ("key", key.as_str()),
        ("limit", "much"),
        ("days", "400"),
        ("clerk", "50"),
        ("manager", "500.00"),
    ];
    let refused = central.post("/branches/BER/till-rules", &rules).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Write digits") && refused.text.contains("from 0 to 365"));
    (rules[1].1, rules[2].1) = ("1500", "5");
    for _ in 0..2 {
        let done = central.post("/branches/BER/till-rules", &rules).await;
        assert_eq!(done.location, "/branches/BER");
    }
    assert!(
        central
            .get("/branches/BER")
            .await
            .text
            .contains("EUR 1,500.00")
    );
    assert_eq!(
        shops
            .site
            .world
            .count("select count(*) from payments.till_rules")
            .await,
        1
    );

    let path = format!("/customers/{}/account", shops.customer);
    let key = hidden(&central.get(&path).await.text, "key");
    let form = [("key", key.as_str()), ("limit", "750"), ("days", "30")];
    let done = central.post(&path, &form).await;
    assert_eq!(done.location, format!("/customers/{}", shops.customer));
    let person = central.get(&done.location).await.text;
    assert!(person.contains("EUR 750.00"));
    let end = [("key", "end"), ("act", "end")];
    central.post(&path, &end).await;
    let accounts = central.get("/money/accounts").await.text;
    assert!(accounts.contains("Nobody buys on account"));
    shops.site.world.verified().await;
}
