//! The checks of a night: each reads its figures and hands them to the rule.

mod cash;
mod documents;
mod ledger;
mod log;
mod numbers;
mod orders;
mod payments;
mod promises;
mod refunds;
mod reserved;
mod stock;
mod tables;
mod transit;

use domain::reconcile::{BusinessDay, Check, DAY_MS, Outcome, Patience};

use super::run::LOOK_BACK_DAYS;
use crate::app::Hub;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::reconciliation::day::{NightBranch, Word};
use crate::store::reconciliation::goods;
use crate::store::reconciliation::payments::Stretch;

/// What every check of one night of one branch stands on.
pub(super) struct Ground<'a> {
    pub hub: &'a Hub,
    pub branch: &'a NightBranch,
    pub day: BusinessDay,
    pub patience: Patience,
    /// The branch's word; none while it is not there.
    pub word: Option<Word>,
}

impl Ground<'_> {
    fn stretch(&self) -> Stretch {
        Stretch {
            since_ms: self.day.start_ms - LOOK_BACK_DAYS * DAY_MS,
            end_ms: self.day.end_ms,
        }
    }
}

/// All checks, in their order. Without the branch's word only what tells why; of what belongs to no branch only the
/// statements.
pub(super) async fn run_checks(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
) -> Result<Vec<(Check, Outcome)>, HubError> {
    if ground.branch.id.is_nil() {
        let outcome = payments::check(sql, ground).await?;
        return Ok(vec![(Check::Payments, outcome)]);
    }
    let Some(word) = &ground.word else {
        let outcome = log::without_word(sql, ground).await?;
        return Ok(outcome
            .map(|outcome| (Check::Log, outcome))
            .into_iter()
            .collect());
    };
    let sums = goods::sums(sql, word).await?;
    let mut outcomes = Vec::with_capacity(Check::ALL.len());
    for check in Check::ALL {
        let outcome = match check {
            Check::Log => log::check(sql, ground, word).await?,
            Check::Documents => documents::check(sql, ground, word).await?,
            Check::Tables => tables::check(sql, ground).await?,
            Check::Stock => stock::check(ground, word, &sums),
            Check::Transit => transit::check(sql, ground, &sums).await?,
            Check::Reserved => reserved::check(sql, ground).await?,
            Check::Cash => cash::check(sql, ground).await?,
            Check::Ledger => ledger::check(sql, ground, word).await?,
            Check::Payments => payments::check(sql, ground).await?,
            Check::Promises => promises::check(sql, ground, word).await?,
            Check::Refunds => refunds::check(sql, ground).await?,
            Check::Numbers => numbers::check(sql, ground, word).await?,
            Check::Orders => orders::check(sql, ground).await?,
        };
        outcomes.push((*check, outcome));
    }
    Ok(outcomes)
}
