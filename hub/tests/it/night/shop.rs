//! A branch that trades honestly: cash and cards, goods, orders; it knows its own ledger and closes its day with it.

use domain::cash::{CashClosed, CashOpened, Counted, DayReport};
use domain::day::{AccountBalance, DayClosed, LastNumber, SettlementKind, SettlementLine};
use domain::document::DocumentKind;
use domain::id::{
    BranchId, DocumentId, EventId, LineId, PaymentId, ReceiptId, RefundId, RepaymentId, SessionId,
    StaffId,
};
use domain::ledger::{Balances, Posting};
use domain::money::Currency;
use domain::order::{
    LineInput, LineKind, Outcome, RateTotal, Status, add_line, move_status, read_order,
};
use domain::payment::{PaymentOutcome, PaymentResult, Provider};
use domain::stock::MovementKind;
use domain::till::{
    CardWay, Goods, PaperKind, Receipt, ReceiptLine, ReceiptLineKind, Refund, RefundLine,
    RefundTender, Tender, TenderLine,
};
use hub::app::Actor;
use jiff::civil::date;
use jiff::tz::TimeZone;
use sync_protocol::block::LogEntry;
use sync_protocol::feed::FeedId;
use sync_protocol::hash::digest_of_documents;
use sync_protocol::head::{StockBalance, stock_digest};
use sync_protocol::item::{Item, command, encode_body};

use super::Hand;
use crate::support::{TestBranch, World, part};

pub const FLOAT: i64 = 10_000;
pub const CARD: i64 = 6_900;
pub const CASH: i64 = 5_000;
pub const FEE: i64 = 230;

/// The branch and what it knows.
pub struct Shop {
    pub branch: TestBranch,
    pub zone: TimeZone,
    pub day: i32,
    pub ledger: Balances,
    pub receipts: u32,
    pub reports: u32,
    pub former: [u8; 32],
    pub session: SessionId,
    pub in_drawer: i64,
    /// Lies that the next word tells.
    pub lie: Option<fn(&mut DayClosed)>,
    /// What the count is off, and why.
    pub miscount: (i64, String),
    pub last_receipt: Option<Receipt>,
    pub last_card: PaymentId,
    pub order: DocumentId,
    hour_ms: i64,
}

impl Shop {
    pub fn new(branch: TestBranch, zone: &str) -> Self {
        Self {
            branch,
            zone: TimeZone::get(zone).unwrap(),
            day: 0,
            ledger: Balances::default(),
            receipts: 0,
            reports: 0,
            former: [0; 32],
            session: SessionId::NIL,
            in_drawer: 0,
            lie: None,
            miscount: (0, String::new()),
            last_receipt: None,
            last_card: PaymentId::NIL,
            order: DocumentId::NIL,
            hour_ms: 0,
        }
    }

    pub fn id(&self) -> BranchId {
        self.branch.branch
    }

    /// The first millisecond of an hour of the day, by the shop's wall clock.
    pub fn at(&self, hour: i8) -> i64 {
        let day = date(1970, 1, 1)
            .checked_add(jiff::ToSpan::days(self.day))
            .unwrap();
        let zoned = day.at(hour, 0, 0, 0).to_zoned(self.zone.clone()).unwrap();
        zoned.timestamp().as_millisecond()
    }

    pub fn clock(&mut self, at_ms: i64) {
        self.hour_ms = at_ms;
        self.branch.hlc = self.branch.hlc.max((at_ms as u64) << 16);
        self.branch.business_day = self.day;
    }

    fn tx(&mut self, items: Vec<Item>) -> LogEntry {
        self.branch.hlc += 1;
        self.branch.tx(items)
    }

    fn book(&mut self, postings: &[Posting]) {
        for posting in postings {
            self.ledger.add(posting);
        }
    }

    pub async fn send(&mut self, world: &World, items: Vec<Item>) {
        let entry = self.tx(items);
        self.branch.send(&world.hub, vec![entry]).await;
    }

    /// The day begins: the session, and goods on the shelf.
    pub async fn begin(&mut self, world: &World, day: i32) {
        self.day = day;
        self.clock(self.at(9));
        self.session = SessionId::from_random(&mut self.branch.entropy);
        let opened = CashOpened {
            id: self.session,
            register: 1,
            currency: Currency::EUR,
            float_minor: FLOAT,
        };
        self.in_drawer = FLOAT;
        self.book(&opened.postings().into_iter().collect::<Vec<_>>());
        let receive = self.branch.movement(part(1), MovementKind::Receive, 5);
        self.send(world, vec![Item::CashOpened(opened), receive])
            .await;
    }

    /// A receipt with cash and, where above zero, a card.
    pub fn receipt(&mut self, cash: i64, card: i64) -> Receipt {
        self.receipts += 1;
        let entropy = &mut self.branch.entropy;
        let mut tenders = Vec::new();
        let mut tender = |tender, amount, way| {
            if amount > 0 {
                tenders.push(TenderLine {
                    payment: PaymentId::from_random(entropy),
                    tender,
                    amount_minor: amount,
                    given_minor: amount,
                    way,
                });
            }
        };
        tender(Tender::Cash, cash, None);
        tender(Tender::Card, card, Some(CardWay::Link));
        Receipt {
            id: ReceiptId::from_random(&mut self.branch.entropy),
            register: 1,
            session: Some(self.session),
            series: b'A',
            number: self.receipts,
            customer: None,
            currency: Currency::EUR,
            lines: vec![ReceiptLine {
                id: LineId::from_random(&mut self.branch.entropy),
                kind: ReceiptLineKind::Service,
                order: None,
                part: None,
                text: "Screen replaced".to_owned(),
                quantity: 1,
                unit_minor: cash + card,
                tax_bp: 1900,
                includes_tax: true,
            }],
            tenders,
        }
    }

    /// Takes money.
    pub async fn take(&mut self, world: &World, receipt: Receipt) {
        self.book(&receipt.postings().unwrap());
        for tender in &receipt.tenders {
            match tender.tender {
                Tender::Cash => self.in_drawer += tender.amount_minor,
                _ => self.last_card = tender.payment,
            }
        }
        self.last_receipt = Some(receipt.clone());
        self.send(world, vec![Item::Receipt(receipt)]).await;
    }

    /// Takes money many times, in one sending.
    pub async fn take_many(&mut self, world: &World, receipts: Vec<Receipt>) {
        let mut entries = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            self.book(&receipt.postings().unwrap());
            let cash = receipt
                .tenders
                .iter()
                .filter(|one| one.tender == Tender::Cash);
            self.in_drawer += cash.map(|one| one.amount_minor).sum::<i64>();
            entries.push(self.tx(vec![Item::Receipt(receipt)]));
        }
        self.branch.send(&world.hub, entries).await;
    }

    /// A day's trade: a receipt with a card that is captured, an order that is invoiced, a refund in cash.
    pub async fn trade(&mut self, world: &World, hand: &Hand) {
        self.clock(self.at(11));
        hand.set(self.hour_ms);
        let receipt = self.receipt(CASH, CARD);
        self.take(world, receipt).await;
        capture(world, self.last_card, 1, CARD).await;
        let lines = self.statement(self.last_card, self.hour_ms);
        tell(world, lines).await;
        let use_up = self.branch.movement(part(1), MovementKind::Scrap, 1);
        self.send(world, vec![use_up]).await;
        self.clock(self.at(13));
        hand.set(self.hour_ms);
        self.order = self.collect(world, true).await;
        self.clock(self.at(14));
        self.give_back(world, 1_000).await;
    }

    /// What the provider says of a capture: the charge, the payout of the same day and the line in it.
    pub fn statement(&self, payment: PaymentId, at_ms: i64) -> Vec<SettlementLine> {
        let name = payment.to_string();
        let charge = SettlementLine {
            provider: Provider::Stripe,
            reference: format!("txn_{name}"),
            kind: SettlementKind::Charge,
            branch: self.id(),
            payment: Some(payment),
            repayment: None,
            payout: String::new(),
            amount_minor: CARD,
            fee_minor: FEE,
            currency: Currency::EUR,
            at_ms,
        };
        let whole = SettlementLine {
            reference: format!("po_{name}"),
            kind: SettlementKind::Payout,
            branch: BranchId::NIL,
            payment: None,
            payout: format!("po_{name}"),
            amount_minor: CARD - FEE,
            fee_minor: 0,
            ..charge.clone()
        };
        let member = SettlementLine {
            reference: format!("po_{name}/txn_{name}"),
            branch: self.id(),
            payment: Some(payment),
            ..whole.clone()
        };
        vec![charge, whole, member]
    }

    /// An order from intake to collection, invoiced or not.
    pub async fn collect(&mut self, world: &World, is_invoiced: bool) -> DocumentId {
        let (order, intake) = self.branch.new_order(None);
        self.send(world, vec![intake]).await;
        let view = read_order(self.branch.documents[&order].automerge()).unwrap();
        let line = LineInput {
            id: LineId::from_random(&mut self.branch.entropy),
            kind: LineKind::Service,
            text: "Cleaned".to_owned(),
            sku: None,
            part: None,
            quantity: 1,
            unit_minor: 2_000,
            tax_bp: 1900,
        };
        let edits = add_line(&view, &line).unwrap();
        let add = self.branch.edit(order, DocumentKind::Order, &edits);
        self.send(world, vec![add]).await;
        for (to, outcome) in [
            (Status::InRepair, None),
            (Status::Ready, Some(Outcome::Repaired)),
        ] {
            self.move_order(world, order, to, outcome).await;
        }
        if is_invoiced {
            let mut receipt = self.receipt(2_000, 0);
            receipt.lines[0].order = Some(order);
            receipt.lines[0].id = line.id;
            self.take(world, receipt).await;
        }
        self.move_order(world, order, Status::Collected, None).await;
        order
    }

    async fn move_order(
        &mut self,
        world: &World,
        order: DocumentId,
        to: Status,
        outcome: Option<Outcome>,
    ) {
        let view = read_order(self.branch.documents[&order].automerge()).unwrap();
        let event = EventId::from_random(&mut self.branch.entropy);
        let edits = move_status(&view, to, outcome, event, StaffId::NIL, self.hour_ms).unwrap();
        let item = self.branch.edit(order, DocumentKind::Order, &edits);
        self.send(world, vec![item]).await;
    }

    /// Sells something for so much in cash and takes it back.
    pub async fn give_back(&mut self, world: &World, amount: i64) {
        let receipt = self.receipt(amount, 0);
        self.take(world, receipt.clone()).await;
        self.receipts += 1;
        let totals = receipt.totals().unwrap();
        let rates: Vec<RateTotal> = totals.rates;
        let refund = Refund {
            id: RefundId::from_random(&mut self.branch.entropy),
            receipt: receipt.id,
            register: 1,
            session: Some(self.session),
            series: b'A',
            number: self.receipts,
            currency: Currency::EUR,
            lines: vec![RefundLine {
                line: receipt.lines[0].id,
                quantity: 1,
                goods: Goods::Stay,
            }],
            rates,
            deposits_minor: 0,
            tenders: vec![RefundTender {
                id: RepaymentId::from_random(&mut self.branch.entropy),
                payment: receipt.tenders[0].payment,
                tender: Tender::Cash,
                amount_minor: amount,
            }],
            reason: "changed their mind".to_owned(),
        };
        self.book(&refund.postings());
        self.in_drawer -= amount;
        self.send(world, vec![Item::Refund(refund)]).await;
    }

    /// Closes the drawer.
    pub async fn close_drawer(&mut self, world: &World) {
        self.close_drawer_with(world, |_| {}).await;
    }

    pub async fn close_drawer_with(&mut self, world: &World, change: impl FnOnce(&mut CashClosed)) {
        self.reports += 1;
        let (off, reason) = std::mem::take(&mut self.miscount);
        let counted = self.in_drawer + off;
        let mut closed = CashClosed {
            session: self.session,
            counted: vec![Counted {
                value_minor: 1,
                pieces: u32::try_from(counted).unwrap(),
            }],
            expected_minor: self.in_drawer,
            left_minor: 0,
            reason,
            series: b'A',
            number: self.reports,
            former: self.former,
            report: DayReport::default(),
        };
        change(&mut closed);
        self.former = closed.hash(&encode_body(&closed));
        self.book(&closed.postings().unwrap());
        self.send(world, vec![Item::CashClosed(closed)]).await;
    }

    /// The day ends: the drawer, the word, a signed head.
    pub async fn close(&mut self, world: &World, hand: &Hand) {
        self.clock(self.at(20));
        hand.set(self.hour_ms + 1_000);
        self.close_drawer(world).await;
        self.say(world).await;
    }

    /// The branch's word and its signed head.
    pub async fn say(&mut self, world: &World) {
        let mut word = self.word(world).await;
        if let Some(lie) = self.lie.take() {
            lie(&mut word);
        }
        self.send(world, vec![Item::DayClosed(word)]).await;
        self.sign(world).await;
    }

    pub async fn sign(&mut self, world: &World) {
        let head = self.branch.signed_head();
        let said = world.hub.check_head(self.branch.node, &head).await.unwrap();
        assert!(said.is_some(), "the hub countersigns");
    }

    pub async fn word(&mut self, world: &World) -> DayClosed {
        let hub = &world.hub;
        let feed = self.branch.feed(hub, FeedId::private(self.id())).await;
        let hashes = self.branch.documents.values().map(|one| one.hash());
        let balances: Vec<StockBalance> = self
            .branch
            .balances
            .iter()
            .map(|(part, (on_hand, movements))| StockBalance {
                part: *part,
                on_hand: *on_hand,
                movements: *movements,
            })
            .collect();
        let numbers = [
            (PaperKind::Receipt, self.receipts),
            (PaperKind::DayReport, self.reports),
        ];
        DayClosed {
            business_day: self.day,
            currency: Currency::EUR,
            feed: feed.len() as u64,
            documents: self.branch.documents.len() as u64,
            documents_digest: digest_of_documents(hashes.collect()),
            parts: balances.len() as u64,
            stock_digest: stock_digest(balances),
            balances: self
                .ledger
                .iter()
                .map(|(account, balance_minor)| AccountBalance {
                    account,
                    balance_minor,
                })
                .collect(),
            numbers: numbers
                .into_iter()
                .map(|(kind, number)| LastNumber {
                    kind,
                    series: b'A',
                    number,
                })
                .collect(),
            open_sessions: 0,
            open_orders: 0,
        }
    }
}

/// The hub hears of a capture.
pub async fn capture(world: &World, payment: PaymentId, attempt: u16, amount: i64) {
    let result = PaymentResult {
        payment,
        attempt,
        outcome: PaymentOutcome::Captured,
        amount_minor: amount,
        tender: Tender::Card,
        provider: Provider::Stripe,
        reference: format!("pi_{payment}"),
        detail: String::new(),
    };
    tell_items(world, vec![Item::PaymentResult(result)]).await;
}

/// The hub takes lines of a statement.
pub async fn tell(world: &World, lines: Vec<SettlementLine>) {
    tell_items(world, lines.into_iter().map(Item::SettlementLine).collect()).await;
}

pub async fn tell_items(world: &World, items: Vec<Item>) {
    let hub = &world.hub;
    let mut tx = hub.begin(Actor::SYSTEM, command::PAYMENT).await.unwrap();
    for item in items {
        tx.fact(item);
    }
    tx.commit().await.unwrap();
}
