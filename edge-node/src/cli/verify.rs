//! `edge-node verify`.

use anyhow::bail;
use clap::Args;

use super::say;
use crate::config::Config;
use crate::store::verify::{VerifyReport, verify};

#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Options {
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: &Config, options: Options) -> anyhow::Result<()> {
    let report = verify(config.data()?)?;
    if options.json {
        say(&serde_json::to_string_pretty(&report)?)?;
    } else {
        say(&in_words(&report))?;
    }
    if !report.ok {
        bail!("the database differs from its log and feeds");
    }
    Ok(())
}

fn in_words(report: &VerifyReport) -> String {
    let log = &report.log;
    let chain = match &log.first_bad {
        None if log.intact => "intact".to_owned(),
        None => "broken".to_owned(),
        Some(position) => format!("first bad position {position}"),
    };
    let mut lines = vec![
        format!("branch     {} (node {})", report.branch, report.node),
        format!("log        {} entries, {chain}, {}", log.seq, log.chain),
        format!(
            "documents  {}, digest {}",
            report.documents.count, report.documents.digest
        ),
    ];
    for (table, rows) in &report.tables {
        lines.push(format!("table      {table}: {rows} rows"));
    }
    for stock in &report.stock {
        let sku = stock.sku.clone().unwrap_or_else(|| stock.part.to_string());
        lines.push(format!(
            "stock      {sku}: {} on hand, {} reserved, {} movements",
            stock.on_hand, stock.reserved, stock.movements
        ));
    }
    for difference in &report.differences {
        let (table, key, what) = (&difference.table, &difference.key, &difference.what);
        lines.push(format!("DIFFERENT  {table} {key}: {what}"));
    }
    lines.push(if report.ok {
        "all agrees".to_owned()
    } else {
        "NOT all agrees".to_owned()
    });
    lines.join("\n")
}
