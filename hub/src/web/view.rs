//! What a page of the hub is seen through: the words, the clock and the numbers of most branches on this screen.

use domain::money::Money;
use web_kit::{Language, Problem, Screen, WallClock};

use crate::api::{Caller, HubState};
use crate::app::branch::usual_place;
use crate::app::reconcile::show_day;

/// One page as one person sees it now.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// Time, dates and numbers.
    pub(crate) clock: WallClock,
    /// What the screen prefers.
    pub(crate) screen: Screen,
}

impl View {
    /// The view of a caller.
    pub(crate) async fn of(state: &HubState, who: &Caller) -> Result<Self, Problem> {
        let place = usual_place(state.hub()).await?;
        let (zone, language) = place.unwrap_or_else(|| ("UTC".to_owned(), "en".to_owned()));
        let language = who
            .screen
            .language_or(Language::of_tag(&language).unwrap_or_default());
        Ok(Self {
            clock: WallClock::new(&zone, state.hub().env().now_ms(), language),
            screen: who.screen,
        })
    }

    /// How long ago, where that is known.
    pub(crate) fn age(&self, at_ms: Option<i64>) -> String {
        at_ms.map(|at_ms| self.clock.age(at_ms)).unwrap_or_default()
    }

    /// When, where that is known.
    pub(crate) fn when(&self, at_ms: Option<i64>) -> String {
        at_ms
            .map(|at_ms| self.clock.when(at_ms))
            .unwrap_or_default()
    }

    /// A business day in short: `19 Nov`.
    pub(crate) fn business_day(&self, day: i32) -> String {
        let text = show_day(day);
        text.parse::<jiff::civil::Date>()
            .map_or(text, |date| self.clock.date(date))
    }

    /// A count with its thousands apart.
    pub(crate) fn count(&self, count: u64) -> String {
        self.clock.number(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// The language of the words.
    pub(crate) const fn language(&self) -> Language {
        self.clock.language()
    }

    /// An amount inside a column: without its currency.
    pub(crate) fn amount(&self, money: Money) -> String {
        self.clock
            .amount(money.amount_minor, money.currency.minor_digits())
    }

    /// An amount that stands alone.
    pub(crate) fn full_amount(&self, money: Money) -> String {
        format!("{} {}", money.currency.as_str(), self.amount(money))
    }
}
