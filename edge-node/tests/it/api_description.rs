//! The description of the API is complete and true: every route is in it, what is in it exists, and the permission
//! that it names is the one that is asked for.

use std::collections::BTreeSet;

use domain::permission::{Permission, Side, allows};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use web_kit::openapi::operations;

use crate::api_support::*;

const OPEN: [&str; 4] = ["/api/v1/session", "/healthz", "/readyz", "/metrics"];
/// These only read, though by a body, or change nothing but the session.
const WITHOUT_KEY: [&str; 3] = [
    "/api/v1/session",
    "/api/v1/search",
    "/api/v1/customers/lookup",
];

fn filled(path: &str) -> String {
    let id = "6b1f1b2c-0f6e-4a56-9d4f-2f0b1c7d8e90";
    path.replace("{id}", id)
        .replace("{line_id}", id)
        .replace("{version}", "1")
        .replace("{sku}", "SCR-1")
        .replace("{file}", "stock.csv")
}

fn method_of(name: &str) -> Method {
    name.parse().unwrap()
}

fn plain(parameter: &RefOr<Parameter>) -> &Parameter {
    match parameter {
        RefOr::T(parameter) => parameter,
        RefOr::Ref(_) => panic!("parameters are written out"),
    }
}

fn permission_of(operation: &Operation) -> Option<Permission> {
    let extensions = operation.extensions.as_ref()?;
    let name = extensions.get("x-permission")?.as_str()?;
    let found = Permission::ALL
        .iter()
        .find(|permission| permission.as_str() == name);
    Some(*found.unwrap_or_else(|| panic!("there is no permission {name}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_branchs_routes_are_described() {
    let shop = Served::open().await;
    let document = edge_node::api::description(&shop.state);
    let described: BTreeSet<String> = operations(&document)
        .into_iter()
        .map(|(path, method, _)| format!("{method} {path}"))
        .collect();
    let wanted = [
        "POST /api/v1/session",
        "GET /api/v1/session",
        "DELETE /api/v1/session",
        "GET /api/v1/sync",
        "POST /api/v1/sync/pause",
        "POST /api/v1/sync/resume",
        "POST /api/v1/sync/check",
        "GET /api/v1/customers",
        "POST /api/v1/customers",
        "GET /api/v1/customers/{id}",
        "PATCH /api/v1/customers/{id}",
        "GET /api/v1/orders",
        "POST /api/v1/orders",
        "GET /api/v1/orders/{id}",
        "PATCH /api/v1/orders/{id}",
        "POST /api/v1/orders/{id}/status",
        "POST /api/v1/orders/{id}/undo",
        "POST /api/v1/orders/{id}/lines",
        "PATCH /api/v1/orders/{id}/lines/{line_id}",
        "DELETE /api/v1/orders/{id}/lines/{line_id}",
        "POST /api/v1/orders/{id}/lines/{line_id}/consume",
        "POST /api/v1/orders/{id}/notes",
        "POST /api/v1/orders/{id}/estimates",
        "POST /api/v1/orders/{id}/estimates/{version}/answer",
        "GET /api/v1/parts",
        "GET /api/v1/stock",
        "GET /api/v1/stock/{sku}",
        "PATCH /api/v1/stock/{sku}",
        "GET /api/v1/stock/{sku}/movements",
        "POST /api/v1/stock/{sku}/movements",
        "POST /api/v1/deliveries",
        "GET /api/v1/transfers",
        "POST /api/v1/transfers",
        "POST /api/v1/transfers/{id}/ship",
        "POST /api/v1/transfers/{id}/receive",
        "GET /api/v1/documents",
        "GET /api/v1/documents/{id}",
        "GET /api/v1/documents/digest",
        "GET /api/v1/incidents",
        "GET /api/v1/decisions",
        "POST /api/v1/decisions/{id}/settle",
        "GET /api/v1/conflicts",
        "POST /api/v1/conflicts/{id}/resolve",
        "POST /api/v1/conflicts/{id}/undo",
        "GET /api/v1/events",
        "POST /api/v1/search",
        "GET /api/v1/exports/{file}",
        "POST /api/v1/imports/ords",
        "POST /api/v1/imports/{kind}",
        "GET /api/v1/settings",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
    ];
    for route in wanted {
        assert!(described.contains(route), "{route} is not described");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_says_everything() {
    let shop = Served::open().await;
    let served = shop.nobody().get("/api/v1/openapi.json").await.ok(200);
    assert_eq!(served["openapi"], "3.1.0");
    let document = edge_node::api::description(&shop.state);
    assert_eq!(serde_json::to_value(&document).unwrap(), served);
    check_refs(&served, &served);
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let what = format!("{method} {path}");
        assert!(
            names.insert(operation.operation_id.clone().unwrap()),
            "{what} has another's name"
        );
        assert!(
            operation
                .summary
                .as_ref()
                .or(operation.description.as_ref())
                .is_some(),
            "{what} says nothing"
        );
        let responses = &operation.responses.responses;
        assert!(
            responses.keys().any(|status| status.starts_with('2')),
            "{what} has no success"
        );
        let is_open = OPEN.contains(&path.as_str());
        if !is_open {
            for status in ["401", "403"] {
                assert!(responses.contains_key(status), "{what} lacks {status}");
            }
            assert!(
                permission_of(operation).is_some(),
                "{what} names no permission"
            );
        }
        let parameters: Vec<&Parameter> =
            operation.parameters.iter().flatten().map(plain).collect();
        let has_key = parameters.iter().any(|parameter| {
            parameter.parameter_in == ParameterIn::Header && parameter.name == "Idempotency-Key"
        });
        let wants_key = matches!(method, "POST") && !WITHOUT_KEY.contains(&path.as_str());
        assert!(has_key || !wants_key, "{what} takes no key");
        for part in path.split('/').filter_map(|part| part.strip_prefix('{')) {
            let name = part.trim_end_matches('}');
            assert!(
                parameters
                    .iter()
                    .any(|p| p.parameter_in == ParameterIn::Path && p.name == name),
                "{what} does not describe {name}"
            );
        }
    }
    let page = shop
        .http
        .get(format!("{}/api/v1/docs", shop.url))
        .send()
        .await
        .unwrap();
    assert!(page.status().is_success());
}

/// Every `$ref` leads somewhere.
fn check_refs(value: &Value, document: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(at) = members.get("$ref").and_then(Value::as_str) {
                assert!(
                    document.pointer(at.trim_start_matches('#')).is_some(),
                    "{at} leads nowhere"
                );
            }
            members
                .values()
                .for_each(|member| check_refs(member, document));
        }
        Value::Array(items) => items.iter().for_each(|item| check_refs(item, document)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_nothing_answers() {
    let shop = Served::open().await;
    let document = edge_node::api::description(&shop.state);
    for (path, method, _) in operations(&document) {
        if OPEN.contains(&path.as_str()) {
            continue;
        }
        let request = shop
            .http
            .request(method_of(method), format!("{}{}", shop.url, filled(&path)));
        let got = Got::of(request.send().await.unwrap()).await;
        assert_eq!(got.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        got.problem(401);
    }
}

/// T-20: the table of permissions, held against every route and role.
#[tokio::test(flavor = "multi_thread")]
async fn each_route_asks_for_the_permission_that_it_names() {
    let shop = Served::open().await;
    let document = edge_node::api::description(&shop.state);
    for (_, username, role) in PEOPLE {
        let person = shop.sign_in(username).await;
        for (path, method, operation) in operations(&document) {
            let Some(permission) = permission_of(operation) else {
                continue;
            };
            let request = person
                .request(method_of(method), &filled(&path))
                .send()
                .await
                .unwrap();
            let refused = request.status() == StatusCode::FORBIDDEN;
            let what = format!("{role} {method} {path}: {}", request.status());
            assert_eq!(refused, !allows(role, permission, Side::Branch), "{what}");
            assert!(request.status() != StatusCode::UNAUTHORIZED, "{what}");
            // The hub is away, and a person who is not here comes from it alone.
            let needs_hub = path.ends_with("/attach") && request.status().as_u16() == 503;
            assert!(request.status().as_u16() < 500 || needs_hub, "{what}");
        }
    }
}
