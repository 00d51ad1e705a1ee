//! Lines of providers' statements as people see them: what belongs to no payment first, with payments that would fit.

use std::collections::BTreeMap;

use domain::id::{BranchId, PaymentId};
use domain::money::Currency;
use domain::payment::Provider;
use domain::till::{PaperKind, paper_number, parse_paper_number};

use crate::app::error::AppError;
use crate::app::session::Person;
use crate::app::{Hub, branch};
use crate::store::db::PgConnection;
use crate::store::payments::read as store;
pub use crate::store::payments::read::{Fitting, LinePlace, SettlementRow};

/// Payments that are offered for the lines of one page at most.
const FITTING: i64 = 500;

/// Lines of statements.
#[derive(Debug, Clone)]
pub struct Lines {
    /// Those that belong to no payment, oldest first.
    pub unmatched: Vec<SettlementRow>,
    /// The others, newest first.
    pub settled: Vec<SettlementRow>,
    /// Payments that would fit, by number of their receipt where there is one.
    pub fitting: Vec<(Fitting, String)>,
    /// Codes of branches.
    pub codes: branch::Codes,
}

/// Lines that the person may see; those without a payment only on the first page.
///
/// # Errors
/// When the database fails.
pub async fn lines(
    hub: &Hub,
    person: &Person,
    place: Option<&LinePlace>,
    (unmatched, settled): (i64, i64),
) -> Result<Lines, AppError> {
    let scope = person.scope();
    let mut connection = hub.snapshot().await?;
    let open = if place.is_none() {
        store::unmatched(&mut connection, &scope, unmatched).await?
    } else {
        Vec::new()
    };
    let settled = store::settled_lines(&mut connection, &scope, place, settled).await?;
    let codes = branch::codes(&mut connection).await?;
    let amounts: Vec<i64> = open.iter().map(|line| line.amount_minor).collect();
    let fitting = store::fitting(&mut connection, &scope, &amounts, FITTING).await?;
    let named = |one: Fitting| {
        let name = one.receipt.map_or_else(
            || one.payment.to_string(),
            |(series, number)| {
                let code = branch::code_of(&codes, one.branch);
                paper_number(&code, PaperKind::Receipt, series, number)
            },
        );
        (one, name)
    };
    Ok(Lines {
        fitting: fitting.into_iter().map(named).collect(),
        unmatched: open,
        settled,
        codes,
    })
}

/// The payment that a person names by the number of its receipt, or by its own id.
///
/// # Errors
/// 422 at `/payment` where there is none, or more than one that would do.
pub async fn named_payment(
    connection: &mut PgConnection,
    provider: Provider,
    amount_minor: Option<i64>,
    typed: &str,
) -> Result<PaymentId, AppError> {
    let typed = typed.trim();
    if let Ok(payment) = typed.parse() {
        return Ok(payment);
    }
    let unknown = || AppError::field("/payment", "there is no such payment");
    let (code, kind, series, number) = parse_paper_number(typed).map_err(|_| unknown())?;
    if kind != PaperKind::Receipt {
        return Err(unknown());
    }
    let codes: BTreeMap<String, BranchId> = branch::codes(connection)
        .await?
        .into_iter()
        .map(|(id, code)| (code, id))
        .collect();
    let branch = codes.get(&code).copied().ok_or_else(unknown)?;
    let tender = match provider {
        Provider::Stripe => "card",
        Provider::Bank => "bank",
    };
    let found = store::of_paper(connection, branch, (series, number), tender).await?;
    let fits = found.iter().find(|(_, minor)| Some(*minor) == amount_minor);
    match (fits, found.as_slice()) {
        (Some((payment, _)), _) | (None, [(payment, _)]) => Ok(*payment),
        (None, []) => Err(unknown()),
        _ => Err(AppError::field(
            "/payment",
            "this receipt has several payments; write the id of one",
        )),
    }
}

/// The amount of a line, where there is one.
///
/// # Errors
/// When the database fails.
pub async fn amount_of(
    connection: &mut PgConnection,
    provider: Provider,
    reference: &str,
) -> Result<Option<(i64, Currency)>, AppError> {
    let line = crate::store::reconciliation::run::settlement_line(
        connection,
        provider.as_str(),
        reference,
    )
    .await?;
    Ok(
        line.and_then(|(_, amount_minor, currency, _)| {
            Some((amount_minor, currency.parse().ok()?))
        }),
    )
}
