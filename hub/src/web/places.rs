//! Branches as pages name them: by name, with the state of their lines.

use domain::id::BranchId;
use domain::money::Currency;
use web_kit::Problem;

use crate::api::HubState;
use crate::app::branch::{LinkState, list};
use crate::store::scope::Scope;

/// Branches at most on one page.
const MOST: i64 = 500;

/// One branch.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Its id.
    pub(crate) id: BranchId,
    /// Its code.
    pub(crate) code: String,
    /// Its name.
    pub(crate) name: String,
    /// Its region.
    pub(crate) region: String,
    /// The currency of its prices.
    pub(crate) currency: Currency,
    /// Degrees north and east.
    pub(crate) location: Option<(f64, f64)>,
    /// Whether it works on its own now.
    pub(crate) is_cut_off: bool,
    /// When it was last heard.
    pub(crate) heard_ms: Option<i64>,
    /// Whether it is open for business.
    pub(crate) is_active: bool,
}

/// Something to choose in a list.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    /// What the form sends.
    pub(crate) value: String,
    /// What the person reads.
    pub(crate) label: String,
    /// Whether it is chosen.
    pub(crate) selected: bool,
}

impl Choice {
    /// A choice.
    pub(crate) fn new(value: impl Into<String>, label: impl Into<String>, chosen: &str) -> Self {
        let value = value.into();
        Self {
            selected: value == chosen,
            value,
            label: label.into(),
        }
    }
}

/// Every branch of the chain, by region and code.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places(Vec<Place>);

impl Places {
    /// Reads the branches.
    pub(crate) async fn of(state: &HubState) -> Result<Self, Problem> {
        let states = list(state.hub(), &Scope::Chain, None, MOST).await?;
        let mut places: Vec<Place> = states
            .into_iter()
            .map(|branch| {
                let fields = branch.record.fields;
                Place {
                    id: branch.record.id,
                    code: fields.code,
                    name: fields.name,
                    region: fields.region,
                    currency: fields.currency,
                    location: fields.location.map(|at| (at.latitude(), at.longitude())),
                    is_cut_off: branch.link.state == LinkState::CutOff,
                    heard_ms: branch.link.last_contact_ms,
                    is_active: fields.active,
                }
            })
            .collect();
        places.sort_by(|a, b| (&a.region, &a.code).cmp(&(&b.region, &b.code)));
        Ok(Self(places))
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Place] {
        &self.0
    }

    /// The branch with this code.
    pub(crate) fn get(&self, code: &str) -> Option<&Place> {
        self.0.iter().find(|place| place.code == code)
    }

    /// The branch's name; its code where it is not known.
    pub(crate) fn name<'a>(&'a self, code: &'a str) -> &'a str {
        self.get(code).map_or(code, |place| &place.name)
    }

    /// Whether the branch works on its own now.
    pub(crate) fn is_cut_off(&self, code: &str) -> bool {
        self.get(code).is_some_and(|place| place.is_cut_off)
    }

    /// The open branches to choose from, behind `first` for none.
    pub(crate) fn choices(&self, chosen: &str, first: &str) -> Vec<Choice> {
        let all = self.0.iter().filter(|place| place.is_active);
        std::iter::once(Choice::new("", first, chosen))
            .chain(all.map(|place| {
                let label = format!("{} · {}", place.name, place.code);
                Choice::new(place.code.clone(), label, chosen)
            }))
            .collect()
    }

    /// The same with only those where somebody works.
    pub(crate) fn choices_of(&self, scope: &Scope, chosen: &str, first: &str) -> Vec<Choice> {
        let mine = self.0.iter().filter(|place| scope.allows(place.id));
        Self(mine.cloned().collect()).choices(chosen, first)
    }

    /// The currency that most branches have.
    pub(crate) fn currency(&self) -> Currency {
        let count = |currency: Currency| {
            let same = self.0.iter().filter(|place| place.currency == currency);
            same.count()
        };
        let all = self.0.iter().map(|place| place.currency);
        all.max_by_key(|currency| count(*currency))
            .unwrap_or(Currency::EUR)
    }
}
