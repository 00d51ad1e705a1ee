//! What there is to ask: every page of the router and every read of the API's description, with addresses that are
//! filled from what the server itself shows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::http::Connection;

/// An address as the router or the description has it, and real ones to ask.
pub struct Target {
    pub name: String,
    pub is_page: bool,
    pub addresses: Vec<String>,
}

/// Most addresses of one target.
const SAMPLES: usize = 64;

/// All of them; those without a real address have none.
pub fn all(page: &mut Connection, api: &mut Connection) -> Vec<Target> {
    let mut found = links(page);
    let ids = Ids::of(api);
    let mut targets = Vec::new();
    for name in edge_node::web::addresses() {
        let mut addresses = matching(name, &mut found);
        if addresses.is_empty() {
            addresses = ids.fill(name);
        }
        targets.push(Target {
            name: name.to_owned(),
            is_page: true,
            addresses,
        });
    }
    let document = api.get("/api/v1/openapi.json").json();
    let paths = document["paths"].as_object().unwrap().clone();
    for (path, methods) in paths {
        let Some(read) = methods.get("get") else {
            continue;
        };
        if path.contains("/exports/") || streams(read) || path == "/healthz" {
            continue;
        }
        targets.push(Target {
            addresses: ids.fill(&path),
            name: path,
            is_page: false,
        });
    }
    targets
}

/// Whether the answer never ends.
fn streams(operation: &Value) -> bool {
    operation["responses"]["200"]["content"]
        .as_object()
        .is_some_and(|content| content.contains_key("text/event-stream"))
}

/// Every address of this server that its pages name, two steps from the start.
fn links(page: &mut Connection) -> BTreeSet<String> {
    let mut seen: BTreeSet<String> = BTreeSet::from(["/".to_owned()]);
    let mut shapes: BTreeMap<String, usize> = BTreeMap::new();
    let mut next = vec!["/".to_owned()];
    for _ in 0..4 {
        let mut later = Vec::new();
        for address in std::mem::take(&mut next) {
            let answer = page.get(&address);
            let text = match answer.header("location") {
                Some(to) => format!("href=\"{to}\""),
                None => answer.text(),
            };
            for attribute in ["href=\"", "hx-get=\"", "action=\""] {
                for rest in text.split(attribute).skip(1) {
                    let address = rest
                        .split('"')
                        .next()
                        .unwrap_or_default()
                        .replace("&#38;", "&")
                        .replace("&amp;", "&");
                    let is_page = address.starts_with('/')
                        && !address.starts_with("/assets")
                        && !address.starts_with("/api");
                    if !is_page || !seen.insert(address.clone()) {
                        continue;
                    }
                    // A few of each shape lead on.
                    let count = shapes.entry(shape(&address)).or_default();
                    *count += 1;
                    if *count <= 3 {
                        later.push(address);
                    }
                }
            }
        }
        next = later;
    }
    seen
}

fn shape(address: &str) -> String {
    let path = address.split('?').next().unwrap_or_default();
    path.split('/')
        .map(|part| {
            if part.chars().any(|c| c.is_ascii_digit()) {
                "*"
            } else {
                part
            }
        })
        .collect::<Vec<_>>()
        .join("/")
}

/// The links that fit a router's address; a link fits the first that names it most exactly, so each is used once.
fn matching(pattern: &str, links: &mut BTreeSet<String>) -> Vec<String> {
    if !pattern.contains('{') {
        return vec![pattern.to_owned()];
    }
    let wanted: Vec<&str> = pattern.split('/').collect();
    let exact = edge_node::web::addresses();
    let fits = |address: &String| {
        let path = address.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        !exact.contains(&path)
            && parts.len() == wanted.len()
            && wanted.iter().zip(&parts).all(|(wanted, part)| {
                wanted == part || (wanted.starts_with('{') && !part.is_empty())
            })
    };
    links
        .iter()
        .filter(|address| fits(address))
        .take(SAMPLES)
        .cloned()
        .collect()
}

/// Names of things, by the word before them in an address.
struct Ids(BTreeMap<&'static str, Vec<String>>);

impl Ids {
    fn of(api: &mut Connection) -> Self {
        let mut names: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (list, member, word) in [
            ("/api/v1/orders", "id", "orders"),
            ("/api/v1/orders", "visit_id", "visits"),
            ("/api/v1/customers", "id", "customers"),
            ("/api/v1/parts", "sku", "parts"),
            ("/api/v1/stock", "sku", "stock"),
            ("/api/v1/transfers", "id", "transfers"),
            ("/api/v1/documents", "id", "documents"),
        ] {
            let answer = api.get(&format!("{list}?limit={SAMPLES}")).json();
            let items = answer["items"].as_array().cloned().unwrap_or_default();
            let ids = items
                .iter()
                .filter_map(|item| item[member].as_str().map(str::to_owned));
            names.insert(word, ids.collect());
        }
        for same in ["people", "persons"] {
            names.insert(same, names["customers"].clone());
        }
        Self(names)
    }

    /// Addresses of a pattern with one thing in it.
    fn fill(&self, pattern: &str) -> Vec<String> {
        let Some((before, rest)) = pattern.split_once('{') else {
            return vec![pattern.to_owned()];
        };
        let (_, behind) = rest.split_once('}').unwrap_or_default();
        if behind.contains('{') {
            return Vec::new();
        }
        let word = before
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        let ids = self.0.get(word).map_or(&[][..], Vec::as_slice);
        ids.iter()
            .map(|id| format!("{before}{id}{behind}"))
            .collect()
    }
}
