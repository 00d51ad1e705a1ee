//! The harness against a small server: one that does everything right, and the same with one fault.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(
    missing_docs,
    reason = "the macros of the document make items without comments"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::{FindingKind, Options, Report, Target, run};

/// One thing that the server does wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    FailsOnEmoji,
    PlainTextOnWrongType,
    WrongStatusInBody,
    TakesNegativeQuantity,
    StoresBeforeRefusingNul,
    StoresOnceBeforeRefusingNul,
    AsksForNoSignIn,
    AnswersTeapotToMarkup,
    TakesAnyCursor,
    HangsUpOnMarkup,
}

#[derive(Serialize, Deserialize, ToSchema, Clone)]
#[serde(deny_unknown_fields)]
struct NewThing {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    #[schema(minimum = 1, maximum = 1000, example = 3)]
    quantity: i32,
    note: Option<String>,
    owner: Option<Owner>,
    #[serde(default)]
    lines: Vec<Line>,
    price: Price,
    #[serde(default)]
    tags: BTreeMap<String, bool>,
}

#[derive(Serialize, Deserialize, ToSchema, Clone)]
struct Owner {
    #[schema(max_length = 100)]
    name: String,
    email: Option<String>,
}

#[derive(Serialize, Deserialize, ToSchema, Clone)]
struct Line {
    kind: Kind,
    #[schema(minimum = 0)]
    amount_minor: i64,
}

#[derive(Serialize, Deserialize, ToSchema, Clone)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Part,
    Fee,
}

#[derive(Serialize, Deserialize, ToSchema, Clone)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Price {
    Fixed { amount_minor: i64 },
    Free { reason: String },
}

#[derive(Serialize, ToSchema)]
struct Problem {
    r#type: String,
    title: String,
    status: u16,
    detail: String,
}

#[derive(OpenApi)]
#[openapi(
    paths(list, create, read, import),
    components(schemas(Problem)),
    security(("bearer" = []))
)]
struct Document;

#[derive(Clone)]
struct Server {
    fault: Fault,
    things: Arc<Mutex<Vec<Value>>>,
    has_stored: Arc<Mutex<bool>>,
}

const TOKEN: &str = "right-token";
const THING: &str = "11111111-1111-4111-8111-111111111111";

fn problem(status: StatusCode, detail: impl Into<String>) -> Response {
    let body = Problem {
        r#type: "about:blank".into(),
        title: status.canonical_reason().unwrap_or("Refused").into(),
        status: status.as_u16(),
        detail: detail.into(),
    };
    let body = serde_json::to_vec(&body).unwrap();
    (
        status,
        [(header::CONTENT_TYPE, "application/problem+json")],
        body,
    )
        .into_response()
}

fn unprocessable(detail: impl Into<String>) -> Response {
    problem(StatusCode::UNPROCESSABLE_ENTITY, detail)
}

#[utoipa::path(
    get,
    path = "/things",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query),
    ),
    responses((status = 200), (status = 401, body = Problem), (status = 422, body = Problem))
)]
async fn list(State(server): State<Server>, RawQuery(query): RawQuery) -> Response {
    for pair in query.unwrap_or_default().split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let limit_is_right = value
            .parse()
            .is_ok_and(|limit: u32| (1..=500).contains(&limit));
        if name == "limit" && !value.is_empty() && !limit_is_right {
            return unprocessable("limit is a number from 1 to 500");
        }
        if name == "cursor" && !value.is_empty() && server.fault != Fault::TakesAnyCursor {
            return unprocessable("cursor comes from an earlier answer");
        }
    }
    StatusCode::OK.into_response()
}

#[utoipa::path(
    post,
    path = "/things",
    request_body = NewThing,
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255)),
    responses(
        (status = 201),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 413, body = Problem),
        (status = 415, body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn create(
    State(server): State<Server>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let key = headers
        .get("Idempotency-Key")
        .and_then(|key| key.to_str().ok());
    if !key.is_some_and(|key| (1..=255).contains(&key.len())) {
        return problem(
            StatusCode::BAD_REQUEST,
            "Idempotency-Key has 1 to 255 characters",
        );
    }
    if headers
        .get(header::CONTENT_TYPE)
        .is_none_or(|value| value != "application/json")
    {
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is JSON");
    }
    let Ok(body) = body else {
        return problem(StatusCode::PAYLOAD_TOO_LARGE, "at most 1 MiB");
    };
    if String::from_utf8_lossy(&body).contains("<script>") && server.fault == Fault::HangsUpOnMarkup
    {
        std::future::pending::<()>().await;
    }
    match serde_json::from_slice::<NewThing>(&body) {
        Ok(thing) => server.store(thing),
        Err(error) if error.is_data() && server.fault == Fault::PlainTextOnWrongType => {
            (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response()
        }
        Err(error) if error.is_data() && server.fault == Fault::WrongStatusInBody => {
            (StatusCode::BAD_REQUEST, unprocessable(error.to_string())).into_response()
        }
        Err(error) => unprocessable(error.to_string()),
    }
}

impl Server {
    fn store(&self, thing: NewThing) -> Response {
        let least = if self.fault == Fault::TakesNegativeQuantity {
            i32::MIN
        } else {
            1
        };
        let name_is_right = (1..=200).contains(&thing.name.chars().count());
        let owner_is_right = thing
            .owner
            .as_ref()
            .is_none_or(|owner| owner.name.chars().count() <= 100);
        let lines_are_right = thing.lines.iter().all(|line| line.amount_minor >= 0);
        if !name_is_right || !owner_is_right || !lines_are_right {
            return unprocessable("a name or an amount is out of bounds");
        }
        if !(least..=1000).contains(&thing.quantity) {
            return unprocessable("quantity is from 1 to 1000");
        }
        if thing.name.contains('\0') {
            let is_first = !std::mem::replace(&mut *self.has_stored.lock().unwrap(), true);
            if self.fault == Fault::StoresBeforeRefusingNul
                || (self.fault == Fault::StoresOnceBeforeRefusingNul && is_first)
            {
                self.things.lock().unwrap().push(json!(thing));
            }
            return unprocessable("name holds a NUL character");
        }
        if thing.name.contains('\u{1f469}') && self.fault == Fault::FailsOnEmoji {
            return problem(StatusCode::INTERNAL_SERVER_ERROR, "unexpected");
        }
        if thing.name.contains('<') && self.fault == Fault::AnswersTeapotToMarkup {
            return problem(StatusCode::IM_A_TEAPOT, "no markup");
        }
        self.things.lock().unwrap().push(json!(thing));
        StatusCode::CREATED.into_response()
    }
}

#[utoipa::path(
    get,
    path = "/things/{id}",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn read(path: Result<Path<String>, axum::extract::rejection::PathRejection>) -> Response {
    match path {
        Ok(Path(id)) if id == THING => StatusCode::OK.into_response(),
        _ => problem(StatusCode::NOT_FOUND, "no such thing"),
    }
}

#[utoipa::path(
    post,
    path = "/imports",
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200), (status = 401, body = Problem), (status = 422, body = Problem))
)]
async fn import(request: Request) -> Response {
    match axum::body::to_bytes(request.into_body(), usize::MAX).await {
        Ok(bytes) if bytes.starts_with(b"id,") => StatusCode::OK.into_response(),
        _ => unprocessable("the first line names no columns"),
    }
}

async fn check_sign_in(State(server): State<Server>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION);
    let is_right = given.is_some_and(|value| value == &format!("Bearer {TOKEN}"));
    if is_right || server.fault == Fault::AsksForNoSignIn {
        return next.run(request).await;
    }
    problem(StatusCode::UNAUTHORIZED, "sign in first")
}

async fn run_against(fault: Fault) -> Report {
    let server = Server {
        fault,
        things: Arc::default(),
        has_stored: Arc::default(),
    };
    let things = Arc::clone(&server.things);
    let routes = Router::new()
        .route("/things", get(list).post(create))
        .route("/things/{id}", get(read))
        .route("/imports", post(import).layer(DefaultBodyLimit::disable()))
        .method_not_allowed_fallback(async || {
            problem(StatusCode::METHOD_NOT_ALLOWED, "no such method")
        })
        .fallback(async || problem(StatusCode::NOT_FOUND, "no such page"))
        .layer(DefaultBodyLimit::max(1024 * 1024))
        .layer(from_fn_with_state(server.clone(), check_sign_in))
        .with_state(server);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
    let document = serde_json::to_value(Document::openapi()).unwrap();
    let target = Target {
        base_url,
        token: TOKEN.into(),
    };
    let options = Options {
        values: BTreeMap::from([("/things/{id}".into(), THING.into())]),
        bodies: BTreeMap::from([("POST /imports".into(), json!("id,name\n1,x\n"))]),
        timeout: std::time::Duration::from_millis(if fault == Fault::HangsUpOnMarkup {
            500
        } else {
            20_000
        }),
        ..Options::default()
    };
    // Things are only ever added here, so their number is the state.
    let state = async || Ok(things.lock().unwrap().len().to_string());
    let report = run(&document, &target, &options, state).await.unwrap();
    serving.abort();
    report
}

/// The findings of a run: each kind with the labels it was found at.
fn found(report: &Report) -> BTreeMap<FindingKind, BTreeSet<String>> {
    let mut found = BTreeMap::<FindingKind, BTreeSet<String>>::new();
    for finding in &report.findings {
        found
            .entry(finding.kind)
            .or_default()
            .insert(finding.label.clone());
    }
    found
}

async fn expect_only(fault: Fault, kind: FindingKind, label: &str) {
    let report = run_against(fault).await;
    let found = found(&report);
    assert_eq!(found.keys().collect::<Vec<_>>(), [&kind], "{report}");
    assert!(found[&kind].contains(label), "{report}");
}

#[tokio::test]
async fn a_server_without_fault_has_no_finding() {
    let report = run_against(Fault::Nothing).await;
    assert!(report.is_clean(), "{report}");
    assert!(report.undocumented.is_empty(), "{report}");
    assert!(report.refused_examples.is_empty(), "{report}");
    assert_eq!(report.statuses.len(), 4);
    let accepted: BTreeSet<&str> = report
        .accepted
        .iter()
        .map(|one| one.label.as_str())
        .collect();
    for label in [
        "body /name: right-to-left text",
        "body /note: null",
        "body /owner/email: emoji",
    ] {
        assert!(
            accepted.contains(label),
            "{label} should be accepted: {accepted:?}"
        );
    }
    let created = &report.statuses["POST /things"];
    for status in [201, 400, 401, 413, 415, 422] {
        assert!(created.contains_key(&status), "{status} in {created:?}");
    }
}

#[tokio::test]
async fn every_place_of_a_body_is_reached() {
    let document = serde_json::to_value(Document::openapi()).unwrap();
    let schemas = super::schema::Schemas::new(&document);
    let operations = super::operation::operations_of(&document).unwrap();
    let create = operations
        .iter()
        .find(|one| one.name() == "POST /things")
        .unwrap();
    let body = create.body.as_ref().unwrap();
    assert!(
        !schemas.is_broken_by(&body.schema, &body.example),
        "{}",
        body.example
    );
    let fields = super::fields::fields_of(schemas, &body.schema, &body.example);
    let pointers: BTreeSet<String> = fields.iter().map(super::fields::Field::pointer).collect();
    for pointer in [
        "",
        "/name",
        "/quantity",
        "/note",
        "/owner",
        "/owner/name",
        "/owner/email",
        "/lines",
        "/lines/0",
        "/lines/0/kind",
        "/lines/0/amount_minor",
        "/price",
        "/price/type",
        "/price/amount_minor",
        "/price/reason",
        "/tags",
        "/tags/key",
    ] {
        assert!(pointers.contains(pointer), "{pointer} in {pointers:?}");
    }
    for field in &fields {
        assert!(
            !schemas.is_broken_by(&body.schema, &field.body),
            "{}: {}",
            field.pointer(),
            field.body
        );
        serde_json::from_value::<NewThing>(field.body.clone()).unwrap();
    }
}

#[tokio::test]
async fn a_failing_server_is_found() {
    expect_only(
        Fault::FailsOnEmoji,
        FindingKind::ServerError,
        "body /name: emoji",
    )
    .await;
}

#[tokio::test]
async fn a_refusal_that_is_no_problem_is_found() {
    let label = "body /quantity: a text";
    expect_only(Fault::PlainTextOnWrongType, FindingKind::NotAProblem, label).await;
    expect_only(Fault::WrongStatusInBody, FindingKind::NotAProblem, label).await;
}

#[tokio::test]
async fn taking_what_the_document_forbids_is_found() {
    expect_only(
        Fault::TakesNegativeQuantity,
        FindingKind::Accepted,
        "body /quantity: -1",
    )
    .await;
    expect_only(
        Fault::TakesAnyCursor,
        FindingKind::Accepted,
        "query cursor: a text",
    )
    .await;
}

#[tokio::test]
async fn a_refused_request_that_changes_something_is_found() {
    let label = "body /name: NUL";
    expect_only(
        Fault::StoresBeforeRefusingNul,
        FindingKind::StateChanged,
        label,
    )
    .await;
    expect_only(
        Fault::StoresOnceBeforeRefusingNul,
        FindingKind::StateChanged,
        label,
    )
    .await;
}

#[tokio::test]
async fn a_missing_sign_in_is_found() {
    expect_only(Fault::AsksForNoSignIn, FindingKind::SignIn, "a wrong token").await;
}

#[tokio::test]
async fn a_status_that_the_document_does_not_list_stands_apart() {
    let report = run_against(Fault::AnswersTeapotToMarkup).await;
    assert!(report.is_clean(), "{report}");
    let undocumented: Vec<_> = report.undocumented.keys().collect();
    assert_eq!(undocumented, [&("POST /things".to_owned(), 418)]);
}

#[tokio::test]
async fn an_answer_that_never_comes_is_found() {
    expect_only(
        Fault::HangsUpOnMarkup,
        FindingKind::NoAnswer,
        "body /name: markup",
    )
    .await;
}
