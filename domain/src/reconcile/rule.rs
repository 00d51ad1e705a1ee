//! The written rules: what each check compares, when it is red and amber, and how it is mended.

use super::Check;
use crate::code::codes;

codes! {
    /// What a person does about a check that is not green.
    pub enum Mend as "way to mend" {
        /// Verify the hub in full, and take what is missing from the branch or a backup.
        Verify = 1 "verify",
        /// Count the part at the branch.
        Count = 2 "count",
        /// Settle the transfer.
        Transfer = 3 "transfer",
        /// Move the amount in the ledger by a correction with a reason.
        Correct = 4 "correct",
        /// Say which payment a line of the statement belongs to.
        Match = 5 "match",
        /// Take or call off the promise.
        Promise = 6 "promise",
        /// Decide the refund, or give back.
        Refund = 7 "refund",
        /// Invoice the order at the branch.
        Invoice = 8 "invoice",
        /// Explain it when signing off.
        Explain = 9 "explain",
    }
}

/// What a check holds against what, and what its colours mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The check.
    pub check: Check,
    /// What is compared.
    pub compares: &'static str,
    /// When it is red.
    pub red: &'static str,
    /// When it is amber.
    pub amber: &'static str,
    /// What to do.
    pub mend: Mend,
    /// The same in words.
    pub how: &'static str,
}

impl Check {
    /// Its written rule.
    pub const fn rule(self) -> &'static Rule {
        match self {
            Self::Log => &LOG,
            Self::Documents => &DOCUMENTS,
            Self::Tables => &TABLES,
            Self::Stock => &STOCK,
            Self::Transit => &TRANSIT,
            Self::Reserved => &RESERVED,
            Self::Cash => &CASH,
            Self::Ledger => &LEDGER,
            Self::Payments => &PAYMENTS,
            Self::Promises => &PROMISES,
            Self::Refunds => &REFUNDS,
            Self::Numbers => &NUMBERS,
            Self::Orders => &ORDERS,
        }
    }
}

const LOG: Rule = Rule {
    check: Check::Log,
    compares: "the branch's log at the hub, block by block up to its tip; the newest signed head; the branch's clock",
    red: "a transaction is missing, a block does not read or does not chain, the branch's word is not where it stood, a \
          signed head is forged or not countersigned, or the clock was more than a day off",
    amber: "no head was signed yet, or the clock ran more than ten minutes ahead",
    mend: Mend::Verify,
    how: "verify the hub in full; take the missing transactions from the branch or from a backup; put the clock right",
};
const DOCUMENTS: Rule = Rule {
    check: Check::Documents,
    compares: "count and digest of the branch's documents as the branch closed its day and as the hub had them at the \
               same place of the log; hashes of a sample against their heads",
    red: "they differ though the branch had everything the hub sent, or a document's hash is not that of its heads",
    amber: "they differ while entries were on their way to the branch",
    mend: Mend::Verify,
    how: "compare the documents of both sides by their digests; what the branch lacks is sent again when it reads its \
          feed from the start",
};
const TABLES: Rule = Rule {
    check: Check::Tables,
    compares: "balances with the sum of their entries; of a sample the payments with their records and the receipts of \
               the day with their entries",
    red: "a row is not what its records come to",
    amber: "never",
    mend: Mend::Verify,
    how: "verify the hub in full and rebuild the table from the logs",
};
const STOCK: Rule = Rule {
    check: Check::Stock,
    compares: "pieces and movements of every part as the branch closed its day and as the hub's ledger has them at the \
               same place of the log; pieces on hand with the sum of their movements",
    red: "they differ",
    amber: "a part is below zero",
    mend: Mend::Count,
    how: "count the part at the branch, which books the difference",
};
const TRANSIT: Rule = Rule {
    check: Check::Transit,
    compares: "pieces between branches with the transfers that own them, and with what left and arrived",
    red: "pieces are on their way for no transfer, the sums differ, more arrived than left, or pieces were looked for in \
          vain or are three times overdue and nobody settled it",
    amber: "a shipment is overdue",
    mend: Mend::Transfer,
    how: "look into the transfer and settle it",
};
const RESERVED: Rule = Rule {
    check: Check::Reserved,
    compares: "pieces set aside of every part with its open reservations",
    red: "they differ",
    amber: "never",
    mend: Mend::Verify,
    how: "verify the hub in full and rebuild the table from the logs",
};
const CASH: Rule = Rule {
    check: Check::Cash,
    compares: "what was counted with what should have been there, and that with float, receipts, refunds and moves; each \
               day report with the one before",
    red: "what should have been there is not what the records come to, a difference has no reason, or a day report does \
          not carry the hash of the one before",
    amber: "a difference with a reason, or a session that is still open",
    mend: Mend::Explain,
    how: "the difference is booked with its reason; close the session; explain it when signing off",
};
const LEDGER: Rule = Rule {
    check: Check::Ledger,
    compares: "the branch's balances as it closed its day with the hub's entries of the same place of the log",
    red: "an account differs, or the accounts of a currency do not come to zero",
    amber: "never",
    mend: Mend::Correct,
    how: "find the paper that one side lacks; put the amount right by a correction with a reason",
};
const PAYMENTS: Rule = Rule {
    check: Check::Payments,
    compares: "what was captured and given back with the lines of the provider's statement, and payouts with their lines",
    red: "a capture is missing on the statement for too long, or comes to another amount or currency; more was captured \
          than asked for; a line belongs to no payment; a payout is not the sum of its lines",
    amber: "never",
    mend: Mend::Match,
    how: "ask the provider about the payment, or say which payment a line belongs to",
};
const PROMISES: Rule = Rule {
    check: Check::Promises,
    compares: "card payments that are asked for and not captured with the branch's limit and age",
    red: "more is promised than the branch may",
    amber: "a promise is older than it may be",
    mend: Mend::Promise,
    how: "have the card captured, take the money another way, or call it off",
};
const REFUNDS: Rule = Rule {
    check: Check::Refunds,
    compares: "what was given back of each payment with what was captured",
    red: "more was given back than came",
    amber: "a refund waits for a decision, or for the provider for too long",
    mend: Mend::Refund,
    how: "decide the refund; ask the provider about what waits",
};
const NUMBERS: Rule = Rule {
    check: Check::Numbers,
    compares: "numbers of receipts and day reports of every series, from 1 to the last that the branch gave",
    red: "a number is missing without an incident, or two papers have it",
    amber: "a number is missing and an incident says why",
    mend: Mend::Explain,
    how: "find the paper; explain the gap when signing off",
};
const ORDERS: Rule = Rule {
    check: Check::Orders,
    compares: "orders that were collected with their invoices; orders that are imported owe nothing",
    red: "an order that costs something was collected and not invoiced",
    amber: "open orders are past their promise",
    mend: Mend::Invoice,
    how: "invoice the order at the branch",
};

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::*;

    #[test]
    fn every_check_has_its_own_rule() {
        for check in Check::ALL {
            let rule = check.rule();
            assert_eq!(rule.check, *check);
            assert!(!rule.red.is_empty() && !rule.amber.is_empty() && !rule.how.is_empty());
        }
    }
}
