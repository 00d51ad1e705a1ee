//! Every page, on both sides, in light and dark, at three sizes, in both languages.

use anyhow::{Context as _, Result};
use tests::browser::Browser;
use tests::process::chain::api::client;
use tests::process::chain::{PASSWORD, Plan};

use super::fill::{Filled, HOSTILE_MANAGER, fill};
use super::hostile;
use super::stage::{Stage, sign_in};
use super::walk::Walk;

/// Not pages of their own: some lead on to another page, others are parts that a page asks for and shows.
const NO_PAGES_OF_BRANCH: [&str; 2] = ["/", "/status-bar"];
const NO_PAGES_OF_HUB: [&str; 7] = [
    "/",
    "/branches/{branch}/join-codes",
    "/money/cash.csv",
    "/nights/{day}/report.csv",
    "/status-bar",
    "/transfers/new/part",
    "/transfers/{id}",
];

/// Goal: no page of a branch breaks the rules: readable for everybody, no script error, nothing refused by the content
/// security policy, no sideways scroll, hostile text shown and dead; no link leads nowhere, and no page is missed.
/// Method: a chain with something of everything, the newest of it hostile; a manager with a hostile name follows every
/// link to a page of a kind not seen yet, inspects it and opens what it has to open. Then all pages once more in German,
/// with the hub killed.
#[tokio::test]
async fn every_page_of_a_branch_holds_to_the_rules_also_with_the_hub_killed() {
    of_branch().await.unwrap();
}

/// Goal: the same for the hub's pages.
/// Method: the same, as a central manager and as an operator, who sees pages that no manager sees.
#[tokio::test]
async fn every_page_of_the_hub_holds_to_the_rules() {
    of_hub().await.unwrap();
}

async fn stage() -> Result<Option<(Stage, Filled)>> {
    let Some(stage) = Stage::open(&Plan::of(&["B1", "B2"])).await? else {
        return Ok(None);
    };
    let filled = fill(&stage).await?;
    Ok(Some((stage, filled)))
}

async fn of_branch() -> Result<()> {
    let Some((mut stage, filled)) = stage().await? else {
        return Ok(());
    };
    let base = stage.branch(0, "");
    let start = format!("{base}/");
    let mut walk = Walk::of("branch", &base);
    sign_in(&mut stage.browser, &start, HOSTILE_MANAGER, PASSWORD).await?;
    stage.go(0, "/imports").await?;
    hostile::choose_file(&stage.browser, "name,phone", "*,*").await?;
    stage
        .browser
        .click("main form button[data-kind=primary]")
        .await?;
    stage.browser.until_at("/imports/*").await?;
    stage.browser.until_text("main", "window.taken").await?;
    hostile::shown_at_branch(&mut stage, &filled).await?;
    stage.sign_out().await?;
    let papers = format!("/visits/{}/papers", filled.visit);
    let line = format!("/orders/{}/lines/{}", filled.order, filled.line);
    let more = [&*papers, &line];
    walk.visit_as(&mut stage.browser, HOSTILE_MANAGER, PASSWORD, &more)
        .await?;
    all_seen(&mut walk, &edge_node::web::addresses(), &NO_PAGES_OF_BRANCH).await?;
    sign_in(&mut stage.browser, &start, HOSTILE_MANAGER, PASSWORD).await?;
    stage.kill_hub().await?;
    in_german(&mut stage.browser).await?;
    let why = "in German, the hub killed";
    walk.again(&mut stage.browser, HOSTILE_MANAGER, why).await?;
    walk.judge()
}

async fn of_hub() -> Result<()> {
    let Some((mut stage, filled)) = stage().await? else {
        return Ok(());
    };
    let base = stage.hub("");
    let mut walk = Walk::of("hub", &base);
    stage.sign_in_hub("central").await?;
    stage.go_hub("/catalogue/import").await?;
    hostile::choose_file(
        &stage.browser,
        "sku,name,category,price",
        "X-1,*,*,12.00\nX-2,*,*,*",
    )
    .await?;
    stage
        .browser
        .until_text("#import-result", "window.taken")
        .await?;
    walk.inspect(&mut stage.browser, "catalogue-import-preview")
        .await?;
    hostile::shown_at_hub(&mut stage, &filled).await?;
    stage.sign_out().await?;
    let customer = format!("/customers/{}", filled.customer);
    let people = ["central", "operator"];
    for person in people {
        walk.visit_as(&mut stage.browser, person, PASSWORD, &[&customer])
            .await?;
    }
    all_seen(&mut walk, &hub::web::addresses(), &NO_PAGES_OF_HUB).await?;
    for person in people {
        stage.sign_in_hub(person).await?;
        in_german(&mut stage.browser).await?;
        walk.again(&mut stage.browser, person, "in German").await?;
        stage.sign_out().await?;
    }
    walk.judge()
}

/// Notes each address that shows a page and was never visited.
async fn all_seen(walk: &mut Walk<'_>, addresses: &[&str], no_pages: &[&str]) -> Result<()> {
    let http = client()?;
    for address in walk.never_seen(addresses) {
        let any = address.replace(['{', '}'], "");
        let answer = http.get(format!("{}{any}", walk.base)).send().await?;
        let takes_only_posts = answer.status() == 405;
        if !takes_only_posts && !no_pages.contains(&address) {
            walk.note(address, vec!["never visited".to_owned()]);
        }
    }
    Ok(())
}

/// Chooses the language for this screen, as a person does.
async fn in_german(browser: &mut Browser) -> Result<()> {
    browser.click("[data-opens=screen]").await?;
    browser.choose("#screen-language", "de").await?;
    browser.click("#screen button[type=submit]").await?;
    browser
        .until_shown("html[lang=de] nav.rail")
        .await
        .context("the page is German")
}
