//! What the double holds: objects as Stripe shows them, in the order in which they came.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::answer::{Refusal, Reply};
use super::fault::Fault;
use super::form::Params;
use super::keys::Keys;

/// The version that its objects are shaped after.
pub(super) const API_VERSION: &str = "2026-10-28.endive";
const PAGE: usize = 10;
const PAGE_MAX: i64 = 100;

/// Everything.
#[derive(Debug)]
pub(super) struct World {
    pub(super) base: String,
    pub(super) fee_bp: i64,
    pub(super) fee_fixed: i64,
    objects: BTreeMap<&'static str, BTreeMap<String, Value>>,
    counters: BTreeMap<&'static str, u64>,
    /// In which payout a balance transaction went.
    pub(super) paid_out: BTreeMap<String, String>,
    pub(super) keys: Keys,
    pub(super) faults: Vec<Fault>,
    /// What the next refunds become, where not `succeeded`.
    pub(super) next_refunds: Vec<String>,
    /// Milliseconds since 1970, where the control plane stopped the clock.
    pub(super) clock_ms: Option<i64>,
    /// How long a new payment intent stays unknown to the search.
    pub(super) search_lag_ms: i64,
    /// Events that wait for the courier.
    pub(super) news: Vec<Value>,
    /// What was called, newest last.
    pub(super) calls: Vec<Value>,
}

/// Kinds of objects by the beginning of their ids.
const KINDS: [(&str, &str); 11] = [
    ("price_", "price"),
    ("plink_", "payment_link"),
    ("cs_", "checkout.session"),
    ("pi_", "payment_intent"),
    ("ch_", "charge"),
    ("tmr_", "terminal.reader"),
    ("re_", "refund"),
    ("txn_", "balance_transaction"),
    ("po_", "payout"),
    ("evt_", "event"),
    ("prod_", "product"),
];

/// What of the world outlives its process. Faults, calls and a clock that was stopped do not.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    objects: BTreeMap<String, BTreeMap<String, Value>>,
    counters: BTreeMap<String, u64>,
    paid_out: BTreeMap<String, String>,
    keys: Keys,
}

/// Beginnings of ids that have a counter and stand for no object.
const OTHER_IDS: [&str; 1] = ["req_"];

/// The kind of an object by its id.
fn kind_of(id: &str) -> Option<&'static str> {
    let known = KINDS.iter().find(|(prefix, _)| id.starts_with(prefix));
    known.map(|(_, kind)| *kind)
}

impl World {
    pub(super) fn new(base: String, fee_bp: i64, fee_fixed: i64) -> Self {
        Self {
            base,
            fee_bp,
            fee_fixed,
            objects: BTreeMap::new(),
            counters: BTreeMap::new(),
            paid_out: BTreeMap::new(),
            keys: Keys::default(),
            faults: Vec::new(),
            next_refunds: Vec::new(),
            clock_ms: None,
            search_lag_ms: 0,
            news: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// What is to be kept, as JSON.
    pub(super) fn saved(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&json!({
            "objects": self.objects, "counters": self.counters, "paid_out": self.paid_out, "keys": self.keys,
        }))
    }

    /// Takes what was kept; kinds that it does not know are left out.
    pub(super) fn restore(&mut self, saved: Saved) {
        for (kind, objects) in saved.objects {
            let known = KINDS.iter().find(|(_, name)| *name == kind);
            if let Some((_, kind)) = known {
                self.objects.insert(kind, objects);
            }
        }
        for (prefix, count) in saved.counters {
            let prefixes = KINDS.iter().map(|(prefix, _)| *prefix);
            let known = prefixes.chain(OTHER_IDS).find(|known| *known == prefix);
            if let Some(prefix) = known {
                self.counters.insert(prefix, count);
            }
        }
        self.paid_out = saved.paid_out;
        self.keys = saved.keys;
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock_ms.unwrap_or_else(system_ms)
    }

    pub(super) fn now_s(&self) -> i64 {
        self.now_ms() / 1_000
    }

    /// A new id; ids of one kind sort as they came.
    pub(super) fn next_id(&mut self, prefix: &'static str) -> String {
        let counter = self.counters.entry(prefix).or_default();
        *counter += 1;
        format!("{prefix}fake{counter:010}")
    }

    /// Keeps an object under its id.
    pub(super) fn put(&mut self, object: Value) -> Value {
        let id = text(&object, "id");
        if let Some(kind) = kind_of(&id) {
            self.objects
                .entry(kind)
                .or_default()
                .insert(id, object.clone());
        }
        object
    }

    pub(super) fn find(&self, id: &str) -> Option<&Value> {
        self.objects.get(kind_of(id)?)?.get(id)
    }

    /// An object of one kind.
    pub(super) fn get(&self, kind: &str, id: &str) -> Result<Value, Refusal> {
        self.objects
            .get(kind)
            .and_then(|objects| objects.get(id))
            .cloned()
            .ok_or_else(|| Refusal::unknown_id(kind, id))
    }

    /// Changes fields of an object; gives it as it is now.
    pub(super) fn set(&mut self, id: &str, fields: Value) -> Value {
        let mut object = self.find(id).cloned().unwrap_or_default();
        if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
            object.extend(fields);
        }
        self.put(object)
    }

    /// All objects of a kind, newest first.
    pub(super) fn all(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects
            .get(kind)
            .into_iter()
            .flat_map(|objects| objects.values().rev())
    }

    /// A page of what is left of a kind.
    pub(super) fn list(
        &self,
        kind: &str,
        params: Params<'_>,
        path: &str,
        keep: impl Fn(&Value) -> bool,
    ) -> Reply {
        let limit = params.integer("limit")?.unwrap_or(PAGE as i64);
        if !(1..=PAGE_MAX).contains(&limit) {
            return Err(Refusal::invalid(
                "parameter_invalid_integer",
                "Limit must be between 1 and 100",
            )
            .with("param", "limit"));
        }
        let limit = usize::try_from(limit).unwrap_or(PAGE);
        let after = params.text("starting_after");
        if let Some(after) = after {
            self.get(kind, after)?;
        }
        let within = within(params)?;
        let mut left = self
            .all(kind)
            .filter(|object| keep(object) && within(number(object, "created")))
            .filter(|object| after.is_none_or(|after| text(object, "id").as_str() < after));
        let data: Vec<Value> = left.by_ref().take(limit).cloned().collect();
        let has_more = left.next().is_some();
        Ok(json!({ "object": "list", "url": path, "has_more": has_more, "data": data }))
    }

    /// Tells the world outside.
    pub(super) fn tell(&mut self, kind: &str, object: &Value) {
        let event = json!({
            "id": self.next_id("evt_"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now_s(),
            "data": { "object": object },
            "livemode": false,
            "pending_webhooks": 1,
            "request": { "id": null, "idempotency_key": null },
            "type": kind,
        });
        let event = self.put(event);
        self.news.push(event);
    }

    /// Everything, for a person or a test.
    pub(super) fn shown(&self) -> Value {
        let mut shown: Map<String, Value> = self
            .objects
            .iter()
            .map(|(kind, objects)| {
                let objects: Vec<&Value> = objects.values().collect();
                ((*kind).to_owned(), json!(objects))
            })
            .collect();
        shown.insert("paid_out".to_owned(), json!(self.paid_out));
        shown.insert("faults".to_owned(), json!(self.faults.len()));
        shown.insert("calls".to_owned(), json!(self.calls));
        shown.into()
    }
}

/// `created` as a moment or a range.
fn within(params: Params<'_>) -> Result<impl Fn(i64) -> bool + use<>, Refusal> {
    let at = params.integer("created")?;
    let bound = |name: &str| params.integer(&format!("created/{name}"));
    let (gte, gt, lte, lt) = (bound("gte")?, bound("gt")?, bound("lte")?, bound("lt")?);
    Ok(move |created: i64| {
        at.is_none_or(|at| created == at)
            && gte.is_none_or(|bound| created >= bound)
            && gt.is_none_or(|bound| created > bound)
            && lte.is_none_or(|bound| created <= bound)
            && lt.is_none_or(|bound| created < bound)
    })
}

fn system_ms() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// A field as text; empty where it is none.
pub(super) fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_default().to_owned()
}

/// A field as a number; 0 where it is none.
pub(super) fn number(object: &Value, field: &str) -> i64 {
    object[field].as_i64().unwrap_or_default()
}
