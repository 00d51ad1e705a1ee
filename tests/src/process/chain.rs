//! A whole chain of real programs: a hub and its branches, with people, parts and stock.
//!
//! What is here is what every test needs before its own story begins. All of it goes through the commands and routes
//! that people use. Never here: a look into what the programs keep, which a test takes itself.

pub mod api;
pub mod child;
pub mod place;
pub mod wait;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use self::api::Api;
use self::place::Folder;
use self::wait::{level, until};
use super::edge::Edge;
use super::hub::{Database, Hub};
use super::relay::UdpRelay;

/// The password of everybody in a test's chain.
pub const PASSWORD: &str = "a long enough password";
/// How long a busy machine may take for what should take a moment.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a chain begins with.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Codes of the branches.
    pub branches: Vec<&'static str>,
    /// Parts in the catalogue, with the skus `P-00` and on.
    pub parts: usize,
    /// Opening stock of every part at every branch.
    pub opening: u32,
    /// Whose Postgres the hub uses.
    pub database: Database,
    /// Whether each branch reaches the hub over a relay of its own.
    pub relayed: bool,
}

impl Plan {
    /// Ten parts, ten pieces of each at each branch, the run's shared Postgres, no relay.
    #[must_use]
    pub fn of(branches: &[&'static str]) -> Self {
        Self {
            branches: branches.to_vec(),
            parts: 10,
            opening: 10,
            database: Database::Shared,
            relayed: false,
        }
    }
}

/// A hub and its branches. Whatever still runs is killed when this is dropped.
#[derive(Debug)]
pub struct Chain {
    /// The branches, in the order of the plan.
    pub edges: Vec<Edge>,
    /// The hub.
    pub hub: Hub,
    /// The lines between them, where the plan asked for relays.
    pub relays: Vec<UdpRelay>,
    /// The catalogue.
    pub skus: Vec<String>,
    /// Where everything lies.
    pub folder: Folder,
}

impl Chain {
    /// Starts a chain and fills it as planned. Ends when every branch is level with the hub.
    ///
    /// # Errors
    /// When a program is missing, does not start, or refuses something.
    pub async fn start(plan: &Plan) -> Result<Self> {
        let folder = Folder::new()?;
        let mut hub = Hub::new(&folder, plan.database).await?;
        hub.start().await?;
        hub.add_staff("operator", "operator").await?;
        hub.add_staff("central", "central_manager").await?;
        let mut chain = Self {
            edges: Vec::new(),
            hub,
            relays: Vec::new(),
            skus: Vec::new(),
            folder,
        };
        for code in &plan.branches {
            chain.add_branch(code, plan.relayed).await?;
        }
        chain.add_parts(plan.parts).await?;
        for index in 0..chain.edges.len() {
            chain.open_stock(index, plan.opening).await?;
        }
        chain.until_level().await?;
        Ok(chain)
    }

    /// Makes a branch with a manager (`manager.CODE`), joins a machine to it and starts it.
    ///
    /// # Errors
    /// When a program refuses.
    pub async fn add_branch(&mut self, code: &str, relayed: bool) -> Result<()> {
        let operator = self.hub.api("operator").await?;
        let id = create_branch(&operator, code).await?;
        let manager = format!("manager.{}", code.to_lowercase());
        add_staff(&operator, &manager, "branch_manager", &[code]).await?;
        let join_code = join_code(&operator, &id).await?;
        let mut edge = Edge::new(&self.folder, code, &id)?;
        let hub = self.address_for_branch(relayed).await?;
        edge.join(&hub.to_string(), &join_code).await?;
        edge.start().await?;
        self.edges.push(edge);
        Ok(())
    }

    async fn address_for_branch(&mut self, relayed: bool) -> Result<SocketAddr> {
        if !relayed {
            return Ok(self.hub.quic());
        }
        let relay = UdpRelay::start(self.hub.quic(), 1).await?;
        let address = relay.address();
        self.relays.push(relay);
        Ok(address)
    }

    async fn add_parts(&mut self, count: usize) -> Result<()> {
        let central = self.hub.api("central").await?;
        for number in 0..count {
            let sku = format!("P-{number:02}");
            let body = json!({
                "sku": sku, "name": format!("Part {number}"), "category": "test",
                "price": { "amount_minor": 1_000 + number, "currency": "EUR" }, "tax_rate_bp": 1900,
            });
            central
                .post("/api/v1/parts", &format!("part-{sku}"), &body)
                .await?;
            self.skus.push(sku);
        }
        Ok(())
    }

    async fn open_stock(&self, index: usize, quantity: u32) -> Result<()> {
        let Some(last) = self.skus.last().filter(|_| quantity > 0) else {
            return Ok(());
        };
        let manager = self.manager(index).await?;
        let manager = &manager;
        until("the catalogue arrives", PATIENCE, async || {
            manager.found(&format!("/api/v1/stock/{last}")).await
        })
        .await?;
        for sku in &self.skus {
            let body = json!({ "kind": "opening", "quantity": quantity, "reason": "test", "reference": "test" });
            let path = format!("/api/v1/stock/{sku}/movements");
            manager
                .post(&path, &format!("opening-{sku}"), &body)
                .await?;
        }
        Ok(())
    }

    /// A branch's manager, signed in as soon as the branch knows them.
    ///
    /// # Errors
    /// When it does not hear of them in time.
    pub async fn manager(&self, index: usize) -> Result<Api> {
        let edge = &self.edges[index];
        let name = format!("manager.{}", edge.code.to_lowercase());
        edge.api_when_known(&name, PATIENCE).await
    }

    /// Waits until every branch is level with the hub.
    ///
    /// # Errors
    /// When one is not in time.
    pub async fn until_level(&self) -> Result<()> {
        for index in 0..self.edges.len() {
            let manager = self.manager(index).await?;
            level(&manager, PATIENCE * 2).await?;
        }
        Ok(())
    }

    /// Holds what both sides say of the documents against each other, branch by branch, and has every branch verify
    /// itself.
    ///
    /// # Errors
    /// When something differs.
    pub async fn ensure_equal(&self) -> Result<()> {
        let central = self.hub.api("central").await?;
        for (index, edge) in self.edges.iter().enumerate() {
            let manager = self.manager(index).await?;
            let own = manager.get("/api/v1/documents/digest").await?;
            let path = format!("/api/v1/documents/digest?branch={}", edge.code);
            let at_hub = central.get(&path).await?;
            for field in ["count", "digest"] {
                let (own, at_hub) = (&own[field], &at_hub[field]);
                ensure!(
                    own == at_hub,
                    "{}: {field} is {own}, at the hub {at_hub}",
                    edge.code
                );
            }
            edge.verified().await?;
        }
        Ok(())
    }
}

/// Makes a branch at the hub; gives its id.
///
/// # Errors
/// When the hub refuses.
pub async fn create_branch(operator: &Api, code: &str) -> Result<String> {
    let body = json!({
        "code": code, "name": format!("Branch {code}"), "region": "test", "address": "1 Test Street",
        "location": { "latitude": 52.5, "longitude": 13.4 }, "time_zone": "Europe/Berlin", "currency": "EUR",
        "capacity": 10,
    });
    let row = operator
        .post("/api/v1/branches", &format!("branch-{code}"), &body)
        .await?;
    id_of(&row)
}

/// Makes a join code for a branch.
///
/// # Errors
/// When the hub refuses.
pub async fn join_code(operator: &Api, branch_id: &str) -> Result<String> {
    let path = format!("/api/v1/branches/{branch_id}/join-codes");
    let made = operator
        .post(&path, &api::fresh_key(), &Value::Null)
        .await?;
    let code = made["code"]
        .as_str()
        .context("a join code without a code")?;
    Ok(code.to_owned())
}

/// Adds a person at the hub.
///
/// # Errors
/// When the hub refuses.
pub async fn add_staff(
    operator: &Api,
    username: &str,
    role: &str,
    branches: &[&str],
) -> Result<Value> {
    let body = json!({
        "username": username, "name": format!("{username} (test)"), "role": role, "branches": branches,
        "password": PASSWORD,
    });
    operator
        .post("/api/v1/staff", &format!("staff-{username}"), &body)
        .await
}

/// The id of a created thing.
///
/// # Errors
/// When it has none.
pub fn id_of(row: &Value) -> Result<String> {
    let id = row["id"]
        .as_str()
        .with_context(|| format!("no id in {row}"))?;
    Ok(id.to_owned())
}
