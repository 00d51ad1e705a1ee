//! Every page that can be reached by links, on both sides, in light and dark, at three sizes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::browser::{Browser, shape_of};
use tests::process::chain::api::fresh_key;
use tests::process::chain::{PASSWORD, Plan, id_of};

use super::hostile;
use super::stage::{Stage, sign_in, sign_out};

/// Goal: no page of the product breaks the rules: readable for everybody, no script error, nothing refused by the
/// content security policy, no sideways scroll, hostile text dead; and no link leads nowhere.
/// Method: a chain with something of everything, the newest of it hostile; a manager at the branch and people at the hub
/// follow every link to a page of a kind not seen yet, and inspect it.
#[tokio::test]
async fn every_page_holds_to_the_rules_in_light_and_dark_at_three_sizes() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let Some(mut stage) = Stage::open(&Plan::of(&["B1", "B2"])).await? else {
        return Ok(());
    };
    something_of_everything(&stage).await?;
    let hostile = hostile::plant(&stage).await?;
    let branch = stage.branch(0, "");
    let manager = stage.manager_name(0);
    let mut at_branch = Walk::of("branch", &branch);
    at_branch
        .visit_as(&mut stage.browser, &manager, PASSWORD)
        .await?;
    let hub = stage.hub("");
    let mut at_hub = Walk::of("hub", &hub);
    // The operator sees pages that no manager sees.
    for person in ["central", "operator"] {
        at_hub
            .visit_as(&mut stage.browser, person, PASSWORD)
            .await?;
    }
    stage.sign_in_manager(0).await?;
    hostile::is_shown_harmless(&mut stage, &hostile).await?;
    at_branch.judge()?;
    at_hub.judge()
}

/// Pages to go to, and kinds of pages that were there already.
pub struct Walk<'a> {
    side: &'a str,
    base: &'a str,
    waiting: VecDeque<String>,
    seen: BTreeSet<String>,
    found: BTreeMap<String, Vec<String>>,
}

impl<'a> Walk<'a> {
    /// A walk through the program at `base`.
    pub fn of(side: &'a str, base: &'a str) -> Self {
        Self {
            side,
            base,
            waiting: VecDeque::new(),
            seen: BTreeSet::new(),
            found: BTreeMap::new(),
        }
    }

    /// Signs somebody in, visits what they may see and nobody saw before, and signs them out.
    pub async fn visit_as(
        &mut self,
        browser: &mut Browser,
        username: &str,
        password: &str,
    ) -> Result<()> {
        self.visit(browser, "/sign-in").await?;
        sign_in(browser, &format!("{}/", self.base), username, password).await?;
        self.waiting
            .extend(["/", "/api/v1/docs"].map(str::to_owned));
        while let Some(path) = self.waiting.pop_front() {
            self.visit(browser, &path)
                .await
                .with_context(|| format!("{} {path}", self.side))?;
        }
        browser.go(&format!("{}/", self.base)).await?;
        sign_out(browser).await
    }

    /// An error that tells of every page that broke a rule.
    pub fn judge(self) -> Result<()> {
        let lines: Vec<String> = self
            .found
            .iter()
            .map(|(name, lines)| format!("{name}:\n  {}", lines.join("\n  ")))
            .collect();
        ensure!(lines.is_empty(), "{}", lines.join("\n"));
        Ok(())
    }

    async fn visit(&mut self, browser: &mut Browser, path: &str) -> Result<()> {
        browser.go(&format!("{}{path}", self.base)).await?;
        browser.until_shown("main").await?;
        let landed = browser.path().await?;
        let name = self.name(&landed);
        if self.seen.insert(name.clone()) {
            let begun = Instant::now();
            let mut findings = browser.findings(&name).await?;
            findings.extend(hostile::alive(browser).await?);
            let status = browser.answered_with().await?;
            if status != 200 {
                findings.push(format!("{path} is answered with {status}"));
            }
            eprintln!("{name}: {:.1} s", begun.elapsed().as_secs_f64());
            if !findings.is_empty() {
                self.found.insert(name, findings);
            }
        }
        for link in browser.links().await? {
            let shape = self.name(&link);
            let waits = self.waiting.iter().any(|path| self.name(path) == shape);
            if !waits && !self.seen.contains(&shape) {
                self.waiting.push_back(link);
            }
        }
        Ok(())
    }

    fn name(&self, path: &str) -> String {
        format!("{}-{}", self.side, shape_of(path))
    }
}

/// Orders, lines, notes and stock that moves, so that no page is empty.
async fn something_of_everything(stage: &Stage) -> Result<()> {
    let manager = stage.chain.manager(0).await?;
    let order = manager.take_in(&fresh_key(), "does not heat").await?;
    let id = id_of(&order)?;
    manager.move_order(&id, "in_repair", None).await?;
    manager.add_part_line(&id, &stage.chain.skus[0], 2).await?;
    let note = json!({ "text": "The cable is warm." });
    manager
        .post(&format!("/api/v1/orders/{id}/notes"), &fresh_key(), &note)
        .await?;
    let late = json!({
        "customer": { "name": "Maximiliane von und zu Musterhausen-Lichtenberg", "phone": "+49 30 7654321" },
        "devices": [{ "category": "Coffee machine", "brand": "Acme", "model": "Barista Professional 9000 Touch",
                      "serial": "359881030314356", "fault": "leaks, smells and makes a noise ".repeat(12) }],
        "urgent": true,
    });
    manager.post("/api/v1/orders", &fresh_key(), &late).await?;
    stage.chain.until_level().await
}
