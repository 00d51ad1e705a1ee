//! A refund: pieces of a receipt's lines come back, and the money goes back the way it came.
//!
//! Tax is rounded on the sum of lines, so a refund is what the receipt comes to less what is left of it; pieces given
//! back one by one come to exactly what was paid.

use super::receipt::totals_of;
use super::series::check_series;
use super::{MAX_LINES, MAX_TENDERS, Receipt, ReceiptLineKind, Tender, TillError};
use crate::code::codes;
use crate::id::{BranchId, LineId, PaymentId, ReceiptId, RefundId, RepaymentId, SessionId};
use crate::ledger::{MoneyAccount, Posting};
use crate::money::{Currency, MoneyError, check_amount};
use crate::order::RateTotal;
use crate::text::{self, REASON_MAX};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

codes! {
    /// Where goods go that come back.
    pub enum Goods as "place of goods" {
        /// Nothing comes back: work, a fee, or a part that the customer keeps.
        Stay = 1 "stay",
        /// Back on the shelf.
        Shelf = 2 "shelf",
        /// Thrown away.
        Scrap = 3 "scrap",
        /// Back to the supplier.
        Supplier = 4 "supplier",
    }
}

/// Pieces of one line that are given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundLine {
    /// The line of the receipt.
    pub line: LineId,
    /// Pieces.
    pub quantity: u32,
    /// Where they go.
    pub goods: Goods,
}

/// Money that goes back the way it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundTender {
    /// Its id, drawn at random; the provider's keys come from it.
    pub id: RepaymentId,
    /// The tender of the receipt.
    pub payment: PaymentId,
    /// With what.
    pub tender: Tender,
    /// How much, above zero.
    pub amount_minor: i64,
}

/// A refund: the body of item kind 81, whose field order never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// The receipt.
    pub receipt: ReceiptId,
    /// The till that wrote it.
    pub register: u16,
    /// The cash session; needed for cash.
    pub session: Option<SessionId>,
    /// The letter of its series, which is the receipts'.
    pub series: u8,
    /// Its number in the series.
    pub number: u32,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// What comes back.
    pub lines: Vec<RefundLine>,
    /// What it comes to per tax rate, lowest first.
    pub rates: Vec<RateTotal>,
    /// Deposits given back.
    pub deposits_minor: i64,
    /// How the money goes back.
    pub tenders: Vec<RefundTender>,
    /// Why.
    pub reason: String,
}

/// A refund above what its writer may give waits for somebody who may: the body of item kind 82.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundAsked {
    /// The refund that it becomes.
    pub id: RefundId,
    /// The receipt.
    pub receipt: ReceiptId,
    /// The currency.
    pub currency: Currency,
    /// What comes back.
    pub lines: Vec<RefundLine>,
    /// What it comes to.
    pub amount_minor: i64,
    /// Why.
    pub reason: String,
}

/// The word on it: the body of item kind 90, written by the hub only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundDecided {
    /// The refund that was asked for.
    pub refund: RefundId,
    /// The branch that asked.
    pub branch: BranchId,
    /// Yes or no.
    pub approved: bool,
    /// Why.
    pub reason: String,
}

impl RefundAsked {
    /// Whether it is well formed.
    pub fn check_form(&self) -> Result<(), TillError> {
        if self.lines.is_empty() || self.lines.len() > MAX_LINES {
            return Err(TillError::Lines);
        }
        check_amount(self.amount_minor)?;
        text::required_line(&self.reason, REASON_MAX)?;
        Ok(())
    }
}

impl RefundDecided {
    /// Whether it is well formed.
    pub fn check_form(&self) -> Result<(), TillError> {
        text::clean_line(&self.reason, REASON_MAX)?;
        Ok(())
    }
}

/// What a refund comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RefundTotals {
    /// Goods and work per tax rate, lowest first.
    pub rates: Vec<RateTotal>,
    /// Deposits.
    pub deposits_minor: i64,
    /// All that goes back.
    pub amount_minor: i64,
}

/// What was given back of a receipt before: pieces by line and money by tender.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EarlierRefunds {
    pieces: BTreeMap<LineId, u32>,
    money: BTreeMap<PaymentId, i64>,
}

impl EarlierRefunds {
    /// What these refunds of one receipt gave back.
    pub fn of<'a>(refunds: impl IntoIterator<Item = &'a Refund>) -> Self {
        let mut earlier = Self::default();
        for refund in refunds {
            for line in &refund.lines {
                let pieces = earlier.pieces.entry(line.line).or_default();
                *pieces = pieces.saturating_add(line.quantity);
            }
            for tender in &refund.tenders {
                let money = earlier.money.entry(tender.payment).or_default();
                *money = money.saturating_add(tender.amount_minor);
            }
        }
        earlier
    }

    /// Pieces of a line that were given back.
    pub fn pieces(&self, line: LineId) -> u32 {
        self.pieces.get(&line).copied().unwrap_or_default()
    }

    /// Money of a tender that was given back.
    pub fn money(&self, payment: PaymentId) -> i64 {
        self.money.get(&payment).copied().unwrap_or_default()
    }
}

impl RefundTotals {
    /// What giving these pieces of a receipt back comes to, after what was given back before.
    pub fn of(
        receipt: &Receipt,
        earlier: &EarlierRefunds,
        lines: &[RefundLine],
    ) -> Result<Self, TillError> {
        let mut now: BTreeMap<LineId, u32> = BTreeMap::new();
        for refund in lines {
            let line = receipt
                .line(refund.line)
                .filter(|line| line.kind.is_priced() || line.kind == ReceiptLineKind::Deposit)
                .ok_or(TillError::UnknownLine(refund.line))?;
            if refund.goods != Goods::Stay && line.part.is_none() {
                return Err(TillError::Goods(refund.line));
            }
            let pieces = now.entry(refund.line).or_default();
            *pieces = pieces.saturating_add(refund.quantity);
            let left = line.quantity.saturating_sub(earlier.pieces(line.id));
            if refund.quantity == 0 || *pieces > left {
                let line = refund.line;
                return Err(TillError::Returned { line, left });
            }
        }
        let given_back = |with_now: bool| {
            totals_of(receipt.lines.iter().map(|line| {
                let now = now.get(&line.id).copied().filter(|_| with_now);
                let pieces = earlier.pieces(line.id).saturating_add(now.unwrap_or(0));
                (line, pieces)
            }))
        };
        let (before, after) = (given_back(false)?, given_back(true)?);
        Self::difference(&before.rates, &after.rates, {
            after.deposits_minor - before.deposits_minor
        })
    }

    fn difference(
        before: &[RateTotal],
        after: &[RateTotal],
        deposits_minor: i64,
    ) -> Result<Self, TillError> {
        let rates: Vec<RateTotal> = after
            .iter()
            .map(|rate| {
                let old = before.iter().find(|old| old.tax_bp == rate.tax_bp);
                let less = |new: i64, old: Option<i64>| new - old.unwrap_or(0);
                RateTotal {
                    tax_bp: rate.tax_bp,
                    net_minor: less(rate.net_minor, old.map(|old| old.net_minor)),
                    tax_minor: less(rate.tax_minor, old.map(|old| old.tax_minor)),
                    gross_minor: less(rate.gross_minor, old.map(|old| old.gross_minor)),
                }
            })
            .filter(|rate| rate.gross_minor != 0 || rate.tax_minor != 0)
            .collect();
        let goods: i64 = rates.iter().map(|rate| rate.gross_minor).sum();
        let amount_minor = goods + deposits_minor;
        check_amount(amount_minor)?;
        Ok(Self {
            rates,
            deposits_minor,
            amount_minor,
        })
    }
}

/// A tender that money can go back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refundable {
    /// The tender, of the receipt or of a deposit that it used.
    pub payment: PaymentId,
    /// With what.
    pub tender: Tender,
    /// What came of it and was not given back.
    pub left_minor: i64,
}

/// Spreads what goes back over the tenders it came with, the last first, at most what is left of each: what a person
/// would do without thinking. The person may spread it otherwise.
pub fn split_to_tenders(
    tenders: &[Refundable],
    amount_minor: i64,
) -> Result<Vec<(PaymentId, Tender, i64)>, TillError> {
    let mut rest = amount_minor;
    let mut split = Vec::new();
    for from in tenders.iter().rev() {
        let part = rest.min(from.left_minor).max(0);
        if part > 0 {
            split.push((from.payment, from.tender, part));
            rest -= part;
        }
    }
    if rest > 0 {
        let left_minor = amount_minor - rest;
        return Err(TillError::Overpaid { left_minor });
    }
    Ok(split)
}

impl Refund {
    /// Whether the refund is well formed: its rates add up, and its tenders come to them. What it says of the receipt
    /// is held against the receipt by whoever has it.
    pub fn check_form(&self) -> Result<(), TillError> {
        check_series(self.series, self.number)?;
        if self.lines.is_empty() || self.lines.len() > MAX_LINES {
            return Err(TillError::Lines);
        }
        if self.tenders.len() > MAX_TENDERS {
            return Err(TillError::Tenders);
        }
        let ids: BTreeSet<RepaymentId> = self.tenders.iter().map(|tender| tender.id).collect();
        if ids.len() < self.tenders.len() {
            return Err(TillError::Twice);
        }
        for (number, tender) in (1..).zip(&self.tenders) {
            let why = "has an amount out of range";
            if tender.amount_minor <= 0 || check_amount(tender.amount_minor).is_err() {
                return Err(TillError::Tender { number, why });
            }
            let why = "is cash, which needs an open cash session";
            if tender.tender == Tender::Cash && self.session.is_none() {
                return Err(TillError::Tender { number, why });
            }
        }
        text::required_line(&self.reason, REASON_MAX)?;
        let due_minor = self.amount()?;
        let tendered = self.tenders.iter().map(|one| i128::from(one.amount_minor));
        let tendered_minor =
            i64::try_from(tendered.sum::<i128>()).map_err(|_| MoneyError::Range)?;
        if due_minor == tendered_minor {
            Ok(())
        } else {
            Err(TillError::Unequal {
                due_minor,
                tendered_minor,
            })
        }
    }

    /// All that goes back. Fails where its rates do not add up.
    pub fn amount(&self) -> Result<i64, MoneyError> {
        let mut sum = i128::from(self.deposits_minor);
        for rate in &self.rates {
            if i128::from(rate.net_minor) + i128::from(rate.tax_minor)
                != i128::from(rate.gross_minor)
            {
                return Err(MoneyError::Range);
            }
            sum += i128::from(rate.gross_minor);
        }
        let sum = i64::try_from(sum).map_err(|_| MoneyError::Range)?;
        check_amount(sum).map(|()| sum)
    }

    /// What it does to the ledger. Cash and account are given back at once; card and bank are due until they went.
    pub fn postings(&self) -> Vec<Posting> {
        use MoneyAccount::{Counter, Deposits, RefundsDue, Revenue, Tax};
        let net = self.rates.iter().map(|rate| rate.net_minor).sum();
        let tax = self.rates.iter().map(|rate| rate.tax_minor).sum();
        let mut postings = vec![
            Posting::new(Counter, Revenue, net),
            Posting::new(Counter, Tax, tax),
            Posting::new(Counter, Deposits, self.deposits_minor),
        ];
        for tender in &self.tenders {
            let from = if tender.tender.is_asked_for() {
                RefundsDue
            } else {
                tender.tender.account()
            };
            postings.push(Posting::new(from, Counter, tender.amount_minor));
        }
        postings.into_iter().flatten().collect()
    }
}
