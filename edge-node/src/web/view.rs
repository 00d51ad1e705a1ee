//! What a page of the branch is seen through: the words, the clock and the money of this place on this screen.

use domain::money::Money;
use web_kit::{Language, Problem, Screen, WallClock};

use crate::api::{Caller, EdgeState};

/// One page as one person sees it now.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// The place's time, dates and numbers.
    pub(crate) clock: WallClock,
    /// What the screen prefers.
    pub(crate) screen: Screen,
}

impl View {
    /// The view of a caller.
    pub(crate) async fn of(state: &EdgeState, who: &Caller) -> Result<Self, Problem> {
        Self::on(state, who.screen()).await
    }

    /// The view on a screen where nobody is signed in.
    pub(crate) async fn on(state: &EdgeState, screen: Screen) -> Result<Self, Problem> {
        let settings = state.store().read(|reader| reader.settings()).await?;
        let place = Language::of_tag(&settings.language).unwrap_or_default();
        let clock = WallClock::new(
            &settings.time_zone,
            state.store().env().now_ms(),
            screen.language_or(place),
        );
        Ok(Self { clock, screen })
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
