//! What the pure crates may depend on.
//!
//! `domain` and `sync-protocol` have no runtime, clock, randomness, files or sockets. A list of
//! names holds that better than reading every change.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Finding;
use crate::command::{cargo, output};

const DOMAIN: &[&str] = &[
    "automerge",
    "chacha20poly1305",
    "hkdf",
    "hmac",
    "serde",
    "sha2",
    "subtle",
    "thiserror",
    "zeroize",
];

const SYNC_PROTOCOL: &[&str] = &[
    "automerge",
    "domain",
    "ed25519-dalek",
    "hmac",
    "postcard",
    "serde",
    "sha2",
    "subtle",
    "thiserror",
    "zeroize",
    "zstd",
];

/// Who may not know whom inside the workspace.
const WALLS: &[(&str, &[&str])] = &[
    ("web-kit", &["edge-node", "hub", "tests", "xtask"]),
    ("edge-node", &["hub", "tests", "xtask"]),
    ("hub", &["edge-node", "tests", "xtask"]),
    (
        "fake-stripe",
        &[
            "domain",
            "sync-protocol",
            "web-kit",
            "edge-node",
            "hub",
            "tests",
            "xtask",
        ],
    ),
    (
        "xtask",
        &[
            "domain",
            "sync-protocol",
            "web-kit",
            "edge-node",
            "hub",
            "tests",
        ],
    ),
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// Absent for an ordinary one, otherwise `dev` or `build`
    kind: Option<String>,
}

pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let metadata = output(cargo(root).args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Metadata =
        serde_json::from_str(&metadata).context("cargo metadata printed an unknown shape")?;
    Ok(metadata.packages.iter().flat_map(check_package).collect())
}

fn check_package(package: &Package) -> Vec<Finding> {
    let allowed = match package.name.as_str() {
        "domain" => Some(DOMAIN),
        "sync-protocol" => Some(SYNC_PROTOCOL),
        _ => None,
    };
    let walled = WALLS
        .iter()
        .find(|(name, _)| *name == package.name)
        .map_or(&[][..], |wall| wall.1);
    let manifest = format!("{}/Cargo.toml", package.name);
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        let is_shipped = dependency.kind.as_deref() != Some("dev");
        if is_shipped && allowed.is_some_and(|allowed| !allowed.contains(&name)) {
            findings.push(Finding::at(
                &manifest,
                0,
                format!(
                    "`{name}` is not on the list for this pure crate: hand its result in as an \
                     argument, or add it in xtask/src/tidy/dependencies.rs with the reason in the commit"
                ),
            ));
        }
        if walled.contains(&name) {
            findings.push(Finding::at(
                &manifest,
                0,
                format!("`{name}` may not be used here: move what both need to domain or web-kit"),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        Package {
            name: name.to_owned(),
            dependencies: dependencies
                .iter()
                .map(|(name, kind)| Dependency {
                    name: (*name).to_owned(),
                    kind: kind.map(str::to_owned),
                })
                .collect(),
        }
    }

    #[test]
    fn a_pure_crate_takes_only_what_is_listed() {
        assert_eq!(check_package(&package("domain", &[("serde", None)])), []);
        assert_eq!(
            check_package(&package("domain", &[("tokio", None)])).len(),
            1
        );
        assert_eq!(
            check_package(&package("domain", &[("proptest", Some("dev"))])),
            []
        );
        assert_eq!(
            check_package(&package("sync-protocol", &[("cc", Some("build"))])).len(),
            1
        );
    }

    #[test]
    fn the_executables_never_see_each_other() {
        assert_eq!(check_package(&package("hub", &[("tokio", None)])), []);
        assert_eq!(
            check_package(&package("hub", &[("edge-node", Some("dev"))])).len(),
            1
        );
    }
}
