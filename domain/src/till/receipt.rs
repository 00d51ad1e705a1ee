//! A receipt: what was sold or invoiced, what was taken off, and with what it was paid.

use super::series::check_series;
use super::{CardWay, MAX_LINES, MAX_TENDERS, Tender, TillError};
use crate::code::codes;
use crate::id::{DocumentId, LineId, PartId, PaymentId, ReceiptId, SessionId};
use crate::ledger::{MoneyAccount, Posting};
use crate::money::{Currency, MoneyError, TaxRate, check_amount};
use crate::order::{LineKind, OrderView, RateTotal, add_up};
use crate::quantity::MAX_QUANTITY;
use crate::text::{self, LINE_TEXT_MAX};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

codes! {
    /// What a line of a receipt is.
    pub enum ReceiptLineKind as "kind of line" {
        /// Work.
        Service = 1 "service",
        /// A part: of an order, or from the shelf.
        Part = 2 "part",
        /// A charge.
        Fee = 3 "fee",
        /// Counted off.
        Discount = 4 "discount",
        /// Paid before the order is invoiced.
        Deposit = 5 "deposit",
        /// A deposit that an invoice uses up; counted off.
        DepositOff = 6 "deposit_off",
        /// What a customer owed and pays now.
        Claim = 7 "claim",
    }
}

impl ReceiptLineKind {
    /// Whether it is money taken for an order that is invoiced later, or its use.
    pub const fn is_deposit(self) -> bool {
        matches!(self, Self::Deposit | Self::DepositOff)
    }

    /// Whether it is what something costs; deposits and claims are not, and have no tax of their own.
    pub const fn is_priced(self) -> bool {
        !matches!(self, Self::Deposit | Self::DepositOff | Self::Claim)
    }
}

impl From<LineKind> for ReceiptLineKind {
    fn from(kind: LineKind) -> Self {
        match kind {
            LineKind::Service => Self::Service,
            LineKind::Part => Self::Part,
            LineKind::Fee => Self::Fee,
            LineKind::Discount => Self::Discount,
        }
    }
}

/// A line of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptLine {
    /// Its id; of an invoiced order the line's own.
    pub id: LineId,
    /// What it is.
    pub kind: ReceiptLineKind,
    /// The order that is invoiced or that the deposit is for.
    pub order: Option<DocumentId>,
    /// The part.
    pub part: Option<PartId>,
    /// What it says.
    pub text: String,
    /// Pieces, 1 to 1,000,000.
    pub quantity: u32,
    /// Price of one piece, never below zero.
    pub unit_minor: i64,
    /// Tax rate in basis points.
    pub tax_bp: u32,
    /// Whether the price includes the tax.
    pub includes_tax: bool,
}

impl ReceiptLine {
    /// Pieces times price; below zero where it is counted off.
    pub(super) fn amount(&self, quantity: u32) -> i128 {
        let amount = i128::from(quantity) * i128::from(self.unit_minor);
        match self.kind {
            ReceiptLineKind::Discount | ReceiptLineKind::DepositOff => -amount,
            _ => amount,
        }
    }

    /// Whether pieces leave the shelf by this receipt.
    pub const fn is_retail(&self) -> bool {
        matches!(self.kind, ReceiptLineKind::Part) && self.order.is_none()
    }

    fn flaw(&self) -> Option<&'static str> {
        if self.quantity == 0 || i64::from(self.quantity) > MAX_QUANTITY {
            return Some("has a quantity that is not from 1 to 1000000");
        }
        if self.unit_minor < 0 || check_amount(self.unit_minor).is_err() {
            return Some("has a price out of range");
        }
        if TaxRate::new(self.tax_bp).is_err() {
            return Some("has a tax rate above 100 %");
        }
        if (self.kind == ReceiptLineKind::Part) != self.part.is_some() {
            return Some("names a part and is none, or is one and names none");
        }
        if self.kind.is_deposit() && self.order.is_none() {
            return Some("is a deposit and names no order");
        }
        if !self.kind.is_priced() && self.tax_bp != 0 {
            return Some("is a deposit or a claim, which has no tax");
        }
        if text::required_line(&self.text, LINE_TEXT_MAX).is_err() {
            return Some("has no text, or one that cannot be");
        }
        None
    }
}

/// One way in which a receipt is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderLine {
    /// Its id, drawn at random; the provider's keys come from it.
    pub payment: PaymentId,
    /// With what.
    pub tender: Tender,
    /// How much of what is due, above zero.
    pub amount_minor: i64,
    /// What was handed over: of cash at least the amount, else the amount.
    pub given_minor: i64,
    /// Of a card: how it is asked.
    pub way: Option<CardWay>,
}

impl TenderLine {
    /// What is given back in coins and notes.
    pub const fn change_minor(&self) -> i64 {
        self.given_minor.saturating_sub(self.amount_minor)
    }

    fn flaw(&self) -> Option<&'static str> {
        if self.amount_minor <= 0 || check_amount(self.amount_minor).is_err() {
            return Some("has an amount out of range");
        }
        if check_amount(self.given_minor).is_err() || self.change_minor() < 0 {
            return Some("is given less than its amount");
        }
        if self.tender != Tender::Cash && self.change_minor() != 0 {
            return Some("gives change, which only cash does");
        }
        if (self.tender == Tender::Card) != self.way.is_some() {
            return Some("says how a card is asked and is none, or is one and does not");
        }
        None
    }
}

/// A receipt: the body of item kind 80, whose field order never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Its id.
    pub id: ReceiptId,
    /// The till that wrote it.
    pub register: u16,
    /// The cash session; needed for cash.
    pub session: Option<SessionId>,
    /// The letter of its series.
    pub series: u8,
    /// Its number in the series, from 1 without a gap.
    pub number: u32,
    /// For whom; needed for account.
    pub customer: Option<DocumentId>,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// What for.
    pub lines: Vec<ReceiptLine>,
    /// With what; none where deposits cover all.
    pub tenders: Vec<TenderLine>,
}

/// What a receipt comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ReceiptTotals {
    /// Goods and work without tax.
    pub net_minor: i64,
    /// The tax.
    pub tax_minor: i64,
    /// Goods and work with tax.
    pub gross_minor: i64,
    /// The same per tax rate, lowest first.
    pub rates: Vec<RateTotal>,
    /// Deposits taken.
    pub deposits_minor: i64,
    /// Deposits used up.
    pub deposits_off_minor: i64,
    /// What was owed and is paid.
    pub claims_minor: i64,
    /// To pay: gross, deposits and claims less deposits used up.
    pub due_minor: i64,
}

impl Receipt {
    /// What its lines come to.
    pub fn totals(&self) -> Result<ReceiptTotals, MoneyError> {
        totals_of(self.lines.iter().map(|line| (line, line.quantity)))
    }

    /// Whether the receipt is well formed: it adds up, and its tenders come to what is due. Never whether the till, the
    /// order or the stock allows it.
    pub fn check_form(&self) -> Result<ReceiptTotals, TillError> {
        check_series(self.series, self.number)?;
        if self.lines.is_empty() || self.lines.len() > MAX_LINES {
            return Err(TillError::Lines);
        }
        if self.tenders.len() > MAX_TENDERS {
            return Err(TillError::Tenders);
        }
        let lines: BTreeSet<LineId> = self.lines.iter().map(|line| line.id).collect();
        let payments: BTreeSet<PaymentId> = self.tenders.iter().map(|one| one.payment).collect();
        if lines.len() < self.lines.len() || payments.len() < self.tenders.len() {
            return Err(TillError::Twice);
        }
        for (number, line) in (1..).zip(&self.lines) {
            if let Some(why) = line.flaw() {
                return Err(TillError::Line { number, why });
            }
            if line.kind == ReceiptLineKind::Claim && self.customer.is_none() {
                let why = "is a claim, which needs a customer";
                return Err(TillError::Line { number, why });
            }
        }
        for (number, tender) in (1..).zip(&self.tenders) {
            if let Some(why) = self.tender_flaw(tender) {
                return Err(TillError::Tender { number, why });
            }
        }
        let totals = self.totals()?;
        if totals.due_minor < 0 || totals.deposits_off_minor > totals.gross_minor.max(0) {
            return Err(TillError::DepositOff);
        }
        let tendered = self.tendered()?;
        if tendered != totals.due_minor {
            return Err(TillError::Unequal {
                due_minor: totals.due_minor,
                tendered_minor: tendered,
            });
        }
        Ok(totals)
    }

    fn tender_flaw(&self, tender: &TenderLine) -> Option<&'static str> {
        if tender.tender == Tender::Cash && self.session.is_none() {
            return Some("is cash, which needs an open cash session");
        }
        if tender.tender == Tender::Account && self.customer.is_none() {
            return Some("goes on account, which needs a customer");
        }
        tender.flaw()
    }

    fn tendered(&self) -> Result<i64, MoneyError> {
        let sum = self
            .tenders
            .iter()
            .map(|tender| i128::from(tender.amount_minor))
            .sum::<i128>();
        let sum = i64::try_from(sum).map_err(|_| MoneyError::Range)?;
        check_amount(sum).map(|()| sum)
    }

    /// What it does to the ledger. Of a well-formed receipt `Counter` is empty afterwards.
    pub fn postings(&self) -> Result<Vec<Posting>, MoneyError> {
        use MoneyAccount::{Counter, Deposits, Receivable, Revenue, Tax};
        let totals = self.totals()?;
        let mut postings = vec![
            Posting::new(Revenue, Counter, totals.net_minor),
            Posting::new(Tax, Counter, totals.tax_minor),
            Posting::new(Deposits, Counter, totals.deposits_minor),
            Posting::new(Counter, Deposits, totals.deposits_off_minor),
            Posting::new(Receivable, Counter, totals.claims_minor),
        ];
        for tender in &self.tenders {
            let to = tender.tender.account();
            postings.push(Posting::new(Counter, to, tender.amount_minor));
        }
        Ok(postings.into_iter().flatten().collect())
    }

    /// What its lines about one order come to.
    pub fn share_of(&self, order: DocumentId) -> Result<ReceiptTotals, MoneyError> {
        let lines = self.lines.iter().filter(|line| line.order == Some(order));
        totals_of(lines.map(|line| (line, line.quantity)))
    }

    /// The line with this id.
    pub fn line(&self, id: LineId) -> Option<&ReceiptLine> {
        self.lines.iter().find(|line| line.id == id)
    }
}

/// Adds up pieces of lines: those with tax in their price and those without apart, as each is rounded on its own sum.
pub(super) fn totals_of<'a>(
    lines: impl Iterator<Item = (&'a ReceiptLine, u32)> + Clone,
) -> Result<ReceiptTotals, MoneyError> {
    let mut rates: BTreeMap<u32, RateTotal> = BTreeMap::new();
    for includes_tax in [false, true] {
        let goods = lines
            .clone()
            .filter(|(line, _)| line.kind.is_priced() && line.includes_tax == includes_tax)
            .map(|(line, quantity)| (line.tax_bp, line.amount(quantity)));
        for rate in add_up(goods, includes_tax)?.rates {
            let sum = rates.entry(rate.tax_bp).or_insert(RateTotal {
                tax_bp: rate.tax_bp,
                net_minor: 0,
                tax_minor: 0,
                gross_minor: 0,
            });
            sum.net_minor += rate.net_minor;
            sum.tax_minor += rate.tax_minor;
            sum.gross_minor += rate.gross_minor;
        }
    }
    let of_kind = |kind: ReceiptLineKind| {
        let sum: i128 = lines
            .clone()
            .filter(|(line, _)| line.kind == kind)
            .map(|(line, quantity)| line.amount(quantity).abs())
            .sum();
        i64::try_from(sum)
            .map_err(|_| MoneyError::Range)
            .and_then(|sum| check_amount(sum).map(|()| sum))
    };
    let mut totals = ReceiptTotals {
        deposits_minor: of_kind(ReceiptLineKind::Deposit)?,
        deposits_off_minor: of_kind(ReceiptLineKind::DepositOff)?,
        claims_minor: of_kind(ReceiptLineKind::Claim)?,
        ..ReceiptTotals::default()
    };
    for rate in rates.into_values() {
        totals.net_minor += rate.net_minor;
        totals.tax_minor += rate.tax_minor;
        totals.gross_minor += rate.gross_minor;
        check_amount(totals.gross_minor)?;
        totals.rates.push(rate);
    }
    totals.due_minor = totals.gross_minor + totals.deposits_minor + totals.claims_minor
        - totals.deposits_off_minor;
    check_amount(totals.due_minor).map(|()| totals)
}

/// The lines that invoice an order: its own, and the deposits that they use up. `deposits_minor` is what was taken for
/// the order and not used yet; `off` is the id of the line that takes it off.
pub fn invoice_lines(
    order: DocumentId,
    view: &OrderView,
    deposits_minor: i64,
    off: LineId,
    off_text: &str,
) -> Result<Vec<ReceiptLine>, MoneyError> {
    let mut lines: Vec<ReceiptLine> = view
        .lines
        .iter()
        .map(|line| ReceiptLine {
            id: line.id,
            kind: line.kind.into(),
            order: Some(order),
            part: line.part,
            text: line.text.clone(),
            quantity: u32::try_from(line.quantity).unwrap_or(u32::MAX),
            unit_minor: line.unit_minor.saturating_abs(),
            tax_bp: line.tax_bp,
            includes_tax: view.prices_include_tax,
        })
        .collect();
    let gross = totals_of(lines.iter().map(|line| (line, line.quantity)))?.gross_minor;
    let taken_off = deposits_minor.clamp(0, gross.max(0));
    if taken_off > 0 {
        lines.push(ReceiptLine {
            id: off,
            kind: ReceiptLineKind::DepositOff,
            order: Some(order),
            part: None,
            text: off_text.to_owned(),
            quantity: 1,
            unit_minor: taken_off,
            tax_bp: 0,
            includes_tax: true,
        });
    }
    Ok(lines)
}
