//! Documents outside the product: the JavaScript library of Automerge reads them.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use automerge::{Automerge, ObjId, ROOT, ReadDoc, ScalarValue, Value as Found};
use reqwest::Method;
use serde_json::{Map, Value, json};
use tests::process::chain::api::Api;
use tests::process::chain::child::{npm_install, run, run_well};
use tests::process::chain::{Chain, Plan, id_of};

const PACKAGE: &str = "@automerge/automerge@3";

/// Prints heads and fields of a saved document. Texts come as objects of the library's own, bytes as arrays.
const SCRIPT: &str = r#"
import { readFileSync } from "node:fs";
import * as Automerge from "@automerge/automerge";
const plain = (value) => {
  if (value === null || ["string", "boolean", "number"].includes(typeof value)) return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString("hex") };
  if (Automerge.isImmutableString(value)) return value.toString();
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
};
const document = Automerge.load(new Uint8Array(readFileSync(process.argv[2])));
console.log(JSON.stringify({ heads: [...Automerge.getHeads(document)].sort(), fields: plain(document) }));
"#;

/// Goal: a document is not ours alone: any Automerge library loads it.
/// Method: an order with lines, notes and events and its customer are fetched as octet-stream at the branch and at the
/// hub; the npm package must load them with the heads that the API names and the fields that the Rust library finds,
/// sealed values compared as bytes. Skipped where npm or its registry is not there.
#[tokio::test]
async fn the_npm_package_loads_documents_with_the_same_fields_and_heads() {
    compare().await.unwrap();
}

async fn compare() -> Result<()> {
    let chain = Chain::start(&Plan {
        parts: 1,
        ..Plan::of(&["DOC"])
    })
    .await?;
    let folder = chain.folder.path().join("npm");
    std::fs::create_dir(&folder)?;
    if let Err(reason) = install(&folder).await {
        eprintln!("skipped: {PACKAGE} cannot be had: {reason:#}");
        return Ok(());
    }
    let manager = chain.manager(0).await?;
    let order = manager.take_in("doc-order", "grüßt nicht mehr").await?;
    let id = id_of(&order)?;
    manager.move_order(&id, "in_repair", None).await?;
    manager.add_part_line(&id, &chain.skus[0], 2).await?;
    manager
        .post(
            &format!("/api/v1/orders/{id}/notes"),
            "doc-note",
            &json!({ "text": "«note» ✓" }),
        )
        .await?;
    chain.until_level().await?;
    let customer = order["customer"]["id"]
        .as_str()
        .or(order["customer_id"].as_str());
    let customer = customer.with_context(|| format!("an order with a customer: {order}"))?;
    let central = chain.hub.api("central").await?;
    for (place, api) in [("branch", &manager), ("hub", &central)] {
        for document in [id.as_str(), customer] {
            same_in_both(api, document, &folder)
                .await
                .with_context(|| format!("{document} at the {place}"))?;
        }
    }
    let saved = fetch(&manager, customer).await?;
    let fields = fields_of(&Automerge::load(&saved)?, &ROOT)?;
    for field in ["name", "phone", "email"] {
        ensure!(
            fields[field]["bytes"].is_string(),
            "{field} is not sealed bytes: {}",
            fields[field]
        );
    }
    Ok(())
}

async fn install(folder: &Path) -> Result<()> {
    std::fs::write(
        folder.join("package.json"),
        r#"{ "private": true, "type": "module" }"#,
    )?;
    std::fs::write(folder.join("read.mjs"), SCRIPT)?;
    npm_install(folder, PACKAGE).await?;
    ensure!(
        run(Path::new("node"), &["--version"], None)
            .await?
            .status
            .success(),
        "node does not run"
    );
    Ok(())
}

async fn fetch(api: &Api, document: &str) -> Result<Vec<u8>> {
    let request = api.request(Method::GET, &format!("/api/v1/documents/{document}"));
    let answer = request
        .header("accept", "application/octet-stream")
        .send()
        .await?
        .error_for_status()?;
    let kind = answer
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    ensure!(
        kind == Some("application/octet-stream"),
        "it comes as {kind:?}"
    );
    Ok(answer.bytes().await?.to_vec())
}

async fn same_in_both(api: &Api, document: &str, folder: &Path) -> Result<()> {
    let saved = fetch(api, document).await?;
    let file = folder.join(format!("{document}.automerge"));
    std::fs::write(&file, &saved)?;
    let script = folder.join("read.mjs");
    let arguments = [
        script.to_str().unwrap_or_default(),
        file.to_str().unwrap_or_default(),
    ];
    let read: Value = serde_json::from_str(&run_well(Path::new("node"), &arguments, None).await?)?;
    let described = api.get(&format!("/api/v1/documents/{document}")).await?;
    ensure!(
        sorted(&described["heads"]) == sorted(&read["heads"]),
        "heads: {described}, npm {}",
        read["heads"]
    );
    let ours = fields_of(&Automerge::load(&saved)?, &ROOT)?;
    ensure!(
        ours == read["fields"],
        "fields: ours {ours:#}, npm {:#}",
        read["fields"]
    );
    ensure!(
        ours.as_object().is_some_and(|fields| fields.len() > 3),
        "an empty document: {ours}"
    );
    Ok(())
}

fn sorted(heads: &Value) -> Vec<String> {
    let heads = heads
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let mut heads: Vec<String> = heads.map(str::to_owned).collect();
    heads.sort_unstable();
    heads
}

/// The fields as the script writes them.
fn fields_of(document: &Automerge, object: &ObjId) -> Result<Value> {
    let mut fields = Map::new();
    for key in document.keys(object) {
        let (value, id) = document
            .get(object, key.as_str())?
            .context("a key has a value")?;
        let value = match value {
            Found::Object(_) => fields_of(document, &id)?,
            Found::Scalar(scalar) => match scalar.as_ref() {
                ScalarValue::Str(text) => json!(text.as_str()),
                ScalarValue::Int(number) => json!(number),
                ScalarValue::Boolean(value) => json!(value),
                ScalarValue::Bytes(bytes) => {
                    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                    json!({ "bytes": hex })
                }
                other => anyhow::bail!("{key} is a {other:?}"),
            },
        };
        fields.insert(key, value);
    }
    Ok(Value::Object(fields))
}
