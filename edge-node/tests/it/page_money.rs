//! Paying off an account, parking a basket and closing the day, as a browser without scripts does it.

use domain::id::{DocumentId, PaymentId};
use domain::payment::{PaymentOutcome, PaymentResult, Provider};
use domain::stock::MovementKind;
use domain::till::{AccountRow, Tender};
use edge_node::app::stock::{self, MovementInput};
use edge_node::app::till::{SaleInput, SalePart, TenderInput, sell};
use edge_node::store::Store;
use reqwest::{Response, StatusCode, header};
use sync_protocol::item::{Item, Row};

use crate::api_support::*;
use crate::pages::{Browser, key_of};
use crate::support::{ACTOR, HubFeed, apply, write_customer};

#[track_caller]
fn led_to(answer: &Response) -> String {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let location = &answer.headers()[header::LOCATION];
    location.to_str().unwrap().to_owned()
}

/// A shop where a firm owes 49.90 of at most 200.00; gives the firm.
async fn shop() -> (Served, DocumentId) {
    let (give, take) = std::sync::mpsc::channel();
    let shop = Served::open_with(move |store, chain| {
        let firm = write_customer(store, "Hartmann <GmbH>", "+49 30 555", "");
        let account = Item::Account(Row {
            id: firm,
            version: 1,
            deleted: false,
            fields: AccountRow {
                limit_minor: 20_000,
                due_days: 14,
            },
        });
        apply(store, chain.block(&[vec![account]]));
        give.send(firm).unwrap();
    })
    .await;
    let firm = take.recv().unwrap();
    let receive = MovementInput {
        kind: MovementKind::Receive,
        quantity: 9,
        reason: None,
        reference: None,
    };
    let sale = SaleInput {
        customer_id: Some(firm),
        parts: vec![SalePart {
            sku: "SCR-1".to_owned(),
            quantity: 1,
        }],
        tenders: vec![TenderInput {
            tender: "account".to_owned(),
            amount: domain::money::Money {
                amount_minor: 4_990,
                currency: domain::money::Currency::EUR,
            },
            given: None,
            via: None,
        }],
        ..SaleInput::default()
    };
    let store = shop.state.store();
    let write = store.write(move |tx| stock::move_by_hand(tx, &ACTOR, "SCR-1", receive));
    write.await.unwrap();
    let write = store.write(move |tx| sell(tx, &ACTOR, &sale));
    write.await.unwrap();
    (shop, firm)
}

/// The key of the form with this beginning.
#[track_caller]
fn key_in<'a>(page: &'a str, form: &str) -> &'a str {
    let rest = page.split_once(form);
    key_of(rest.unwrap_or_else(|| panic!("no {form} in {page}")).1)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_owes_is_paid_off_from_the_person_and_from_the_till() {
    let (shop, firm) = shop().await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    browser
        .post("/cash", "key=c-open&float=100.00".to_owned())
        .await;
    let person = browser.page(&format!("/people/{firm}")).await;
    let pay = format!("/till?customer={firm}&#38;claim=4990");
    for words in [
        "EUR 49.90",
        "150.10 of 200.00 may still be taken",
        "/receipts/BER-R-A000001",
        "taken on account",
        &pay,
    ] {
        assert!(person.contains(words), "{words} is missing in {person}");
    }
    // The name typed at the till finds the account too.
    let found = browser
        .post("/till/basket", "code=hartmann".to_owned())
        .await;
    let found = found.text().await.unwrap();
    assert!(
        found.contains("owes 49.90") && found.contains(&pay),
        "{found}"
    );
    // With something in the basket it is for that customer, and what is owed is offered.
    let with = browser
        .page(&format!("/till?customer={firm}&part=SCR-1&n=1"))
        .await;
    assert!(
        with.contains("Pay off 49.90") && with.contains("value=\"account\""),
        "{with}"
    );
    let address = format!("/till?customer={firm}&claim=4990");
    let page = browser.page(&address).await;
    for words in [
        "data-due=\"4990\"",
        "Hartmann &#60;GmbH&#62;",
        "Nothing stays owed.",
    ] {
        assert!(page.contains(words), "{words} is missing in {page}");
    }
    assert!(
        !page.contains("name=\"tender\" value=\"account\""),
        "owing again is no way to pay"
    );
    let part = format!("customer={firm}&claim=20.00&action=add");
    let part = led_to(&browser.post("/till/basket", part).await);
    assert_eq!(part, format!("/till?customer={firm}&claim=2000"));
    let much = browser
        .page(&format!("/till?customer={firm}&claim=9000"))
        .await;
    assert!(
        much.contains("Only 49.90 is owed.") && much.contains("data-due=\"0\""),
        "{much}"
    );
    let page = browser.page(&part).await;
    assert!(page.contains("29.90 stays owed."), "{page}");
    let form = format!(
        "key={}&due=2000&customer={firm}&claim=2000&tender=cash&given=50",
        key_in(&page, "id=\"pay\"")
    );
    let paid = led_to(&browser.post("/till", form.clone()).await);
    assert_eq!(led_to(&browser.post("/till", form).await), paid, "once");
    let receipt = browser.page(&paid).await;
    for words in ["What was owed", "20.00", "−30.00", "EUR 30.00"] {
        assert!(receipt.contains(words), "{words} is missing in {receipt}");
    }
    let person = browser.page(&format!("/people/{firm}")).await;
    assert!(
        person.contains("EUR 29.90") && person.contains("−20.00"),
        "{person}"
    );
    let again = format!("key=k-2&due=2000&customer={firm}&claim=2000&tender=account");
    let again = browser.post("/till", again).await;
    assert_eq!(again.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        again
            .text()
            .await
            .unwrap()
            .contains("not paid by owing it again")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_was_called_off_is_owed_and_taken_otherwise() {
    let (shop, firm) = shop().await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    browser
        .post("/cash", "key=c-open&float=100.00".to_owned())
        .await;
    let form = format!("key=k-1&due=4990&customer={firm}&part=SCR-1&n=1&tender=card");
    let receipt = led_to(&browser.post("/till", form).await);
    let page = browser.page(&receipt).await;
    assert!(!page.contains("Take it otherwise"), "{page}");
    let payment = page.split_once("name=\"payment\" value=\"").unwrap().1;
    let payment = payment.split_once('"').unwrap().0;
    let path = format!("{}/call-off", receipt.split('?').next().unwrap());
    let off = format!("key=k-off&payment={payment}");
    led_to(&browser.post(&path, off).await);
    let page = browser.page(&receipt).await;
    let href = format!("/till?customer={firm}&#38;claim=9980");
    assert!(
        page.contains("Take it otherwise") && page.contains(&href),
        "with what was owed before: {page}"
    );
    let person = browser.page(&format!("/people/{firm}")).await;
    assert!(person.contains("asked for, not come"), "{person}");
    let form = format!("key=k-2&due=4990&customer={firm}&claim=4990&tender=cash");
    led_to(&browser.post("/till", form).await);
    let person = browser.page(&format!("/people/{firm}")).await;
    assert!(person.contains("EUR 49.90"), "{person}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_basket_is_parked_shown_with_who_and_when_and_taken_back() {
    let (shop, firm) = shop().await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    let address = format!("/till?customer={firm}&part=SCR-1&n=2");
    let page = browser.page(&address).await;
    let fields = format!("customer={firm}&part=SCR-1&n=2");
    let form = format!("key={}&{fields}", key_in(&page, "id=\"park\""));
    let parked = led_to(&browser.post("/till/parked", form.clone()).await);
    assert!(parked.starts_with("/till?said="), "{parked}");
    let twice = led_to(&browser.post("/till/parked", form).await);
    assert!(twice.starts_with("/till?said="));
    let till = browser.page(&parked).await;
    for words in [
        "Parked baskets",
        "Hartmann &#60;GmbH&#62;",
        "2 articles",
        "99.80",
        "CLEO",
        "is parked.",
    ] {
        assert!(till.contains(words), "{words} is missing in {till}");
    }
    assert_eq!(
        till.matches("action=\"/till/parked/").count(),
        2,
        "its row and the way back of the toast"
    );
    // Somebody else at another screen takes it back while a basket stands there: that one waits now.
    let ada = Browser::sign_in(&shop, "ada").await;
    let page = ada.page("/till?part=SCR-1&n=1").await;
    let action = page.split_once("action=\"/till/parked/").unwrap().1;
    let id = action.split_once('"').unwrap().0;
    let form = format!("key={}&part=SCR-1&n=1", key_of(action));
    let path = format!("/till/parked/{id}");
    let back = led_to(&ada.post(&path, form.clone()).await);
    assert_eq!(back, address);
    assert_eq!(
        led_to(&ada.post(&path, form).await),
        address,
        "a double click"
    );
    let page = ada.page(&back).await;
    assert!(
        page.contains("Parked baskets") && page.contains("ADA"),
        "{page}"
    );
    let late = browser.post(&path, "key=k-late".to_owned()).await;
    let late = browser.page(&led_to(&late)).await;
    assert!(late.contains("was taken back already"), "{late}");
    let nothing = browser.post("/till/parked", "key=k-none".to_owned()).await;
    let nothing = browser.page(&led_to(&nothing)).await;
    assert!(nothing.contains("nothing to park"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_is_closed_by_page_and_its_word_is_shown() {
    let (shop, _) = shop().await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    browser
        .post("/cash", "key=c-open&float=100.00".to_owned())
        .await;
    let page = browser.page("/cash").await;
    assert!(
        page.contains("Count and close it first") && !page.contains("action=\"/business-days\""),
        "{page}"
    );
    let early = browser.post("/business-days", "key=d-0".to_owned()).await;
    let early = browser.page(&led_to(&early)).await;
    assert!(early.contains("data-tone=\"late\""), "{early}");
    let id = page.split_once("action=\"/cash/").unwrap().1;
    let id = id.split_once('/').unwrap().0;
    let count = "key=c-close&value=10000&pieces=1&left=";
    led_to(
        &browser
            .post(&format!("/cash/{id}/close"), count.to_owned())
            .await,
    );
    let page = browser.page("/cash").await;
    let form = format!("key={}", key_in(&page, "action=\"/business-days\""));
    let closed = led_to(&browser.post("/business-days", form.clone()).await);
    assert!(closed.starts_with("/business-days/20"), "{closed}");
    let twice = led_to(&browser.post("/business-days", form).await);
    let word = browser.page(&closed).await;
    for words in [
        "What the branch said",
        "The day is closed.",
        "Owed on account",
        "49.90",
        "BER-R-A000001",
        "BER-Z-A000001",
        "All together",
        "0.00",
    ] {
        assert!(word.contains(words), "{words} is missing in {word}");
    }
    assert!(!browser.page(&twice).await.contains("closed 2 times"));
    let page = browser.page("/cash").await;
    assert!(!page.contains("action=\"/business-days\""), "{page}");
    assert!(page.contains("href=\"/business-days/20"), "{page}");
    let missing = browser.get("/business-days/1999-01-01").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    let missing = browser.get("/business-days/tomorrow").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

/// A sale by card in this way, which the customer's bank declines; gives the payment.
fn declined(store: &Store, feed: &mut HubFeed, via: &str) -> PaymentId {
    let sale = SaleInput {
        parts: vec![SalePart {
            sku: "SCR-1".to_owned(),
            quantity: 1,
        }],
        tenders: vec![TenderInput {
            tender: "card".to_owned(),
            amount: domain::money::Money {
                amount_minor: 4_990,
                currency: domain::money::Currency::EUR,
            },
            given: None,
            via: Some(via.to_owned()),
        }],
        ..SaleInput::default()
    };
    let receipt = store.write_blocking(move |tx| sell(tx, &ACTOR, &sale));
    let payment = receipt.unwrap().tenders[0].payment_id;
    let result = |outcome, detail: &str| {
        Item::PaymentResult(PaymentResult {
            payment,
            attempt: 1,
            outcome,
            amount_minor: 0,
            tender: Tender::Card,
            provider: Provider::Stripe,
            reference: "pi_1".to_owned(),
            detail: detail.to_owned(),
        })
    };
    let asked = result(PaymentOutcome::Asked, "");
    let said = result(PaymentOutcome::Declined, "insufficient_funds");
    apply(store, feed.block(&[vec![asked, said]]));
    payment
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_the_reader_declined_is_asked_for_again_from_its_receipt() {
    let (give, take) = std::sync::mpsc::channel();
    let shop = Served::open_with(move |store, chain| {
        let receive = MovementInput {
            kind: MovementKind::Receive,
            quantity: 9,
            reason: None,
            reference: None,
        };
        let write =
            store.write_blocking(move |tx| stock::move_by_hand(tx, &ACTOR, "SCR-1", receive));
        write.unwrap();
        let at_reader = declined(store, chain, "reader");
        let by_link = declined(store, chain, "link");
        give.send((at_reader, by_link)).unwrap();
    })
    .await;
    let (at_reader, by_link) = take.recv().unwrap();
    let browser = Browser::sign_in(&shop, "cleo").await;
    let path = "/receipts/BER-R-A000001";
    let page = browser.page(path).await;
    let button = "action=\"/receipts/BER-R-A000001/ask-again\"";
    assert!(page.contains(button) && page.contains("Ask the reader again"));
    assert!(page.contains("insufficient_funds"), "{page}");
    let other = browser.page("/receipts/BER-R-A000002").await;
    assert!(!other.contains("Ask the reader again"), "{other}");
    let log = || shop.state.store().tip().borrow().seq;
    let before = log();
    let form = format!("key={}&payment={at_reader}", key_in(&page, button));
    let ask_again = format!("{path}/ask-again");
    for _ in 0..2 {
        let back = browser.post(&ask_again, form.clone()).await;
        assert!(led_to(&back).starts_with(path));
    }
    assert_eq!(log(), before + 1, "sent twice it is one wish");
    let link = format!("key=link&payment={by_link}");
    let refused = browser
        .post("/receipts/BER-R-A000002/ask-again", link)
        .await;
    assert!(led_to(&refused).starts_with("/receipts/BER-R-A000002"));
    let off = format!("key=off&payment={at_reader}");
    led_to(&browser.post(&format!("{path}/call-off"), off).await);
    let page = browser.page(path).await;
    assert!(!page.contains("Ask the reader again"), "called off: {page}");
    let again = format!("key=late&payment={at_reader}");
    let known = log();
    led_to(&browser.post(&ask_again, again).await);
    assert_eq!(log(), known, "nobody asks for what was called off");
}
