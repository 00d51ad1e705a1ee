//! Intake, papers, find and person as a browser uses them, with and without its scripts.

use domain::availability::AvailabilityRow;
use domain::id::PresetId;
use domain::money::Currency;
use domain::part::PartRow;
use domain::preset::PresetRow;
use domain::stock::MovementKind;
use edge_node::store::Store;
use reqwest::{Response, StatusCode, header};
use sync_protocol::feed::FeedId;
use sync_protocol::item::{Item, Row};

use crate::api_support::*;
use crate::app_support::*;
use crate::pages::{Browser, key_of};
use crate::support::*;

pub fn preset(number: u8, category: &str, fault: &str, service: &str, price_minor: i64) -> Item {
    Item::Preset(Row {
        id: PresetId::from_bytes([0x70 + number; 16]),
        version: 1,
        deleted: false,
        fields: PresetRow {
            category: category.to_owned(),
            fault: fault.to_owned(),
            service: service.to_owned(),
            price_minor,
            currency: Currency::EUR,
            tax_bp: 1_900,
            minutes: 60,
            active: true,
        },
    })
}

fn named_part(number: u8, sku: &str, name: &str) -> Item {
    Item::Part(Row {
        id: part(number),
        version: 1,
        deleted: false,
        fields: PartRow {
            sku: sku.to_owned(),
            name: name.to_owned(),
            category: String::new(),
            price_minor: 9_900,
            currency: Currency::EUR,
            tax_bp: 1_900,
            barcodes: Vec::new(),
            active: true,
        },
    })
}

/// Faults of laptops, displays of two makers, and neighbours who had one of them.
pub fn furnish(store: &Store, chain: &mut HubFeed) {
    let items = vec![
        preset(1, "Laptop", "Screen", "Screen replaced", 8_900),
        preset(2, "Laptop", "Battery", "Battery replaced", 4_900),
        preset(3, "Phone", "Screen", "Glass replaced", 6_900),
        preset(4, "", "Cleaning", "Cleaned", 1_900),
        named_part(0x20, "DSP-20", "Display for Dell, type 1"),
        named_part(0x21, "DSP-21", "Display for HP, type 1"),
    ];
    apply(store, chain.block(&[items]));
    let mut availability = HubFeed::new(FeedId::availability("north"));
    let had = |branch, quantity| {
        Item::Availability(AvailabilityRow {
            branch,
            part: part(0x20),
            quantity,
            as_of_ms: NOW_MS,
        })
    };
    let rows = vec![had(MUNICH, 9), had(POTSDAM, 2)];
    apply(store, availability.block(&[rows]));
    by_hand(store, "DSP-21", MovementKind::Opening, 3).unwrap();
}

const SCREEN: &str = "71717171-7171-7171-7171-717171717171";
const BATTERY: &str = "72727272-7272-7272-7272-727272727272";

async fn text(response: Response, status: StatusCode) -> String {
    let found = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(found, status, "{text}");
    text
}

fn has(page: &str, words: &[&str]) {
    for words in words {
        assert!(page.contains(words), "{words:?} is missing in {page}");
    }
}

/// A person with a collected laptop, through the page itself.
async fn regular(browser: &Browser<'_>) {
    let form = browser.page("/intake").await;
    let fields = format!(
        "key={}&person=new&name=Teodora+Markovi%C4%87&phone=%2B49+176+0406+9017&category=Laptop&brand=Dell&model=XPS+13\
         &serial=7HK2Q93&fault=Fan+is+loud",
        key_of(&form)
    );
    let saved = browser.post("/intake", fields).await;
    text(saved, StatusCode::SEE_OTHER).await;
}

fn person_of(matches: &str) -> String {
    let id = matches.split_once("name=\"person\" value=\"").unwrap().1;
    id.split_once('"').unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_devices_faults_and_parts_are_offered_while_one_types() {
    let shop = Served::open_with(furnish).await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    regular(&browser).await;
    for typed in ["markovic", "Makrović", "0176+0406", "7HK2Q93"] {
        let matches = browser.post("/intake/people", format!("who={typed}")).await;
        let matches = text(matches, StatusCode::OK).await;
        has(
            &matches,
            &["Teodora Marković", "+49 176 0406 9017", "1 order"],
        );
    }
    let nobody = browser.post("/intake/people", "who=Zorro".to_owned()).await;
    let nobody = text(nobody, StatusCode::OK).await;
    // The hub is away in these tests, and the page says what that means for people.
    has(&nobody, &["not known here now", "New person, “Zorro”"]);
    let matches = browser.post("/intake/people", "who=mark".to_owned()).await;
    let person = person_of(&text(matches, StatusCode::OK).await);
    let draft = format!("person={person}&known=1&category=laptop&brand=Dell&preset={SCREEN}");
    let draft = text(browser.post("/intake/draft", draft).await, StatusCode::OK).await;
    has(
        &draft,
        &[
            "data-serial=\"7HK2Q93\"",
            "still here, BER-",
            "Cleaning",
            "89.00",
            "DSP-20",
            "Branch POT, 27 km: 2",
            "<option value=\"Dell\">",
        ],
    );
    assert!(!draft.contains("Glass replaced"), "of phones only: {draft}");
    assert!(!draft.contains("DSP-21"), "of another maker: {draft}");
    let other = format!("category=laptop&brand=HP&preset={SCREEN}");
    let other = text(browser.post("/intake/draft", other).await, StatusCode::OK).await;
    has(
        &other,
        &["DSP-21", "3 here", "name=\"part\" value=\"DSP-21\""],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_of_one_visit_become_two_orders_with_papers() {
    let shop = Served::open_with(furnish).await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    let form = browser.page("/intake").await;
    let key = key_of(&form).to_owned();
    let first = format!(
        "key={key}&step=another&person=new&name=Ada+Lovelace&phone=030+5551234&category=Laptop&brand=HP&model=Book+14\
         &preset={SCREEN}&preset={BATTERY}&part=DSP-21&accessory=Charger&look=Display&state=cracked&terms=yes"
    );
    let first = format!("{first}&promise=2030-01-07T12%3A00&promise_auto=2030-01-07T12%3A00");
    let second = text(browser.post("/intake", first).await, StatusCode::OK).await;
    // What was proposed for the first device stays the visit's promise.
    let promise = second
        .split_once("value=\"2030-01-07T12:00\" id=")
        .unwrap()
        .1;
    assert!(promise.split_once('>').unwrap().0.contains("checked"));
    has(
        &second,
        &[
            "Device 2 of this visit",
            "Laptop HP Book 14",
            "Ada Lovelace",
        ],
    );
    assert_eq!(key_of(&second), key);
    let kept = second.split_once("name=\"kept\" value=\"").unwrap().1;
    let kept = kept
        .split_once('"')
        .unwrap()
        .0
        .replace("&#34;", "\"")
        .replace("&quot;", "\"");
    let kept = kept
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect::<String>();
    let both = format!(
        "key={key}&kept={kept}&person=new&name=Ada+Lovelace&phone=030+5551234&category=Phone&model=P7\
         &fault=%3Cscript%3Ewet%3C%2Fscript%3E&promise=2026-11-24T17%3A00&terms=yes"
    );
    let saved = browser.post("/intake", both).await;
    let papers = saved.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned();
    text(saved, StatusCode::SEE_OTHER).await;
    let page = browser.page(&papers).await;
    assert_eq!(
        page.matches("<article class=\"receipt\"").count(),
        2,
        "{page}"
    );
    assert_eq!(
        page.matches("<article class=\"device-label\"").count(),
        3,
        "one for the charger"
    );
    has(
        &page,
        &[
            "2 devices taken in",
            "Ada Lovelace",
            "…1234",
            "with Charger",
            "Display cracked",
            "Screen replaced",
            "Screen, Battery",
            "EUR 237.00",
            "Tue 24 17:00",
            "Lovelace A.",
            "&#60;script&#62;wet",
            "Terms accepted",
        ],
    );
    assert!(
        !page.contains("5551234"),
        "a phone number is on paper by its end only"
    );
    assert_eq!(
        stock_of(shop.state.store(), "DSP-21").reserved,
        1,
        "the part is kept"
    );
    let people = browser.post("/find", "q=lovelace".to_owned()).await;
    let people = text(people, StatusCode::OK).await;
    assert_eq!(
        people.matches("href=\"/people/").count(),
        3,
        "one person, two orders: {people}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_gone_is_said_and_nothing_is_saved() {
    let shop = Served::open_with(furnish).await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    let form = browser.page("/intake").await;
    let fields = format!(
        "key={}&category=Laptop&brand=Dell&fault=Dark&preset={SCREEN}&part=DSP-20&look=Display&state=broken",
        key_of(&form)
    );
    let page = text(browser.post("/intake", fields).await, StatusCode::CONFLICT).await;
    has(
        &page,
        &["role=\"alert\"", "value=\"Dell\"", "Dark", "broken"],
    );
    assert_eq!(key_of(&page), key_of(&form));
    has(&browser.page("/orders").await, &["No order"]);
    let empty = format!("key={}&terms=yes", key_of(&form));
    let page = text(
        browser.post("/intake", empty).await,
        StatusCode::UNPROCESSABLE_ENTITY,
    )
    .await;
    has(&page, &["id=\"category-problem\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_script_the_steps_are_buttons() {
    let shop = Served::open_with(furnish).await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    regular(&browser).await;
    let form = browser.page("/intake").await;
    let key = key_of(&form).to_owned();
    let found = browser
        .post("/intake", format!("key={key}&step=find&who=markovic"))
        .await;
    let found = text(found, StatusCode::OK).await;
    has(&found, &["Teodora Marković", "value=\"choose\""]);
    let person = person_of(&found);
    let chosen = format!("key={key}&step=choose&who=markovic&person={person}&known=1");
    let chosen = text(browser.post("/intake", chosen).await, StatusCode::OK).await;
    has(
        &chosen,
        &[
            "Devices of Teodora",
            "value=\"7HK2Q93\"",
            "value=\"XPS 13\"",
        ],
    );
    let fine =
        format!("key={key}&step=fine&person={person}&look=Display&state=&look=Ports&state=dusty");
    let fine = text(browser.post("/intake", fine).await, StatusCode::OK).await;
    has(&fine, &["value=\"fine\"", "value=\"dusty\""]);
    let save = format!("key={key}&person={person}&category=Laptop&serial=7HK2Q93&preset={BATTERY}");
    text(browser.post("/intake", save).await, StatusCode::SEE_OTHER).await;
    let page = browser.page(&format!("/people/{person}")).await;
    has(
        &page,
        &[
            "Teodora Marković",
            "2 orders",
            "7HK2Q93",
            "New intake for this person",
        ],
    );
    let again = browser.page(&format!("/intake?person={person}")).await;
    has(&again, &["Devices of Teodora", "still here"]);
}

fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let value = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap()
        .1;
    value.split_once('"').unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_changed_against_what_was_shown() {
    let shop = Served::open_with(furnish).await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    regular(&browser).await;
    let matches = browser.post("/intake/people", "who=mark".to_owned()).await;
    let person = format!(
        "/people/{}",
        person_of(&text(matches, StatusCode::OK).await)
    );
    let page = browser.page(&person).await;
    let base = hidden(&page, "base").to_owned();
    let was = "was_name=Teodora+Markovi%C4%87&was_phone=%2B49+176+0406+9017";
    let change = format!(
        "key={}&base={base}&{was}&name=Teodora+Markovi%C4%87&phone=030+77&asked=messages&asked=news&consent=messages",
        key_of(&page)
    );
    text(browser.post(&person, change).await, StatusCode::SEE_OTHER).await;
    let page = browser.page(&person).await;
    has(
        &page,
        &[
            "value=\"030 77\"",
            "name=\"was_consent\" value=\"messages\"",
        ],
    );
    // Another tab still shows the version before.
    let late = format!(
        "key=other&base={base}&{was}&name=Teodora+Markovi%C4%87&phone=030+88&email=t%40example.org"
    );
    let page = text(
        browser.post(&person, late).await,
        StatusCode::PRECONDITION_FAILED,
    )
    .await;
    has(
        &page,
        &[
            "now: 030 77",
            "value=\"030 88\"",
            "value=\"t@example.org\"",
            "Somebody changed",
        ],
    );
    let wrong = format!(
        "key=third&base={}&{was}&name=&phone=%2B49+176+0406+9017",
        hidden(&page, "base")
    );
    let page = text(
        browser.post(&person, wrong).await,
        StatusCode::UNPROCESSABLE_ENTITY,
    )
    .await;
    has(&page, &["name-problem"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_box_finds_everything_and_a_label_opens_its_order() {
    let shop = Served::open_with(furnish).await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    regular(&browser).await;
    has(
        &browser.page("/find").await,
        &["One box for everything", "aria-current=\"page\""],
    );
    // A fault in another language, the end of a serial, a name as it sounds, the end of a phone.
    for typed in [
        "L%C3%BCfter",
        "ventilateur",
        "2q93",
        "Markowic",
        "9017",
        "dell+xps",
    ] {
        let found = browser.post("/find", format!("q={typed}")).await;
        let found = text(found, StatusCode::OK).await;
        has(&found, &["Teodora Marković", "Fan is loud", "Open"]);
    }
    let found = browser.post("/find", "q=display+hp".to_owned()).await;
    has(&text(found, StatusCode::OK).await, &["Display for HP"]);
    let nothing = browser.post("/find", "q=zzzzzz".to_owned()).await;
    has(
        &text(nothing, StatusCode::OK).await,
        &["Nothing fits “zzzzzz”"],
    );
    let list = browser.page("/orders").await;
    let number = &list[list.find("BER-").unwrap()..][..12];
    let opened = browser
        .post("/find", format!("q={}", number.to_lowercase()))
        .await;
    assert!(
        opened.headers()[header::LOCATION]
            .to_str()
            .unwrap()
            .starts_with("/orders/"),
        "{opened:?}"
    );
}
