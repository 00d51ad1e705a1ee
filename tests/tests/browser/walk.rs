//! A walk over every page of a program that a link leads to, each inspected once for its kind.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use tests::browser::{Browser, shape_of};

use super::hostile;
use super::stage::{sign_in, sign_out};

/// Pages to go to, and kinds of pages that were there already.
pub struct Walk<'a> {
    side: &'a str,
    /// The program's address.
    pub base: &'a str,
    waiting: VecDeque<String>,
    /// Kinds of links that were followed, or wait to be.
    asked: BTreeSet<String>,
    /// The first page of each kind.
    seen: BTreeMap<String, Seen>,
    opened: BTreeSet<String>,
    found: BTreeMap<String, Vec<String>>,
}

/// A page that was there.
struct Seen {
    path: String,
    /// Who could see it.
    by: String,
}

impl<'a> Walk<'a> {
    /// A walk through the program at `base`.
    pub fn of(side: &'a str, base: &'a str) -> Self {
        Self {
            side,
            base,
            waiting: VecDeque::new(),
            asked: BTreeSet::new(),
            seen: BTreeMap::new(),
            opened: BTreeSet::new(),
            found: BTreeMap::new(),
        }
    }

    /// Signs somebody in, visits what they may see and nobody saw before, and signs them out.
    pub async fn visit_as(
        &mut self,
        browser: &mut Browser,
        username: &str,
        password: &str,
        more: &[&str],
    ) -> Result<()> {
        self.visit(browser, "/sign-in", username).await?;
        sign_in(browser, &format!("{}/", self.base), username, password).await?;
        self.waiting.extend(
            ["/", "/api/v1/docs"]
                .iter()
                .chain(more)
                .map(|&path| path.to_owned()),
        );
        while let Some(path) = self.waiting.pop_front() {
            self.visit(browser, &path, username)
                .await
                .with_context(|| format!("{} {path}", self.side))?;
        }
        browser.go(&format!("{}/", self.base)).await?;
        sign_out(browser).await
    }

    /// Visits all pages that this person, who is signed in, saw before, and asks only whether they answer and fit.
    pub async fn again(&mut self, browser: &mut Browser, username: &str, why: &str) -> Result<()> {
        self.opened.clear();
        let mut paths = Vec::new();
        for (name, seen) in &self.seen {
            if seen.by == username {
                paths.push((name.clone(), seen.path.clone()));
            }
        }
        for (name, path) in paths {
            browser.go(&format!("{}{path}", self.base)).await?;
            browser.until_shown("main").await?;
            let mut findings = browser.misfits().await?;
            findings.extend(browser.opened_misfits(&mut self.opened).await?);
            findings.extend(hostile::alive(browser).await?);
            findings.extend(status(browser, &path).await?);
            self.note(&format!("{name} {why}"), findings);
        }
        Ok(())
    }

    /// Inspects the page in front, whatever led to it, as a page of its own.
    pub async fn inspect(&mut self, browser: &mut Browser, name: &str) -> Result<()> {
        let name = format!("{}-{name}", self.side);
        let mut findings = browser.findings(&name).await?;
        findings.extend(hostile::alive(browser).await?);
        self.note(&name, findings);
        Ok(())
    }

    /// The addresses, as the router knows them, of pages that no path led to.
    pub fn never_seen<'b>(&self, addresses: &[&'b str]) -> Vec<&'b str> {
        // "/transfers/new" is no transfer: a path belongs to the address with the fewest braces.
        let owner = |path: &str| {
            addresses
                .iter()
                .copied()
                .filter(|address| fits(address, path))
                .min_by_key(|address| address.matches('{').count())
        };
        let owned: BTreeSet<_> = self
            .seen
            .values()
            .filter_map(|seen| owner(&seen.path))
            .collect();
        addresses
            .iter()
            .copied()
            .filter(|address| !owned.contains(address))
            .collect()
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

    async fn visit(&mut self, browser: &mut Browser, path: &str, by: &str) -> Result<()> {
        browser.go(&format!("{}{path}", self.base)).await?;
        browser.until_shown("main").await?;
        let landed = browser.path().await?;
        let name = self.name(&landed);
        let links = browser.links().await?;
        if !self.seen.contains_key(&name) {
            let by = by.to_owned();
            self.seen.insert(name.clone(), Seen { path: landed, by });
            let begun = Instant::now();
            let mut findings = browser.findings(&name).await?;
            findings.extend(hostile::alive(browser).await?);
            findings.extend(status(browser, path).await?);
            findings.extend(browser.opened_findings(&mut self.opened).await?);
            eprintln!("{name}: {:.1} s", begun.elapsed().as_secs_f64());
            self.note(&name, findings);
        }
        for link in links {
            // Once for each kind, also where a link leads on to another page.
            if self.asked.insert(self.name(&link)) {
                self.waiting.push_back(link);
            }
        }
        Ok(())
    }

    /// Adds to what is wrong.
    pub fn note(&mut self, name: &str, findings: Vec<String>) {
        if !findings.is_empty() {
            self.found
                .entry(name.to_owned())
                .or_default()
                .extend(findings);
        }
    }

    fn name(&self, path: &str) -> String {
        format!("{}-{}", self.side, shape_of(path))
    }
}

async fn status(browser: &Browser, path: &str) -> Result<Option<String>> {
    let status = browser.answered_with().await?;
    Ok((status != 200).then(|| format!("{path} is answered with {status}")))
}

/// Whether a path is one of an address, whose parts in braces stand for anything.
fn fits(address: &str, path: &str) -> bool {
    let (mut address, mut path) = (address.split('/'), path.split('/'));
    loop {
        match (address.next(), path.next()) {
            (None, None) => return true,
            (Some(wanted), Some(part)) if wanted == part || wanted.starts_with('{') => {}
            _ => return false,
        }
    }
}
