//! The description of the API is complete, and each route asks for its permission.

use std::collections::BTreeSet;

use domain::permission::{Permission, Side, allows};
use domain::staff::Role;
use hub::api::description;
use reqwest::Method;
use serde_json::json;
use web_kit::openapi::operations;

use super::Site;

/// What the issue names, beside health and metrics.
const ROUTES: &[(&str, &str)] = &[
    ("POST", "/api/v1/session"),
    ("DELETE", "/api/v1/session"),
    ("GET", "/api/v1/branches"),
    ("POST", "/api/v1/branches"),
    ("GET", "/api/v1/branches/{id}"),
    ("PATCH", "/api/v1/branches/{id}"),
    ("POST", "/api/v1/branches/{id}/join-codes"),
    ("GET", "/api/v1/branches/{id}/nodes"),
    ("POST", "/api/v1/nodes/{id}/revoke"),
    ("GET", "/api/v1/branches/nearest"),
    ("GET", "/api/v1/network"),
    ("GET", "/api/v1/staff"),
    ("POST", "/api/v1/staff"),
    ("PATCH", "/api/v1/staff/{id}"),
    ("GET", "/api/v1/orders"),
    ("GET", "/api/v1/orders/{id}"),
    ("PATCH", "/api/v1/orders/{id}"),
    ("POST", "/api/v1/orders/{id}/notes"),
    ("GET", "/api/v1/customers"),
    ("GET", "/api/v1/customers/{id}"),
    ("PATCH", "/api/v1/customers/{id}"),
    ("GET", "/api/v1/parts"),
    ("POST", "/api/v1/parts"),
    ("PATCH", "/api/v1/parts/{sku}"),
    ("GET", "/api/v1/presets"),
    ("POST", "/api/v1/presets"),
    ("GET", "/api/v1/presets/{id}"),
    ("PATCH", "/api/v1/presets/{id}"),
    ("POST", "/api/v1/imports/parts"),
    ("POST", "/api/v1/customers/{id}/merge"),
    ("GET", "/api/v1/settings"),
    ("PATCH", "/api/v1/settings"),
    ("GET", "/api/v1/stock"),
    ("GET", "/api/v1/stock/conservation"),
    ("GET", "/api/v1/stock/{sku}/conservation"),
    ("GET", "/api/v1/transfers"),
    ("POST", "/api/v1/transfers"),
    ("POST", "/api/v1/transfers/{id}/approve"),
    ("POST", "/api/v1/transfers/{id}/cancel"),
    ("POST", "/api/v1/transfers/{id}/dispute"),
    ("POST", "/api/v1/transfers/{id}/settle"),
    ("GET", "/api/v1/exceptions"),
    (
        "POST",
        "/api/v1/exceptions/{owner}/{kind}/{subject_id}/close",
    ),
    ("POST", "/api/v1/decisions/{id}/settle"),
    ("POST", "/api/v1/conflicts/{id}/resolve"),
    ("POST", "/api/v1/conflicts/{id}/undo"),
    ("GET", "/api/v1/parked"),
    ("POST", "/api/v1/parked/{id}/release"),
    ("POST", "/api/v1/parked/{id}/drop"),
    ("GET", "/api/v1/documents"),
    ("GET", "/api/v1/documents/{id}"),
    ("GET", "/api/v1/documents/digest"),
    ("GET", "/api/v1/incidents"),
    ("GET", "/api/v1/decisions"),
    ("GET", "/api/v1/conflicts"),
    ("GET", "/api/v1/events"),
    ("POST", "/api/v1/search"),
    ("GET", "/api/v1/exports/{file}"),
    ("GET", "/api/v1/reconciliations"),
    ("POST", "/api/v1/reconciliations"),
    ("GET", "/api/v1/reconciliations/{id}"),
    ("POST", "/api/v1/reconciliations/{id}/sign-off"),
    ("POST", "/api/v1/reconciliations/{id}/reopen"),
    ("GET", "/api/v1/money/corrections"),
    ("POST", "/api/v1/money/corrections"),
    ("POST", "/api/v1/money/corrections/{id}/undo"),
    ("POST", "/api/v1/settlements/match"),
    ("GET", "/api/v1/audit/verify"),
    ("POST", "/api/v1/audit/mend"),
    ("GET", "/api/v1/payments"),
    ("GET", "/api/v1/payments/{id}"),
    ("POST", "/api/v1/payments/{id}/ask-again"),
    ("POST", "/api/v1/payments/{id}/refunds"),
    ("GET", "/api/v1/refunds"),
    ("POST", "/api/v1/refunds/{id}/decide"),
    ("GET", "/api/v1/cash-sessions"),
    ("GET", "/api/v1/cash-sessions/{id}"),
    ("GET", "/api/v1/providers"),
    ("GET", "/api/v1/outbox"),
    ("GET", "/api/v1/branches/{id}/till-rules"),
    ("POST", "/api/v1/branches/{id}/till-rules"),
    ("POST", "/api/v1/customers/{id}/account"),
    ("POST", "/api/v1/webhooks/stripe"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
];

#[tokio::test]
async fn every_route_is_described_with_its_errors() {
    let site = Site::new().await;
    let document = description(&site.state);
    let served = site
        .send(Method::GET, "/api/v1/openapi.json", &[], None)
        .await
        .with(200);
    assert_eq!(served["openapi"], "3.1.0");
    let all = operations(&document);
    let known: BTreeSet<(&str, &str)> = all
        .iter()
        .map(|(path, method, _)| (*method, path.as_str()))
        .collect();
    for route in ROUTES {
        assert!(known.contains(route), "{route:?} is not described");
    }
    for (path, method, operation) in &all {
        let statuses: BTreeSet<&str> = operation
            .responses
            .responses
            .keys()
            .map(String::as_str)
            .collect();
        let is_open = path == "/api/v1/session" && *method == "POST"
            || path.starts_with("/api/v1/webhooks/")
            || !path.starts_with("/api/");
        assert!(
            is_open || statuses.contains("401"),
            "{method} {path} lacks 401"
        );
        assert!(
            statuses.iter().any(|status| status.starts_with('2')),
            "{method} {path} lacks success"
        );
        assert!(operation.summary.is_some(), "{method} {path} lacks words");
        let writes = matches!(*method, "POST" | "PATCH");
        assert!(
            !writes || is_open || statuses.contains("422"),
            "{method} {path} lacks 422"
        );
    }
    let names: BTreeSet<String> = all
        .iter()
        .filter_map(|(_, _, operation)| operation.operation_id.clone())
        .collect();
    assert_eq!(
        names.len(),
        all.len(),
        "each operation has a name of its own"
    );
}

fn permission_of(method: &str, path: &str) -> Permission {
    use Permission as P;
    match (
        method,
        path.trim_start_matches("/api/v1/")
            .split('/')
            .next()
            .unwrap(),
    ) {
        ("GET", "branches") if path.ends_with("till-rules") => P::MoneyRead,
        ("POST", "branches") if path.ends_with("till-rules") => P::SettingsWrite,
        ("POST", "customers") if path.ends_with("account") => P::SettingsWrite,
        ("GET", "payments" | "refunds" | "providers" | "outbox" | "cash-sessions") => P::MoneyRead,
        ("POST", "settlements") if path.ends_with("stripe") || path.ends_with("bank") => {
            P::RefundsApprove
        }
        (_, "payments" | "refunds") => P::RefundsApprove,
        ("GET", "branches" | "network" | "parts" | "presets" | "settings" | "events") => {
            P::BasicsRead
        }
        ("POST", "branches") if path.ends_with("join-codes") => P::JoinCodes,
        ("POST" | "PATCH", "branches") => P::BranchesWrite,
        ("POST", "nodes") => P::NodesRevoke,
        ("POST", "audit") => P::NightMend,
        ("GET", "staff") => P::StaffRead,
        (_, "staff") => P::StaffWrite,
        ("GET", "orders") => P::OrdersRead,
        (_, "orders") => P::OrdersWrite,
        ("GET", "customers") => P::CustomersRead,
        ("POST", "customers") if path.ends_with("merge") => P::CustomersMerge,
        (_, "customers") => P::CustomersWrite,
        (_, "parts" | "presets") => P::CatalogueWrite,
        (_, "imports") => P::Import,
        (_, "settings") => P::SettingsWrite,
        (_, "stock") => P::StockRead,
        ("GET", "transfers") => P::TransfersRead,
        ("POST", "transfers") if path.ends_with("transfers") => P::TransfersRequest,
        (_, "transfers") => P::TransfersApprove,
        ("GET", "exceptions" | "incidents" | "decisions" | "conflicts") => P::ExceptionsRead,
        (_, "exceptions" | "decisions" | "conflicts") => P::ExceptionsSettle,
        ("GET", "parked") => P::ParkedRead,
        (_, "parked") => P::ParkedSettle,
        (_, "documents") => P::DocumentsRead,
        (_, "search") => P::Search,
        (_, "exports") => P::Export,
        (_, "audit") => P::AuditRead,
        ("GET", "reconciliations" | "money") => P::MoneyRead,
        ("POST", "reconciliations") if path.contains("{id}") => P::NightSign,
        (_, "reconciliations" | "money" | "settlements") => P::NightMend,
        other => panic!("{other:?} has no permission here"),
    }
}

/// T-20: role × route. Who has the permission gets past the gate (404, 422 or success), others get 403.
#[tokio::test]
async fn each_route_asks_for_its_permission() {
    let mut site = Site::new().await;
    site.world.branch("BER").await;
    let mut clients = Vec::new();
    for role in Role::ALL {
        clients.push((*role, site.person(*role, &[]).await));
    }
    let id = "00000000-0000-4000-8000-000000000001";
    for (method, path) in ROUTES {
        if !path.starts_with("/api/")
            || path.contains("/webhooks/")
            || path.ends_with("/session")
            || path.ends_with("/events")
        {
            continue;
        }
        let permission = permission_of(method, path);
        let id = if path.contains("/nodes/") {
            "0000002a"
        } else {
            id
        };
        let address = path
            .replace("{id}", id)
            .replace("{owner}", "hub")
            .replace("{kind}", "superseded")
            .replace("{subject_id}", id)
            .replace("{sku}", "NONE")
            .replace("{file}", "stock.csv");
        let address = if path.ends_with("/nearest") {
            format!("{address}?latitude=1&longitude=1")
        } else {
            address
        };
        for (role, client) in &clients {
            let method: Method = method.parse().unwrap();
            let body = (method != Method::GET).then(|| json!({ "unexpected": true }));
            let got = client
                .send(
                    method.clone(),
                    &address,
                    &[("Idempotency-Key", "role")],
                    body.as_ref(),
                )
                .await;
            let status = got.status.as_u16();
            assert!(status < 500, "{role} {method} {address}: {status}");
            let may = allows(*role, permission, Side::Hub);
            assert_eq!(
                status != 403,
                may,
                "{role} {method} {address}: {status} {}",
                String::from_utf8_lossy(&got.bytes)
            );
        }
    }
}
