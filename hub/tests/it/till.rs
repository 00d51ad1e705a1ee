//! A till as the hub sees it: the transactions of a day in a branch's log, made without a network.
//!
//! What it writes depends on the branch's seed only, so two hubs can be given the same log.

use domain::cash::{CashClosed, CashDirection, CashMoved, CashOpened, Counted, DayReport};
use domain::id::{
    DocumentId, LineId, PartId, PaymentId, ReceiptId, RefundId, RepaymentId, SessionId,
};
use domain::money::Currency;
use domain::stock::MovementKind;
use domain::till::{
    CardWay, EarlierRefunds, Goods, Receipt, ReceiptLine, ReceiptLineKind, Refund, RefundAsked,
    RefundLine, RefundTender, RefundTotals, Tender, TenderLine,
};
use sync_protocol::block::LogEntry;
use sync_protocol::item::{Item, encode_body};

use crate::support::{TestBranch, part};

const FLOAT: i64 = 10_000;
/// What of every receipt is paid in cash; the rest is paid by card.
const CASH: i64 = 2_000;
/// One receipt in so many is partly given back.
const REFUNDS: u32 = 12;
/// Between so many receipts money goes in or out by hand.
const MOVES: u32 = 50;
/// What one piece of the count is worth.
const COIN: i64 = 100;

/// The till and what it knows.
pub struct Till {
    pub branch: TestBranch,
    pub session: SessionId,
    pub former: [u8; 32],
    numbers: u32,
    reports: u32,
    moves: u32,
    in_drawer: i64,
}

impl Till {
    pub fn new(branch: TestBranch) -> Self {
        Self {
            branch,
            session: SessionId::NIL,
            former: [0; 32],
            numbers: 0,
            reports: 0,
            moves: 0,
            in_drawer: 0,
        }
    }

    /// A cash session with so many receipts in it, a refund now and then, and its count.
    pub fn day(&mut self, receipts: u32) -> Vec<LogEntry> {
        let mut entries = vec![self.open()];
        for number in 1..=receipts {
            let receipt = self.receipt();
            entries.push(self.sale(&receipt));
            if number.is_multiple_of(REFUNDS) {
                let refund = self.refund(&receipt);
                entries.push(self.branch.tx(vec![Item::Refund(refund)]));
            }
            if number.is_multiple_of(MOVES) {
                entries.push(self.put_in());
            }
        }
        entries.push(self.close());
        entries
    }

    pub fn open(&mut self) -> LogEntry {
        self.session = SessionId::from_random(&mut self.branch.entropy);
        self.moves = 0;
        self.in_drawer = FLOAT;
        let opened = self.opened();
        self.branch.tx(vec![opened])
    }

    pub fn opened(&self) -> Item {
        Item::CashOpened(CashOpened {
            id: self.session,
            register: 1,
            currency: Currency::EUR,
            float_minor: FLOAT,
        })
    }

    /// Work, parts and every third time a fee; cash and a card.
    pub fn receipt(&mut self) -> Receipt {
        self.numbers += 1;
        let number = self.numbers;
        let entropy = &mut self.branch.entropy;
        let order = number
            .is_multiple_of(2)
            .then(|| DocumentId::from_random(entropy));
        let mut lines = vec![
            line(ReceiptLineKind::Service, "Screen replaced", 1, 4_900),
            line(ReceiptLineKind::Part, "Cable", 2, 1_250),
        ];
        if number.is_multiple_of(3) {
            lines.push(line(ReceiptLineKind::Fee, "Express", 1, 500));
        }
        for line in &mut lines {
            line.id = LineId::from_random(entropy);
        }
        lines[0].order = order;
        lines[1].part = Some(sold_part(number));
        let gross: i64 = lines
            .iter()
            .map(|line| i64::from(line.quantity) * line.unit_minor)
            .sum();
        let ways = [
            (Tender::Cash, CASH, None),
            (Tender::Card, gross - CASH, Some(CardWay::Reader)),
        ];
        let tenders = ways.map(|(tender, amount_minor, way)| TenderLine {
            payment: PaymentId::from_random(entropy),
            tender,
            amount_minor,
            given_minor: amount_minor,
            way,
        });
        Receipt {
            id: ReceiptId::from_random(entropy),
            register: 1,
            session: Some(self.session),
            series: b'A',
            number,
            customer: None,
            currency: Currency::EUR,
            lines,
            tenders: tenders.to_vec(),
        }
    }

    /// A receipt with what leaves the shelf.
    pub fn sale(&mut self, receipt: &Receipt) -> LogEntry {
        self.in_drawer += CASH;
        let retail = &receipt.lines[1];
        let sold = self.branch.movement_about(
            retail.part.unwrap(),
            MovementKind::Sell,
            i64::from(retail.quantity),
            *receipt.id.as_bytes(),
            *retail.id.as_bytes(),
            0,
        );
        self.branch.tx(vec![Item::Receipt(receipt.clone()), sold])
    }

    /// Gives the parts of a receipt back: the cash, and the rest to the card.
    pub fn refund(&mut self, receipt: &Receipt) -> Refund {
        self.numbers += 1;
        self.in_drawer -= CASH;
        let lines = back_of(receipt);
        let back = RefundTotals::of(receipt, &EarlierRefunds::of([]), &lines).unwrap();
        let amounts = [CASH, back.amount_minor - CASH];
        let entropy = &mut self.branch.entropy;
        let tenders = receipt.tenders.iter().zip(amounts);
        Refund {
            id: RefundId::from_random(entropy),
            receipt: receipt.id,
            register: 1,
            session: Some(self.session),
            series: b'A',
            number: self.numbers,
            currency: Currency::EUR,
            lines,
            rates: back.rates,
            deposits_minor: back.deposits_minor,
            tenders: tenders
                .map(|(tender, amount_minor)| RefundTender {
                    id: RepaymentId::from_random(entropy),
                    payment: tender.payment,
                    tender: tender.tender,
                    amount_minor,
                })
                .collect(),
            reason: "does not fit".to_owned(),
        }
    }

    /// Asks for this refund, which the branch may not give by itself.
    pub fn asked(&mut self, refund: &Refund) -> LogEntry {
        let asked = RefundAsked {
            id: refund.id,
            receipt: refund.receipt,
            currency: refund.currency,
            lines: refund.lines.clone(),
            amount_minor: refund.amount().unwrap(),
            reason: refund.reason.clone(),
        };
        self.branch.tx(vec![Item::RefundAsked(asked)])
    }

    /// Change is put into the drawer by hand.
    pub fn put_in(&mut self) -> LogEntry {
        self.moves += 1;
        self.in_drawer += 5 * COIN;
        let moved = CashMoved {
            session: self.session,
            number: self.moves,
            direction: CashDirection::In,
            amount_minor: 5 * COIN,
            reason: "change".to_owned(),
        };
        self.branch.tx(vec![Item::CashMoved(moved)])
    }

    pub fn close(&mut self) -> LogEntry {
        let closed = self.closed();
        self.former = closed.hash(&encode_body(&closed));
        self.branch.tx(vec![Item::CashClosed(closed)])
    }

    /// The count of the drawer under the next number.
    pub fn closed(&mut self) -> CashClosed {
        self.reports += 1;
        CashClosed {
            session: self.session,
            counted: vec![Counted {
                value_minor: COIN,
                pieces: u32::try_from(self.in_drawer / COIN).unwrap(),
            }],
            expected_minor: self.in_drawer,
            left_minor: 0,
            reason: String::new(),
            series: b'A',
            number: self.reports,
            former: self.former,
            report: DayReport::default(),
        }
    }
}

fn sold_part(number: u32) -> PartId {
    part((number % 40) as u8 + 1)
}

fn line(kind: ReceiptLineKind, text: &str, quantity: u32, unit_minor: i64) -> ReceiptLine {
    ReceiptLine {
        id: LineId::NIL,
        kind,
        order: None,
        part: None,
        text: text.to_owned(),
        quantity,
        unit_minor,
        tax_bp: 1_900,
        includes_tax: true,
    }
}

fn back_of(receipt: &Receipt) -> Vec<RefundLine> {
    vec![RefundLine {
        line: receipt.lines[1].id,
        quantity: receipt.lines[1].quantity,
        goods: Goods::Stay,
    }]
}
