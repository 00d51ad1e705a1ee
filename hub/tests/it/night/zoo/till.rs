//! Drawers, day reports and the numbers of papers.

use super::{about, green, of, only};
use crate::night::Yard;

#[tokio::test]
async fn cash() {
    let mut yard = Yard::trading().await;
    yard.berlin.miscount = (-300, "wrong change".to_owned());
    yard.close().await;
    let session = yard.berlin.session.to_string();
    let bad = yard.night().await;
    only(&bad, "cash", "amber", &[("session", &session)]);
    assert_eq!(bad[0].amounts, [Some(-300)]);
    assert!(bad[0].details[0].ends_with("wrong change"));
    let branch = yard.berlin.id();
    yard.plant(&format!("update payments.session set counted_minor = counted_minor + 300 where branch_id = '{branch}'"), 1).await;
    let bad = yard.night().await;
    only(&bad, "cash", "red", &[("session", &session)]);

    let mut yard = Yard::trading().await;
    yard.berlin.clock(yard.berlin.at(20));
    yard.berlin
        .close_drawer_with(&yard.world, |closed| {
            closed.expected_minor -= 500;
            closed.counted[0].pieces -= 500;
        })
        .await;
    yard.berlin.say(&yard.world).await;
    let session = yard.berlin.session.to_string();
    let bad = yard.night().await;
    let cash = of(&bad, "BER", "cash");
    about(cash, &[("session", &session)]);
    assert_eq!(cash.amounts, [Some(-500)], "the records come to more");
}

#[tokio::test]
async fn day_reports_chain_and_drawers_close() {
    let mut yard = Yard::trading().await;
    yard.berlin.clock(yard.berlin.at(20));
    yard.hand.set(yard.berlin.at(20));
    yard.berlin.say(&yard.world).await;
    yard.hamburg.close(&yard.world, &yard.hand).await;
    yard.hand.set(yard.night_ms);
    let session = yard.berlin.session.to_string();
    only(
        &yard.night().await,
        "cash",
        "amber",
        &[("session", &session)],
    );
    yard.berlin.close_drawer(&yard.world).await;
    yard.berlin.say(&yard.world).await;
    green(&yard).await;
    yard.day += 1;
    yard.night_ms += 86_400_000;
    for shop in [&mut yard.berlin, &mut yard.hamburg] {
        shop.begin(&yard.world, yard.day).await;
        shop.trade(&yard.world, &yard.hand).await;
    }
    yard.hamburg.close(&yard.world, &yard.hand).await;
    yard.berlin.clock(yard.berlin.at(20));
    yard.hand.set(yard.berlin.at(20));
    yard.berlin
        .close_drawer_with(&yard.world, |closed| closed.former = [7; 32])
        .await;
    yard.berlin.say(&yard.world).await;
    yard.hand.set(yard.night_ms);
    let second = yard.berlin.session.to_string();
    let bad = yard.night().await;
    only(&bad, "cash", "red", &[("session", &second)]);
    assert!(
        bad[0].details[0].contains("Z-A000002 does not carry"),
        "{bad:?}"
    );
    yard.plant(
        &format!("delete from payments.session where session = '{session}'"),
        1,
    )
    .await;
    let bad = yard.night().await;
    let gone = of(&bad, "BER", "cash");
    assert!(
        gone.details[0].contains("before Z-A000002 is not there"),
        "{bad:?}"
    );
}

#[tokio::test]
async fn numbers() {
    let mut yard = Yard::closed().await;
    let branch = yard.berlin.id();
    yard.plant("create table kept as select * from payments.paper", 10)
        .await;
    let back = "truncate payments.paper; insert into payments.paper select * from kept";
    yard.plant(
        &format!(
            "delete from payments.paper where branch_id = '{branch}' and kind = 1 and number = 2"
        ),
        1,
    )
    .await;
    only(
        &yard.night().await,
        "numbers",
        "red",
        &[("number", "R-A000002")],
    );
    yard.plant(&format!("insert into sync.parked values ('{branch}', 1, 1, 1, 0, '{branch}', 80, 'x', '{branch}', 0, 1)"), 1).await;
    only(
        &yard.night().await,
        "numbers",
        "amber",
        &[("number", "R-A000002")],
    );
    yard.plant("delete from sync.parked", 1).await;
    sqlx::raw_sql(back)
        .execute(yard.world.hub.pool())
        .await
        .unwrap();
    yard.plant(
        &format!("insert into payments.paper values ('{branch}', 1, 65, 3, '{branch}', 0)"),
        1,
    )
    .await;
    only(
        &yard.night().await,
        "numbers",
        "red",
        &[("number", "R-A000003")],
    );
    sqlx::raw_sql(back)
        .execute(yard.world.hub.pool())
        .await
        .unwrap();
    yard.berlin.lie = Some(|word| word.numbers[1].number += 1);
    yard.berlin.say(&yard.world).await;
    only(
        &yard.night().await,
        "numbers",
        "red",
        &[("number", "Z-A000002")],
    );
}
