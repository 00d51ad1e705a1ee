//! The official SDK drives the double, so that the double is as Stripe is and not as we wish it to be.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::process::chain::child::{npm_install, run_well};
use tests::stripe::{FakeOptions, FakeStripe};

const PACKAGE: &str = "stripe@23.1.0";
const SCRIPT: &str = include_str!("sdk.mjs");

/// Goal: the double is kept honest by a client that knows nothing of it.
/// Method: Stripe's own SDK for Node makes, takes, searches, gives back, lists, and checks a webhook's signature; errors
/// must come as its own classes. Skipped where npm or its registry is not there.
#[tokio::test]
async fn the_official_sdk_finds_the_double_as_it_finds_stripe() {
    let fake = FakeStripe::start(FakeOptions::default()).await.unwrap();
    let folder = match installed().await {
        Ok(folder) => folder,
        Err(reason) => {
            eprintln!("skipped: {PACKAGE} cannot be had: {reason:#}");
            return;
        }
    };
    let said = drive(&folder, &fake).await.unwrap();
    let done = said["done"].as_array().unwrap();
    assert!(done.len() >= 20, "{said:#}");
    assert_eq!(
        said["version"],
        json!(hub::payment::stripe::STRIPE_VERSION),
        "the adapter speaks the version of the SDK"
    );
}

async fn drive(folder: &Path, fake: &FakeStripe) -> Result<Value> {
    let script = folder.join(format!("drive-{}.mjs", std::process::id()));
    std::fs::write(&script, SCRIPT)?;
    let url = fake.url();
    let path = script.to_str().context("a path that is text")?;
    let said = run_well(Path::new("node"), &[path, &url], None).await;
    std::fs::remove_file(&script)?;
    Ok(serde_json::from_str(&said?)?)
}

/// Installed once beside the executables, in one move, so that nobody ever sees half of it.
async fn installed() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let target = test.ancestors().nth(3).context("no target folder")?;
    let parent = target.join("test-assets");
    let folder = parent.join(PACKAGE.replace('@', "-"));
    if folder.join("node_modules/stripe/package.json").is_file() {
        return Ok(folder);
    }
    std::fs::create_dir_all(&parent)?;
    let making = tempfile::Builder::new()
        .prefix("installing-")
        .tempdir_in(&parent)?;
    std::fs::write(
        making.path().join("package.json"),
        r#"{ "private": true, "type": "module" }"#,
    )?;
    npm_install(making.path(), PACKAGE).await?;
    let made = making.keep();
    if std::fs::rename(&made, &folder).is_err() {
        std::fs::remove_dir_all(&made)?;
        ensure!(folder.is_dir(), "{} cannot be made", folder.display());
    }
    Ok(folder)
}
