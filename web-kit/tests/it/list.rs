//! Lists in pages: limits, cursors and the end.
//! A cursor never opens another list.

use axum::Router;
use axum::routing::get;
use serde::Deserialize;
use web_kit::{ApiQuery, Cursor, ListQuery, Page};

use crate::support::get as fetch;

#[derive(Deserialize)]
struct Orders {
    status: Option<String>,
    #[serde(flatten)]
    list: ListQuery,
}

fn router() -> Router {
    Router::new()
        .route(
            "/plain",
            get(|list: ListQuery| async move { list.limit.to_string() }),
        )
        .route(
            "/orders",
            get(|ApiQuery(query): ApiQuery<Orders>| async move {
                let after: Option<(u64, String)> = query.list.after("orders")?;
                Ok::<_, web_kit::Problem>(format!(
                    "{:?} {} {after:?}",
                    query.status, query.list.limit
                ))
            }),
        )
}

#[tokio::test]
async fn a_limit_stays_between_1_and_500() {
    assert_eq!(fetch(&router(), "/plain").await.text(), "50");
    assert_eq!(fetch(&router(), "/plain?limit=500").await.text(), "500");
    for limit in ["0", "501", "-1", "ten", "1000000000", "", "1.5"] {
        assert_eq!(
            fetch(&router(), &format!("/plain?limit={limit}"))
                .await
                .pointers(),
            ["/limit"]
        );
        fetch(&router(), &format!("/orders?limit={limit}"))
            .await
            .problem(422);
    }
}

#[tokio::test]
async fn a_cursor_comes_back_and_only_to_its_list() {
    let cursor = Cursor::encode("orders", &(42_u64, "id"));
    let answer = fetch(
        &router(),
        &format!("/orders?status=ready&limit=7&cursor={cursor}"),
    )
    .await;
    assert_eq!(answer.text(), r#"Some("ready") 7 Some((42, "id"))"#);
    let of_parts = Cursor::encode("parts", &(42_u64, "id"));
    for wrong in [
        of_parts.as_str(),
        "x",
        "AAAA",
        "%F0%9F%92%A9",
        &cursor[1..],
        &cursor[..cursor.len() - 2],
    ] {
        let answer = fetch(&router(), &format!("/orders?cursor={wrong}")).await;
        assert_eq!(answer.pointers(), ["/cursor"], "{wrong}");
    }
}

#[test]
fn a_page_knows_whether_there_is_more() {
    let page = Page::cut(vec![5, 4, 3], 2, |last| Cursor::encode("n", last));
    assert_eq!(page.items, [5, 4]);
    assert_eq!(
        Cursor::decode::<i32>("n", page.next_cursor.as_deref().unwrap()).unwrap(),
        4
    );
    let last = Page::cut(vec![3], 2, |_| unreachable!());
    assert_eq!(
        serde_json::to_value(last.map(|n| n + 1)).unwrap(),
        serde_json::json!({"items": [4], "next_cursor": null})
    );
}
