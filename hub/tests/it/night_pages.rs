//! The pages of nights: what does not agree leads to its records, and is signed, mended and held against other nights.

use domain::staff::Role;
use hub::app::reconcile::{run, show_day};
use reqwest::StatusCode;

use crate::api::Site;
use crate::night::shop::Shop;
use crate::night::{Yard, night_of};
use crate::pages::{Browser, hidden};

const DAY: &str = "/nights/2026-11-10";

/// A night that was done, with pages over it.
struct Stand {
    site: Site,
    berlin: Shop,
    day: i32,
    night_ms: i64,
}

impl Stand {
    async fn of(yard: Yard) -> Self {
        yard.night().await;
        let Yard {
            world,
            berlin,
            day,
            night_ms,
            ..
        } = yard;
        Self {
            site: Site::over(world).await,
            berlin,
            day,
            night_ms,
        }
    }

    /// Everything agrees.
    async fn green() -> Self {
        Self::of(Yard::closed().await).await
    }

    /// Berlin handed out a device for nothing, and its drawer lacks eighteen euros, with a reason.
    async fn bad() -> Self {
        let mut yard = Yard::trading().await;
        yard.berlin.collect(&yard.world, false).await;
        yard.berlin.miscount = (-1_800, "a swap of foil".to_owned());
        yard.close().await;
        Self::of(yard).await
    }

    async fn central(&self) -> Browser<'_> {
        Browser::new(&self.site, Role::CentralManager, &[]).await
    }
}

/// The address that a link with these words around it leads to.
fn link_before(text: &str, words: &str) -> String {
    let at = text
        .find(words)
        .unwrap_or_else(|| panic!("no {words} in {text}"));
    let link = text[..at].rfind("<a ").unwrap();
    let start = link + text[link..].find("href=\"").unwrap() + 6;
    let end = text[start..].find('"').unwrap();
    text[start..start + end]
        .replace("&#38;", "&")
        .replace("&amp;", "&")
}

#[tokio::test]
async fn what_does_not_agree_stands_first_and_a_record_is_two_clicks_away() {
    let stand = Stand::bad().await;
    let browser = stand.central().await;
    let page = browser.get("/nights").await;
    assert_eq!(page.status, 200);
    let text = page.text;
    assert!(text.contains("Night of Tuesday 10 November 2026"), "{text}");
    let (look, agree) = (
        text.find("1 to look at").unwrap(),
        text.find("1 agrees on all checks").unwrap(),
    );
    let (berlin, hamburg) = (
        text.find("id=\"n-BER\"").unwrap(),
        text.find("id=\"n-HAM\"").unwrap(),
    );
    assert!(look < berlin && berlin < agree && agree < hamburg);
    assert!(text.contains("1 of 2") && text.contains("Sign with 2 open points…"));
    assert!(
        text.contains("Branch BER, Cash: look at it, EUR −18.00"),
        "{text}"
    );
    assert!(
        text.contains("id=\"cell-title\" class=\"grow\" hx-ignore>Orders, Branch BER"),
        "the worst is open beside the matrix"
    );
    assert!(text.contains("Last night: 1 of 2 agree, not signed"));
    // One click shows the records of a cell, the second is at what a record is about.
    let cell = link_before(&text, "Branch BER, Orders: does not agree");
    assert_eq!(cell, format!("{DAY}?branch=BER&check=orders"));
    let beside = browser.get(&cell).await.text;
    let order = link_before(&beside, "Order BER-");
    assert!(order.starts_with("/orders/"), "{order}");
    assert_eq!(browser.get(&order).await.status, 200);
    let cash = browser
        .get(&format!("{DAY}?branch=BER&check=cash"))
        .await
        .text;
    assert!(cash.contains("a swap of foil") && cash.contains("EUR −18.00"));
    let part = browser
        .part(&format!("{DAY}?branch=BER&check=cash"))
        .await
        .text;
    assert!(part.starts_with("<div id=\"night\"") && part.contains("hx-target=\"#night-head\""));
    let branch = browser.get(&format!("{DAY}/BER")).await.text;
    assert!(branch.contains("id=\"orders\"") && branch.contains("id=\"cash\""));
    assert!(
        branch.contains("An order that costs something")
            || branch.contains("an order that costs something")
    );
    assert!(branch.contains("What agrees") && branch.contains("Transactions"));
}

#[tokio::test]
async fn a_green_night_is_signed_with_one_button_and_opened_again_with_a_reason() {
    let stand = Stand::green().await;
    let browser = stand.central().await;
    let page = browser.get("/nights").await.text;
    assert!(page.contains("Everything agrees"));
    let at = page.find(&format!("action=\"{DAY}/sign\"")).unwrap();
    let key = hidden(&page[at..], "key");
    for _ in 0..2 {
        let signed = browser
            .post(&format!("{DAY}/sign"), &[("key", &key), ("branch", "")])
            .await;
        assert_eq!(
            (signed.status.as_u16(), signed.location.as_str()),
            (303, DAY)
        );
    }
    let signs = "select count(*) from reconciliation.sign_off";
    assert_eq!(stand.site.world.count(signs).await, 1);
    let page = browser.get(DAY).await.text;
    assert!(page.contains("Signed off by central_manager 0"), "{page}");
    let form = browser.get(&format!("{DAY}/sign")).await.text;
    assert!(form.contains(&format!("action=\"{DAY}/reopen\"")));
    let key = hidden(&form, "key");
    let silent = [("key", key.as_str()), ("branch", ""), ("reason", " ")];
    let refused = browser.post(&format!("{DAY}/reopen"), &silent).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Must say why."));
    let word = [
        ("key", key.as_str()),
        ("branch", ""),
        ("reason", "look again"),
    ];
    let opened = browser.post(&format!("{DAY}/reopen"), &word).await;
    assert_eq!(opened.location, DAY);
    let night = night_of(&stand.site.world, stand.day).await;
    assert_eq!(night.signed, None);
}

#[tokio::test]
async fn signing_what_does_not_agree_needs_a_reason() {
    let stand = Stand::bad().await;
    let browser = stand.central().await;
    let form = browser.get(&format!("{DAY}/sign")).await.text;
    for words in ["Branch BER, Orders", "Branch BER, Cash", "EUR −18.00"] {
        assert!(form.contains(words), "{words}");
    }
    let key = hidden(&form, "key");
    let silent = [("key", key.as_str()), ("branch", ""), ("reason", "")];
    let refused = browser.post(&format!("{DAY}/sign"), &silent).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Must say why: not all is green."));
    assert_eq!(hidden(&refused.text, "key"), key);
    let word = [
        ("key", key.as_str()),
        ("branch", ""),
        ("reason", "the drawer is settled"),
    ];
    let signed = browser.post(&format!("{DAY}/sign"), &word).await;
    assert_eq!(signed.location, DAY);
    let report = browser.get(&format!("{DAY}/report")).await.text;
    assert!(report.contains("the drawer is settled") && report.contains("Branch BER"));
    let all = browser.get("/nights/all").await.text;
    assert!(all.contains("id=\"d-2026-11-10\"") && all.contains("central_manager 0"));
}

#[tokio::test]
async fn a_correction_begins_at_the_record_has_one_effect_and_is_taken_back() {
    let stand = Stand::bad().await;
    let browser = stand.central().await;
    let branch = browser.get(&format!("{DAY}/BER")).await.text;
    let href = link_before(&branch, "Book a correction");
    let form = browser.get(&href).await.text;
    assert!(form.contains("<option value=\"difference\" selected>Cash differences"));
    assert!(form.contains("name=\"amount\" value=\"18.00\""), "{form}");
    let key = hidden(&form, "key");
    let mut fields = vec![
        ("key", key.as_str()),
        ("branch", "BER"),
        ("from", "difference"),
        ("to", "corrections"),
        ("amount", "much"),
        ("currency", "EUR"),
        ("reason", "the swap was explained"),
    ];
    let refused = browser.post("/nights/corrections", &fields).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Write an amount above zero"));
    fields[4].1 = "18.00";
    for _ in 0..2 {
        let made = browser.post("/nights/corrections", &fields).await;
        assert_eq!(made.location, "/nights/corrections");
    }
    let put = "select balance_minor from payments.balance where account = 14";
    assert_eq!(stand.site.world.count(put).await, 1_800);
    let list = browser.get("/nights/corrections").await.text;
    assert!(list.contains("the swap was explained") && list.contains("central_manager 0"));
    let undo = link_before(&list, "Take back…<span class=\"sr\"> EUR 18.00");
    let form = browser.get(&undo).await.text;
    let action = link_of_form(&form, "/undo\"");
    let key = hidden(&form[form.find(&action).unwrap()..], "key");
    let silent = browser
        .post(&action, &[("key", &key), ("reason", "")])
        .await;
    assert_eq!(silent.status, 422);
    let back = [("key", key.as_str()), ("reason", "it was another branch")];
    assert_eq!(
        browser.post(&action, &back).await.location,
        "/nights/corrections"
    );
    assert_eq!(stand.site.world.count(put).await, 0);
    let list = browser.get("/nights/corrections").await.text;
    assert!(list.contains("taken back") && !list.contains("Take back…<span"));
}

/// The address of the form that ends so.
fn link_of_form(text: &str, end: &str) -> String {
    let at = text.find(end).unwrap();
    let start = text[..at].rfind("action=\"").unwrap() + 8;
    text[start..at + end.len() - 1].to_owned()
}

#[tokio::test]
async fn two_nights_are_held_against_each_other() {
    let stand = Stand::bad().await;
    let hub = &stand.site.world.hub;
    // The branches said nothing of the day after.
    run(hub, stand.day + 1, None, stand.night_ms).await.unwrap();
    let browser = stand.central().await;
    let later = show_day(stand.day + 1);
    let page = browser
        .get(&format!("/nights/compare?a=2026-11-10&b={later}"))
        .await
        .text;
    let (worse, better) = (
        page.find("Became worse").unwrap(),
        page.find("Became better").unwrap(),
    );
    let line = |code: &str| {
        let href = format!("href=\"{DAY}/{code}\"");
        page.find(&href).unwrap_or_else(|| panic!("{page}"))
    };
    assert!(worse < line("HAM") && line("HAM") < better && better < line("BER"));
    let same = browser
        .get("/nights/compare?a=2026-11-10&b=2026-11-10")
        .await
        .text;
    assert!(same.contains("Still to look at") && !same.contains("Became"));
    assert!(same.contains("?branch=BER&#38;check=orders"), "{same}");
    let night = browser.get(&format!("/nights/{later}")).await.text;
    assert!(night.contains("unreconciled since 11 Nov"), "{night}");
    let none = browser
        .get("/nights/compare?a=2026-11-10&b=2027-01-01")
        .await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_table_of_a_night_is_exact() {
    let stand = Stand::bad().await;
    let browser = stand.central().await;
    let table = browser.get(&format!("{DAY}/report.csv")).await;
    assert_eq!(table.status, 200);
    let rows: Vec<&str> = table.text.split("\r\n").collect();
    assert_eq!(
        rows[0],
        "business_date,branch,check,state,figures,found,record_state,record_kind,record,detail,amount,currency"
    );
    assert_eq!(rows.len(), 1 + 13 * 2 + 1 + 1, "{:?}", table.text);
    let session = stand.berlin.session;
    let cash = format!(
        "2026-11-10,BER,cash,amber,counted=152.00 EUR; expected=170.00 EUR; open=0; sessions=1,1,amber,session,{session},\
         \"till 1: 15200 counted, 17000 expected: a swap of foil\",-18.00,EUR"
    );
    assert!(rows.contains(&cash.as_str()), "{:?}", table.text);
    let green = "2026-11-10,HAM,refunds,green,refunds=1; undecided=0,0,,,,,,";
    assert!(rows.contains(&green), "{:?}", table.text);
    assert!(
        rows.iter()
            .any(|row| row.starts_with("2026-11-10,chain,payments,green,")),
        "{:?}",
        table.text
    );
}

#[tokio::test]
async fn roles_see_and_do_what_they_may() {
    let stand = Stand::bad().await;
    let auditor = Browser::new(&stand.site, Role::Auditor, &[]).await;
    let page = auditor.get("/nights").await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("action=\"/nights/run\""));
    assert!(!page.text.contains("/sign\""));
    let run = [("key", "k"), ("day", "2026-11-10")];
    assert_eq!(auditor.post("/nights/run", &run).await.status, 403);
    assert_eq!(auditor.get(&format!("{DAY}/sign")).await.status, 403);
    let operator = Browser::new(&stand.site, Role::Operator, &[]).await;
    assert_eq!(operator.get("/nights").await.status, 403);
    assert!(
        !operator
            .get("/network")
            .await
            .text
            .contains("href=\"/nights\"")
    );
    let manager = Browser::new(&stand.site, Role::BranchManager, &["HAM"]).await;
    let own = manager.get("/nights").await.text;
    assert!(
        own.contains("id=\"n-HAM\"") && !own.contains("BER"),
        "{own}"
    );
    assert!(own.contains("Last night: 1 of 1 agree"));
    for path in ["BER", "chain"] {
        assert_eq!(manager.get(&format!("{DAY}/{path}")).await.status, 404);
    }
    assert!(
        !manager
            .get(&format!("{DAY}/report"))
            .await
            .text
            .contains("BER")
    );
    assert!(
        !manager
            .get(&format!("{DAY}/report.csv"))
            .await
            .text
            .contains("BER")
    );
    let other = [("key", "other"), ("branch", "BER"), ("reason", "x")];
    let refused = manager.post(&format!("{DAY}/sign"), &other).await;
    assert!(
        [403, 404].contains(&refused.status.as_u16()),
        "{}",
        refused.status
    );
    let whole = [("key", "whole"), ("branch", ""), ("reason", "x")];
    assert_eq!(
        manager.post(&format!("{DAY}/sign"), &whole).await.status,
        403
    );
    let mine = [("key", "mine"), ("branch", "HAM"), ("reason", "")];
    let signed = manager.post(&format!("{DAY}/sign"), &mine).await;
    assert_eq!(signed.location, format!("{DAY}/HAM"));
    let branch = manager.get(&format!("{DAY}/HAM")).await.text;
    assert!(branch.contains("Signed off by branch_manager"));
}

#[tokio::test]
async fn a_night_is_run_again_from_its_page() {
    let stand = Stand::green().await;
    let browser = stand.central().await;
    let page = browser.get(&format!("{DAY}/HAM")).await.text;
    let at = page.find("action=\"/nights/run\"").unwrap();
    let key = hidden(&page[at..], "key");
    let again = [
        ("key", key.as_str()),
        ("day", "2026-11-10"),
        ("branch", "HAM"),
    ];
    for _ in 0..2 {
        let started = browser.post("/nights/run", &again).await;
        assert_eq!(started.location, format!("{DAY}/HAM"));
    }
    let rounds = async || {
        let night = night_of(&stand.site.world, stand.day).await;
        let rounds = night.branches.iter().filter(|one| !one.branch.is_nil());
        rounds.map(|one| one.rounds).collect::<Vec<i32>>()
    };
    while rounds().await != [1, 2] {
        tokio::task::yield_now().await;
    }
    let future = [("key", "future"), ("day", "2027-01-01")];
    assert_eq!(browser.post("/nights/run", &future).await.status, 422);
    let nothing = [("key", "nothing"), ("day", "soon")];
    assert_eq!(browser.post("/nights/run", &nothing).await.status, 422);
}

#[tokio::test]
async fn without_a_night_the_page_says_when_there_will_be_one() {
    let site = Site::new().await;
    let browser = Browser::new(&site, Role::CentralManager, &[]).await;
    let page = browser.get("/nights").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("There is no night yet"));
    assert_eq!(browser.get(DAY).await.status, 404);
    assert_eq!(browser.get("/nights/someday").await.status, 404);
    assert!(!page.text.contains("Last night:"));
}

/// Goal: a night that was done again after its log was mended says so; another one does not.
#[tokio::test]
async fn a_night_that_was_done_again_after_mending_says_so() {
    let stand = Stand::green().await;
    stand
        .site
        .world
        .execute(
            "update reconciliation.run r set redone_ms = finished_ms from locations.branch b
             where b.branch = r.branch_id and b.code = 'BER'",
        )
        .await;
    let browser = stand.central().await;
    let mended = browser.get(&format!("{DAY}/BER")).await.text;
    assert!(mended.contains("Done again by itself at "), "{mended}");
    let other = browser.get(&format!("{DAY}/HAM")).await.text;
    assert!(!other.contains("Done again by itself"), "{other}");
}
