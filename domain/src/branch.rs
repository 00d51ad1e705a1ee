//! A branch: a shop of the chain, item kind 32.
//!
//! Its code is part of the numbers that people read, so it never changes once orders have it.

use crate::money::Currency;
use crate::problem::{FieldProblem, Problems};
use crate::text::{self, ADDRESS_MAX, NAME_MAX, NOTE_MAX};
use serde::{Deserialize, Serialize};

/// A point on earth in 10^-7 degrees (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// North, ±90 degrees.
    pub latitude_e7: i32,
    /// East, ±180 degrees.
    pub longitude_e7: i32,
}

impl Location {
    /// A point from degrees; `None` outside the globe or for no number.
    pub fn from_degrees(latitude: f64, longitude: f64) -> Option<Self> {
        let on_globe = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        on_globe.then(|| Self {
            latitude_e7: (latitude * 1e7).round() as i32,
            longitude_e7: (longitude * 1e7).round() as i32,
        })
    }

    /// Degrees north.
    pub fn latitude(&self) -> f64 {
        f64::from(self.latitude_e7) / 1e7
    }

    /// Degrees east.
    pub fn longitude(&self) -> f64 {
        f64::from(self.longitude_e7) / 1e7
    }

    /// Whether it lies on the globe.
    pub const fn is_valid(&self) -> bool {
        self.latitude_e7.unsigned_abs() <= 900_000_000
            && self.longitude_e7.unsigned_abs() <= 1_800_000_000
    }
}

/// A branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchRow {
    /// Two to six capital letters or digits; begins every number.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its region, which shares one availability feed.
    pub region: String,
    /// Its address.
    pub address: String,
    /// Where it lies.
    pub location: Option<Location>,
    /// An IANA time zone, such as `Europe/Berlin`.
    pub time_zone: String,
    /// The currency of its prices.
    pub currency: Currency,
    /// How many orders it can have open; 0 for no limit known.
    pub capacity: u32,
    /// Whether its prices include tax.
    pub prices_include_tax: bool,
    /// Whether it is open for business.
    pub active: bool,
    /// When it is open, for receipts; empty for the company's.
    pub opening_hours: String,
    /// The language of its pages and papers, such as `de`.
    pub language: String,
}

impl BranchRow {
    /// The row with its texts cleaned, or what is wrong with it. That the time zone exists is for the caller to know.
    pub fn validate(mut self) -> Result<Self, Vec<FieldProblem>> {
        let mut problems = Problems::new();
        self.code = problems.take("/code", text::clean_code(&self.code));
        self.name = problems.take("/name", text::required_line(&self.name, NAME_MAX));
        self.region = problems.take("/region", text::clean_line(&self.region, NAME_MAX));
        self.address = problems.take("/address", text::clean_block(&self.address, ADDRESS_MAX));
        self.time_zone = problems.take("/time_zone", text::required_line(&self.time_zone, 64));
        self.opening_hours = problems.take(
            "/opening_hours",
            text::clean_block(&self.opening_hours, NOTE_MAX),
        );
        self.language = problems.take("/language", text::clean_language(&self.language));
        let located = self.location.is_none_or(|location| location.is_valid());
        problems.check(located, "/location", "must lie on the globe");
        problems.check(
            self.capacity <= 1_000_000,
            "/capacity",
            "must be from 0 to 1000000",
        );
        problems.finish(self)
    }
}
