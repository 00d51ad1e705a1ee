//! The pages of cash and of what was given back: figures from the records that branches sent.

use domain::cash::{
    CashClosed, CashDirection, CashMoved, CashOpened, Counted, DayReport, TenderSum,
};
use domain::id::{LineId, PaymentId, ReceiptId, RefundId, RepaymentId, SessionId};
use domain::money::Currency;
use domain::order::RateTotal;
use domain::payment::{PaymentOutcome, PaymentResult, Provider, RepaymentOutcome, RepaymentResult};
use domain::staff::Role;
use domain::till::{
    CardWay, Goods, Receipt, ReceiptLine, ReceiptLineKind, Refund, RefundLine, RefundTender,
    Tender, TenderLine,
};
use hub::app::Actor;
use sync_protocol::item::{Item, command, encode_body};
use sync_protocol::transaction::next_hlc;

use crate::api::Site;
use crate::pages::Browser;
use crate::support::TestBranch;

/// The business day of the branches of the tests, 20,000 days after 1970 began.
const DAY: &str = "2024-10-04";

fn id(kind: u8, n: u8) -> [u8; 16] {
    let mut id = [kind; 16];
    id[0] = n;
    id
}

fn session(n: u8) -> SessionId {
    SessionId::from_bytes(id(0x71, n))
}

fn opened(n: u8, register: u16, float_minor: i64) -> Item {
    Item::CashOpened(CashOpened {
        id: session(n),
        register,
        currency: Currency::EUR,
        float_minor,
    })
}

fn moved(n: u8, number: u32, direction: CashDirection, amount_minor: i64, reason: &str) -> Item {
    Item::CashMoved(CashMoved {
        session: session(n),
        number,
        direction,
        amount_minor,
        reason: reason.to_owned(),
    })
}

fn sold(n: u8, session: SessionId, tenders: &[(Tender, i64)]) -> Receipt {
    let tenders: Vec<TenderLine> = tenders
        .iter()
        .zip(0..)
        .map(|((tender, amount_minor), at)| TenderLine {
            payment: PaymentId::from_bytes(id(0x72 + at, n)),
            tender: *tender,
            amount_minor: *amount_minor,
            given_minor: *amount_minor,
            way: (*tender == Tender::Card).then_some(CardWay::Link),
        })
        .collect();
    Receipt {
        id: ReceiptId::from_bytes(id(0x75, n)),
        register: 1,
        session: Some(session),
        series: b'A',
        number: u32::from(n),
        customer: None,
        currency: Currency::EUR,
        lines: vec![ReceiptLine {
            id: LineId::from_bytes(id(0x76, n)),
            kind: ReceiptLineKind::Service,
            order: None,
            part: None,
            text: format!("Work {n}"),
            quantity: 1,
            unit_minor: tenders.iter().map(|one| one.amount_minor).sum(),
            tax_bp: 1900,
            includes_tax: true,
        }],
        tenders,
    }
}

/// All of a receipt goes back the way it came.
fn refunded(n: u8, of: &Receipt, session: SessionId, rate: (i64, i64), reason: &str) -> Refund {
    let tenders = of.tenders.iter().zip(0..);
    Refund {
        id: RefundId::from_bytes(id(0x77, n)),
        receipt: of.id,
        register: 1,
        session: Some(session),
        series: b'A',
        number: u32::from(n),
        currency: Currency::EUR,
        lines: vec![RefundLine {
            line: of.lines[0].id,
            quantity: 1,
            goods: Goods::Stay,
        }],
        rates: vec![RateTotal {
            tax_bp: 1900,
            net_minor: rate.0,
            tax_minor: rate.1,
            gross_minor: rate.0 + rate.1,
        }],
        deposits_minor: 0,
        tenders: tenders
            .map(|(tender, at)| RefundTender {
                id: RepaymentId::from_bytes(id(0x78 + at, n)),
                payment: tender.payment,
                tender: tender.tender,
                amount_minor: tender.amount_minor,
            })
            .collect(),
        reason: reason.to_owned(),
    }
}

struct Count<'a> {
    counted: &'a [(i64, u32)],
    expected_minor: i64,
    reason: &'a str,
    number: u32,
    former: [u8; 32],
    report: DayReport,
}

fn closed(n: u8, count: Count<'_>) -> CashClosed {
    CashClosed {
        session: session(n),
        counted: count
            .counted
            .iter()
            .map(|(value_minor, pieces)| Counted {
                value_minor: *value_minor,
                pieces: *pieces,
            })
            .collect(),
        expected_minor: count.expected_minor,
        left_minor: 10_000,
        reason: count.reason.to_owned(),
        series: b'A',
        number: count.number,
        former: count.former,
        report: count.report,
    }
}

fn hex(hash: &[u8; 32]) -> String {
    let pairs = hash.chunks(2);
    let pairs: Vec<String> = pairs
        .map(|pair| format!("{:02x}{:02x}", pair[0], pair[1]))
        .collect();
    pairs.join(" ")
}

struct Tills {
    site: Site,
    first: CashClosed,
    card: PaymentId,
    cash_refund: RefundId,
    card_refund: RefundId,
    receipt: ReceiptId,
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

impl Tills {
    /// Berlin counted twice, the first time too little, and is open again; Hamburg counted once.
    async fn open() -> Self {
        let mut site = Site::new().await;
        let mut berlin = site.world.branch("BER").await;
        let mut hamburg = site.world.branch("HAM").await;
        let split = sold(
            1,
            session(1),
            &[(Tender::Cash, 5_000), (Tender::Card, 6_900)],
        );
        let small = sold(2, session(1), &[(Tender::Cash, 2_500)]);
        let cash_back = refunded(3, &small, session(1), (2_101, 399), "wrong part");
        let report = DayReport {
            receipts: 2,
            refunds: 1,
            first_number: 1,
            last_number: 3,
            tenders: vec![
                TenderSum {
                    tender: Tender::Cash,
                    amount_minor: 5_000,
                },
                TenderSum {
                    tender: Tender::Card,
                    amount_minor: 6_900,
                },
            ],
            ..DayReport::default()
        };
        let first = closed(
            1,
            Count {
                counted: &[(5_000, 2), (2_000, 1), (100, 3)],
                expected_minor: 12_500,
                reason: "a roll of coins was short",
                number: 1,
                former: [0; 32],
                report,
            },
        );
        let former = first.hash(&encode_body(&first));
        let second = closed(
            2,
            Count {
                counted: &[(10_000, 1)],
                expected_minor: 10_000,
                reason: "",
                number: 2,
                former,
                report: DayReport::default(),
            },
        );
        let card_back = refunded(4, &split, session(3), (10_000, 1_900), "gone for good");
        let items = vec![
            opened(1, 1, 10_000),
            Item::Receipt(split.clone()),
            Item::Receipt(small),
            moved(1, 1, CashDirection::Out, 3_000, "to the bank"),
            moved(1, 2, CashDirection::In, 500, "coins"),
            Item::Refund(cash_back.clone()),
            Item::CashClosed(first.clone()),
            opened(2, 1, 10_000),
            Item::CashClosed(second),
            opened(3, 1, 77_700),
        ];
        trade(&mut berlin, &site, items).await;
        let hub = site.world.hub.clone();
        let mut tx = hub.begin(Actor::SYSTEM, command::PAYMENT).await.unwrap();
        tx.fact(Item::PaymentResult(PaymentResult {
            payment: split.tenders[1].payment,
            attempt: 1,
            outcome: PaymentOutcome::Captured,
            amount_minor: 6_900,
            tender: Tender::Card,
            provider: Provider::Stripe,
            reference: "pi_1".to_owned(),
            detail: String::new(),
        }));
        tx.commit().await.unwrap();
        trade(&mut berlin, &site, vec![Item::Refund(card_back.clone())]).await;
        let even = closed(
            9,
            Count {
                counted: &[(5_000, 1)],
                expected_minor: 5_000,
                reason: "",
                number: 1,
                former: [0; 32],
                report: DayReport::default(),
            },
        );
        let even = CashClosed {
            left_minor: 0,
            ..even
        };
        let items = vec![opened(9, 2, 5_000), Item::CashClosed(even)];
        trade(&mut hamburg, &site, items).await;
        Self {
            site,
            first,
            card: split.tenders[1].payment,
            cash_refund: cash_back.id,
            card_refund: card_back.id,
            receipt: split.id,
        }
    }

    async fn said(&self, attempt: u16, outcome: RepaymentOutcome) {
        let hub = self.site.world.hub.clone();
        let mut tx = hub.begin(Actor::SYSTEM, command::PAYMENT).await.unwrap();
        let moved = outcome == RepaymentOutcome::Repaid;
        tx.fact(Item::RepaymentResult(RepaymentResult {
            repayment: RepaymentId::from_bytes(id(0x79, 4)),
            payment: self.card,
            attempt,
            outcome,
            amount_minor: if moved { 6_900 } else { 0 },
            tender: Tender::Card,
            provider: Provider::Stripe,
            reference: "re_1".to_owned(),
            detail: if outcome == RepaymentOutcome::Failed {
                "the account is closed".to_owned()
            } else {
                String::new()
            },
        }));
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn sessions_of_all_branches_are_listed_and_narrowed() {
    let tills = Tills::open().await;
    let browser = Browser::new(&tills.site, Role::CentralManager, &[]).await;
    let all = browser.get("/money/cash").await.text;
    for words in ["BER-Z-A000001", "BER-Z-A000002", "HAM-Z-A000001"] {
        assert!(all.contains(words), "{words}: {all}");
    }
    assert!(all.contains("−2.00") && all.contains("a roll of coins was short"));
    assert!(all.contains("777.00"), "the open one has its float");
    let part = browser.part("/money/cash").await.text;
    assert!(part.starts_with("<div id=\"cash\""), "{part}");

    let differs = browser.get("/money/cash?kind=differs").await.text;
    assert!(differs.contains("BER-Z-A000001"));
    assert!(!differs.contains("BER-Z-A000002") && !differs.contains("HAM-Z-A000001"));
    let open = browser.get("/money/cash?kind=open").await.text;
    assert!(open.contains("777.00") && !open.contains("-Z-A"));
    let hamburg = browser.get("/money/cash?branch=HAM").await.text;
    assert!(hamburg.contains("HAM-Z-A000001") && !hamburg.contains("BER-Z"));
    let day = browser.get(&format!("/money/cash?day={DAY}")).await.text;
    assert!(day.contains("BER-Z-A000002") && !day.contains("777.00"));
    let other = browser.get("/money/cash?day=2024-10-05").await.text;
    assert!(other.contains("No cash session fits"), "{other}");
    let overview = browser.get("/money").await.text;
    assert!(overview.contains("href=\"/money/cash?branch=BER\""));

    for (path, words) in [
        ("/money/cash?day=yesterday", "as in 2026-11-22"),
        ("/money/cash?day=2024-02-30", "as in 2026-11-22"),
        ("/money/cash?kind=odd", "open or differs"),
        ("/money/cash?branch=NOPE", "branch"),
        ("/money/cash.csv?day=yesterday", "as in 2026-11-22"),
        ("/money/refunds?day=yesterday", "as in 2026-11-22"),
        ("/money/receipts?session=odd", "id of a cash session"),
    ] {
        let refused = browser.get(path).await;
        assert_eq!(refused.status, 422, "{path}");
        assert!(refused.text.contains(words), "{path}: {}", refused.text);
    }
    let cursor = browser.get("/money/cash?cursor=odd").await;
    assert!(cursor.status.is_client_error(), "{}", cursor.status);
}

#[tokio::test]
async fn a_session_says_how_its_drawer_adds_up_and_keeps_an_open_count_blind() {
    let tills = Tills::open().await;
    let browser = Browser::new(&tills.site, Role::CentralManager, &[]).await;
    let path = |n| format!("/money/cash/{}", session(n));
    let page = browser.get(&path(1)).await.text;
    // Float, cash taken, given back, put in, taken out, expected, counted.
    for amount in [
        ">100.00<", ">75.00<", ">25.00<", ">5.00<", ">30.00<", ">125.00<", ">123.00<",
    ] {
        assert!(page.contains(amount), "{amount}: {page}");
    }
    assert!(page.contains("EUR 2.00 too little") && page.contains("a roll of coins was short"));
    assert!(page.contains("to the bank") && page.contains("coins"));
    assert!(page.contains(">20.00<") && page.contains("EUR 119.00"));
    assert!(page.contains("the first of its chain"));
    assert!(page.contains(&format!("/money/receipts?session={}", session(1))));
    let hash = hex(&tills.first.hash(&encode_body(&tills.first)));
    assert!(page.contains(&hash), "its own hash");
    assert!(!page.contains("The day report says"), "it adds up");

    let second = browser.get(&path(2)).await.text;
    assert!(second.contains("carries the hash of BER-Z-A000001") && second.contains(&hash));
    assert!(second.contains(&path(1)) && second.contains("The count is what should be there"));

    let open = browser.get(&path(3)).await.text;
    assert!(open.contains("EUR 777.00") && open.contains("The count is blind"));
    assert!(!open.contains("should be there</span>"), "{open}");

    let of_it = format!("/money/receipts?session={}", session(1));
    let receipts = browser.get(&of_it).await.text;
    assert!(receipts.contains("BER-R-A000001") && receipts.contains("BER-R-A000002"));
    assert!(receipts.contains("Of cash session BER-Z-A000001"));
    let none = browser
        .get(&format!("/money/receipts?session={}", session(2)))
        .await;
    assert!(none.text.contains("No receipt fits"), "{}", none.text);
    let receipt = format!("/money/receipts/{}", tills.receipt);
    let receipt = browser.get(&receipt).await.text;
    assert!(receipt.contains(&path(1)), "a receipt leads to its session");

    let world = &tills.site.world;
    let hashes =
        "update payments.session set hash = decode(repeat('ab', 32), 'hex') where number = 1";
    assert_eq!(world.execute(hashes).await, 2);
    let broken = browser.get(&path(2)).await.text;
    assert!(broken.contains("does not carry the hash of BER-Z-A000001"));
    let first = browser.get(&path(1)).await.text;
    assert!(first.contains("its bytes are not what its hash says"));
    let gone = "update payments.session set number = 7 where number = 1 and counted_minor = 12300";
    assert_eq!(world.execute(gone).await, 1);
    let missing = browser.get(&path(2)).await.text;
    assert!(missing.contains("the one before, BER-Z-A000001, is not here"));
    let lost = "delete from payments.cash_move where direction = 'out'";
    assert_eq!(world.execute(lost).await, 1);
    let off = browser.get(&path(1)).await.text;
    assert!(
        off.contains("EUR 125.00 should be there") && off.contains("come to EUR 155.00"),
        "{off}"
    );
}

#[tokio::test]
async fn cash_is_a_table_and_an_answer_of_the_api_too_and_branches_see_their_own() {
    let tills = Tills::open().await;
    let browser = Browser::new(&tills.site, Role::CentralManager, &[]).await;
    let table = browser.get("/money/cash.csv?branch=BER").await.text;
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 4, "{table}");
    assert!(rows[0].starts_with("number,branch,till,business_date,opened_at"));
    let first = rows.iter().find(|row| row.starts_with("BER-Z-A000001"));
    let first = first.unwrap();
    assert!(
        first.contains(",EUR,100.00,125.00,123.00,-2.00,a roll of coins was short,"),
        "{first}"
    );
    assert!(first.contains(",2024-10-04,"), "{first}");

    let central = tills.site.person(Role::CentralManager, &[]).await;
    let all = central.list("/api/v1/cash-sessions").await;
    assert_eq!(all.len(), 4);
    let page = central.get("/api/v1/cash-sessions?limit=2").await.with(200);
    let next = page["next_cursor"].as_str().unwrap();
    let rest = central
        .get(&format!("/api/v1/cash-sessions?limit=2&cursor={next}"))
        .await
        .with(200);
    let ids = |page: &serde_json::Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|one| one["id"].to_string()).collect()
    };
    let mut both = ids(&page);
    both.extend(ids(&rest));
    both.sort();
    both.dedup();
    assert_eq!(both.len(), 4);
    let differs = central.list("/api/v1/cash-sessions?state=differs").await;
    assert_eq!(differs.len(), 1);
    assert_eq!(differs[0]["report"]["difference"]["amount_minor"], -200);
    assert_eq!(differs[0]["report"]["business_date"], DAY);
    let open = central.list("/api/v1/cash-sessions?state=open").await;
    assert!(open.len() == 1 && open[0]["report"].is_null(), "{open:?}");
    let day = format!("/api/v1/cash-sessions?business_date={DAY}&branch=HAM");
    assert_eq!(central.list(&day).await.len(), 1);
    for bad in ["business_date=odd", "state=odd", "branch=NOPE"] {
        let path = format!("/api/v1/cash-sessions?{bad}");
        central.get(&path).await.problem(422);
    }
    let path = format!("/api/v1/cash-sessions/{}", session(1));
    let one = central.get(&path).await.with(200);
    assert_eq!(one["movements"][0]["reason"], "to the bank");
    assert_eq!(one["counted"][2]["pieces"], 3);
    assert_eq!(one["tenders"][1]["amount"]["amount_minor"], 6_900);
    assert_eq!((&one["receipts"], &one["refunds"]), (&2.into(), &1.into()));
    let hash = hex(&tills.first.hash(&encode_body(&tills.first))).replace(' ', "");
    assert_eq!(one["hash"], hash);
    let second = format!("/api/v1/cash-sessions/{}", session(2));
    assert_eq!(central.get(&second).await.with(200)["former_hash"], hash);

    let manager = Browser::new(&tills.site, Role::BranchManager, &["HAM"]).await;
    let list = manager.get("/money/cash").await.text;
    assert!(
        list.contains("HAM-Z-A000001") && !list.contains("BER-Z"),
        "{list}"
    );
    let table = manager.get("/money/cash.csv").await.text;
    assert_eq!(table.lines().count(), 2, "{table}");
    let foreign = format!("/money/cash/{}", session(1));
    assert_eq!(manager.get(&foreign).await.status, 404);
    let foreign = format!("/money/refunds/{}", tills.card_refund);
    assert_eq!(manager.get(&foreign).await.status, 404);
    let refunds = manager.get("/money/refunds").await.text;
    assert!(refunds.contains("Nothing was given back yet"));
    let api = tills.site.person(Role::BranchManager, &["HAM"]).await;
    assert_eq!(api.list("/api/v1/cash-sessions").await.len(), 1);
    api.get(&path).await.problem(404);
    let operator = Browser::new(&tills.site, Role::Operator, &[]).await;
    for page in ["/money/cash", "/money/cash.csv"] {
        assert_eq!(operator.get(page).await.status, 403, "{page}");
    }
}

#[tokio::test]
async fn what_was_given_back_is_listed_with_where_the_money_stands() {
    let tills = Tills::open().await;
    let browser = Browser::new(&tills.site, Role::CentralManager, &[]).await;
    let list = browser.get("/money/refunds").await.text;
    assert!(list.contains("No refund waits for a word"));
    assert!(list.contains("BER-R-A000003") && list.contains("BER-R-A000004"));
    assert!(list.contains("given at the counter") && list.contains("waits to be asked"));
    let day = format!("/money/refunds?branch=BER&day={DAY}");
    assert!(browser.get(&day).await.text.contains("BER-R-A000003"));
    for other in ["branch=HAM", "day=2024-10-05"] {
        let none = browser.get(&format!("/money/refunds?{other}")).await.text;
        assert!(none.contains("No refund fits"), "{other}: {none}");
    }

    let path = format!("/money/refunds/{}", tills.card_refund);
    let page = browser.get(&path).await.text;
    assert!(page.contains("BER-R-A000004") && page.contains("EUR 119.00"));
    assert!(page.contains("gone for good") && page.contains("Work 1"));
    assert!(page.contains("nothing comes back"));
    assert!(page.contains(&format!("/money/payments/{}", tills.card)));
    assert!(page.contains(&format!("/money/receipts/{}", tills.receipt)));
    assert!(page.contains(&format!("/money/cash/{}", session(3))));
    assert!(page.contains("given at the counter") && page.contains("waits to be asked"));
    tills.said(1, RepaymentOutcome::Asked).await;
    let page = browser.get(&path).await.text;
    assert!(page.contains("asked, on its way"), "{page}");
    tills.said(1, RepaymentOutcome::Failed).await;
    let page = browser.get(&path).await.text;
    assert!(page.contains("did not go back") && page.contains("the account is closed"));
    tills.said(2, RepaymentOutcome::Repaid).await;
    let page = browser.get(&path).await.text;
    assert!(page.contains("went back") && !page.contains("did not go back"));

    let receipt = format!("/money/receipts/{}", tills.receipt);
    assert!(browser.get(&receipt).await.text.contains(&path));
    let payment = format!("/money/payments/{}", tills.card);
    assert!(browser.get(&payment).await.text.contains(&path));
    let cash = format!("/money/refunds/{}", tills.cash_refund);
    assert!(browser.get(&cash).await.text.contains("EUR 25.00"));
    let none = format!("/money/refunds/{}", RefundId::from_bytes([9; 16]));
    assert_eq!(browser.get(&none).await.status, 404);
}
