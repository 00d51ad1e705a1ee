//! Logs, documents and tables that were changed by hand, heads and clocks.

use super::{about, green, of, only};
use crate::night::{Yard, shorts};

#[tokio::test]
async fn log_rows_and_bytes() {
    let yard = Yard::closed().await;
    green(&yard).await;
    let branch = yard.berlin.id();
    let node = yard.berlin.branch.node;
    sqlx::raw_sql("create table kept as select * from sync.log_block")
        .execute(yard.world.hub.pool())
        .await
        .unwrap();
    let back = "truncate sync.log_block; insert into sync.log_block select * from kept";
    let restore = async || {
        sqlx::raw_sql(back)
            .execute(yard.world.hub.pool())
            .await
            .unwrap()
    };
    yard.plant(
        &format!("delete from sync.log_block where branch_id = '{branch}' and first_seq = 4"),
        1,
    )
    .await;
    let bad = yard.night().await;
    only(&bad, "log", "red", &[("log", &format!("{node}/4"))]);
    assert_eq!(
        bad[0].details,
        ["transactions 4 to 4 are not in the hub's log"]
    );
    restore().await;
    yard.plant(
        &format!("update sync.log_block set bytes = set_byte(bytes, length(bytes) - 5, get_byte(bytes, length(bytes) - 5) # 1)
            where branch_id = '{branch}' and first_seq = 3"),
        1,
    )
    .await;
    let bad = yard.night().await;
    only(&bad, "log", "red", &[("log", &format!("{node}/3"))]);
    restore().await;
    let last = yard.berlin.branch.tip.seq;
    yard.plant(
        &format!("delete from sync.log_block where branch_id = '{branch}' and last_seq = {last}"),
        1,
    )
    .await;
    let bad = yard.night().await;
    let log = of(&bad, "BER", "log");
    assert_eq!(
        log.records[0],
        ("log".to_owned(), format!("{node}/{last}")),
        "the end of the log"
    );
    restore().await;
    yard.plant(
        &format!(
            "update sync.log_block set before = set_byte(before, 0, get_byte(before, 0) # 1)
            where branch_id = '{branch}' and first_seq = 5"
        ),
        1,
    )
    .await;
    let bad = yard.night().await;
    assert_eq!(bad[0].records[0], ("log".to_owned(), format!("{node}/5")));
    restore().await;
    green(&yard).await;
}

#[tokio::test]
async fn signed_heads_and_clocks() {
    let mut yard = Yard::trading().await;
    yard.berlin.clock(yard.berlin.at(20) + 10 * 86_400_000);
    yard.close().await;
    let bad = yard.night().await;
    only(&bad, "log", "red", &[("clock", &yard.day.to_string())]);
    assert!(bad[0].details[0].contains("10 days ahead"), "{bad:?}");

    let mut yard = Yard::closed().await;
    let branch = yard.berlin.id();
    let node = yard.berlin.branch.node.to_string();
    yard.plant(&format!("update audit.signed_head set signature = set_byte(signature, 3, get_byte(signature, 3) # 1)
        where branch_id = '{branch}'"), 1).await;
    only(&yard.night().await, "log", "red", &[("head", &node)]);
    yard.plant(&format!("update audit.signed_head set signature = set_byte(signature, 3, get_byte(signature, 3) # 1),
        countersignature = null where branch_id = '{branch}'"), 1).await;
    only(&yard.night().await, "log", "red", &[("head", &node)]);
    yard.plant(
        &format!("delete from audit.signed_head where branch_id = '{branch}'"),
        1,
    )
    .await;
    only(&yard.night().await, "log", "amber", &[("head", &node)]);
    yard.berlin.sign(&yard.world).await;
    green(&yard).await;
    // A clock that was ten days behind while a receipt was written.
    let receipt = yard.berlin.last_receipt.clone().unwrap().id;
    yard.plant(&format!("update payments.receipt set business_day = business_day - 10 where receipt = '{receipt}'"), 1).await;
    let bad = yard.night().await;
    let log = of(&bad, "BER", "log");
    about(log, &[("receipt", &receipt.to_string())]);
    assert!(log.details[0].contains("10 days behind"), "{bad:?}");
}

#[tokio::test]
async fn documents() {
    let mut yard = Yard::trading().await;
    let order = yard.berlin.order.to_string();
    let flip = format!(
        "update sync.document set hash = set_byte(hash, 0, get_byte(hash, 0) # 1) where document = '{order}'"
    );
    yard.plant(&flip, 1).await;
    yard.close().await;
    let bad = yard.night().await;
    only(
        &bad,
        "documents",
        "red",
        &[("digest", &yard.day.to_string()), ("document", &order)],
    );
    // What the hub had then stays as it was; a word that comes now agrees.
    yard.plant(&flip, 1).await;
    yard.berlin.say(&yard.world).await;
    green(&yard).await;
    yard.plant(
        &format!(
            "update sync.document set saved = set_byte(saved, 12, get_byte(saved, 12) # 1)
        where document = '{order}'"
        ),
        1,
    )
    .await;
    only(
        &yard.night().await,
        "documents",
        "red",
        &[("document", &order)],
    );
    yard.plant(
        &format!(
            "update sync.document set saved = set_byte(saved, 12, get_byte(saved, 12) # 1)
        where document = '{order}'"
        ),
        1,
    )
    .await;
    yard.berlin.lie = Some(|word| word.documents += 1);
    yard.berlin.say(&yard.world).await;
    only(
        &yard.night().await,
        "documents",
        "red",
        &[("digest", &yard.day.to_string())],
    );
    // The same while an entry is on its way is for somebody to look at, no more.
    yard.berlin.lie = Some(|word| {
        word.documents -= 1;
        word.feed -= 1;
    });
    yard.berlin.say(&yard.world).await;
    only(
        &yard.night().await,
        "documents",
        "amber",
        &[("digest", &yard.day.to_string())],
    );
}

#[tokio::test]
async fn tables() {
    let yard = Yard::closed().await;
    let branch = yard.berlin.id();
    let moved = |by: i64| {
        format!(
            "update payments.balance set balance_minor = balance_minor + {by}
        where branch_id = '{branch}' and account = 3"
        )
    };
    yard.plant(&moved(100), 1).await;
    let bad = yard.night().await;
    assert_eq!(shorts(&bad), ["BER tables red", "BER ledger red"]);
    about(&bad[0], &[("balance", "card")]);
    assert_eq!(bad[0].amounts, [Some(100)]);
    about(&bad[1], &[("currency", "EUR")]);
    yard.plant(&moved(-100), 1).await;
    let card = yard.berlin.last_card.to_string();
    yard.plant(
        &format!("update payments.payment set state = 'declined' where payment = '{card}'"),
        1,
    )
    .await;
    let bad = yard.night().await;
    about(of(&bad, "BER", "tables"), &[("payment", &card)]);
    assert!(of(&bad, "BER", "tables").details[0].contains("state"));
    yard.plant(
        &format!("update payments.payment set state = 'captured' where payment = '{card}'"),
        1,
    )
    .await;
    green(&yard).await;
    let receipt = yard.berlin.last_receipt.clone().unwrap().id.to_string();
    yard.plant(
        &format!(
            "update payments.receipt set gross_minor = gross_minor + 1 where receipt = '{receipt}'"
        ),
        1,
    )
    .await;
    only(
        &yard.night().await,
        "tables",
        "red",
        &[("receipt", &receipt)],
    );
}

/// A branch whose word lies in the future is not reconciled, and its clock is named.
#[tokio::test]
async fn a_clock_ten_days_ahead_is_named_without_the_days_word() {
    let mut yard = Yard::trading().await;
    yard.hamburg.close(&yard.world, &yard.hand).await;
    yard.berlin.day += 10;
    yard.berlin.close(&yard.world, &yard.hand).await;
    yard.hand.set(yard.night_ms);
    let bad = yard.night().await;
    let log = of(&bad, "BER", "log");
    assert_eq!(
        log.records[0],
        ("clock".to_owned(), (yard.day + 10).to_string()),
        "{bad:#?}"
    );
    assert_eq!(of(&bad, "BER", "cash").state.as_str(), "unreconciled");
}
