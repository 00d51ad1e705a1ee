//! Callers that go away while a transaction begins.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use hub::store::db::{PgPool, PgPoolOptions, begin, snapshot};

use crate::support::migrated_database;

/// Goal: a request that is given up while its transaction begins leaves nothing open behind it.
/// Method: a pool of one connection; each kind of transaction is given up after every number of steps; the
/// connection must not be in a transaction afterwards.
#[tokio::test]
async fn a_transaction_that_is_given_up_while_it_begins_is_not_left_open() {
    let address = migrated_database().await;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect(&address)
        .await
        .unwrap();
    for steps in 0..12 {
        give_up(&pool, steps, true).await;
        give_up(&pool, steps, false).await;
    }
}

async fn give_up(pool: &PgPool, steps: usize, read_only: bool) {
    {
        let mut begun = pin!(async {
            let begun = if read_only {
                snapshot(pool).await
            } else {
                begin(pool).await
            };
            begun.map(drop)
        });
        for _ in 0..steps {
            let polled = begun.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(begun) = polled {
                begun.unwrap();
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    // Outside a transaction two statements have two times.
    let now = "select (extract(epoch from now()) * 1000000)::bigint";
    let mut connection = pool.acquire().await.unwrap();
    let first: i64 = sqlx::query_scalar(now)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let second: i64 = sqlx::query_scalar(now)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_ne!(first, second, "left open after {steps} steps");
}
