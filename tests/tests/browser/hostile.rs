//! Text from outside is text on every page.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::browser::{Browser, Key};

use super::fill::Filled;
use super::stage::Stage;

/// Would run, load, break out or take over if it were taken for markup, a template or an attribute of htmx.
pub const HOSTILE: &str = "\"'><script>window.taken=1</script><img src=x onerror=window.taken=1><b hx-get=/orders hx-trigger=load>{{7*7}}</b>";
/// A part of it, as a page must show it, also where it shows no more than a line.
const SHOWN: &str = "\"'><script>window.taken=1<";

/// What of it is alive on the page in front.
pub async fn alive(browser: &Browser) -> Result<Option<String>> {
    let script = "return [window.taken ?? 0, document.querySelectorAll('b[hx-get], img[src=x], body script').length].join()";
    let found = browser.ask(script, &[]).await?;
    Ok((found != "0,0").then(|| format!("hostile text ran or became elements: {found}")))
}

/// Letter by letter on every page of the branch that shows text of people, as whoever is signed in.
pub async fn shown_at_branch(stage: &mut Stage, filled: &Filled) -> Result<()> {
    let Filled {
        order,
        visit,
        customer,
        transfer,
        ..
    } = filled;
    let pages = [
        "/orders".to_owned(),
        format!("/orders/{order}"),
        "/board".to_owned(),
        format!("/people/{customer}"),
        "/stock".to_owned(),
        "/stock/P-99".to_owned(),
        format!("/visits/{visit}/papers"),
        format!("/orders/{order}/receipt"),
        format!("/orders/{order}/label"),
        "/decisions".to_owned(),
        "/transfers".to_owned(),
        "/transfers/new".to_owned(),
        format!("/transfers/{transfer}"),
        "/imports".to_owned(),
        "/intake".to_owned(),
    ];
    let base = stage.branch(0, "");
    each_shows_it(&stage.browser, &base, &pages).await?;
    for (page, field) in [
        ("/orders", "#by-number"),
        ("/orders", ".search input[name=q]"),
        ("/stock", "input[name=q]"),
        ("/find", "#find-q"),
    ] {
        stage.go(0, page).await?;
        is_kept(&mut stage.browser, field)
            .await
            .with_context(|| format!("searching {page} by {field}"))?;
    }
    Ok(())
}

/// The same at the hub.
pub async fn shown_at_hub(stage: &mut Stage, filled: &Filled) -> Result<()> {
    let Filled {
        order,
        customer,
        transfer,
        person,
        preset,
        ..
    } = filled;
    let pages = [
        "/network".to_owned(),
        "/orders".to_owned(),
        format!("/orders/{order}"),
        format!("/orders/{order}/edit"),
        format!("/customers/{customer}"),
        format!("/customers/{customer}/edit"),
        "/stock".to_owned(),
        "/stock/P-99".to_owned(),
        "/transfers".to_owned(),
        "/transfers/new".to_owned(),
        format!("/transfers/{transfer}"),
        "/exceptions".to_owned(),
        "/catalogue".to_owned(),
        "/catalogue/parts/P-99".to_owned(),
        "/catalogue/presets".to_owned(),
        format!("/catalogue/presets/{preset}"),
        "/branches".to_owned(),
        "/branches/B3".to_owned(),
        "/branches/B3/edit".to_owned(),
        "/staff".to_owned(),
        format!("/staff/{person}"),
        "/settings".to_owned(),
    ];
    let base = stage.hub("");
    each_shows_it(&stage.browser, &base, &pages).await?;
    for page in [
        "/orders",
        "/customers",
        "/stock",
        "/transfers",
        "/catalogue",
        "/branches",
        "/staff",
    ] {
        stage.go_hub(page).await?;
        is_kept(&mut stage.browser, "input[name=q]")
            .await
            .with_context(|| format!("searching {page}"))?;
    }
    Ok(())
}

async fn each_shows_it(browser: &Browser, base: &str, pages: &[String]) -> Result<()> {
    let script = "return document.body.textContent.includes(arguments[0]) \
        || [...document.querySelectorAll('input, textarea, option')].some((e) => e.value.includes(arguments[0]))";
    for page in pages {
        browser.go(&format!("{base}{page}")).await?;
        browser
            .until_true(
                &format!("{page} shows hostile text"),
                script,
                &[json!(SHOWN)],
            )
            .await?;
        ensure_dead(browser)
            .await
            .with_context(|| page.to_owned())?;
    }
    Ok(())
}

/// A field that searched for it still says so, as far as it takes it.
async fn is_kept(browser: &mut Browser, field: &str) -> Result<()> {
    browser.fill(field, HOSTILE).await?;
    browser.press(Key::Enter).await?;
    let kept = "return document.readyState === 'complete' && [...document.querySelectorAll(arguments[0])].some((e) => e.value.length >= arguments[2] && arguments[1].startsWith(e.value))";
    let name = "input[type=search], input[name=q]";
    browser
        .until_true(
            "the search keeps what was typed",
            kept,
            &[json!(name), json!(HOSTILE), json!(SHOWN.len())],
        )
        .await?;
    ensure_dead(browser).await
}

/// Chooses a file with a hostile name and hostile cells in the field of the page in front.
pub async fn choose_file(browser: &Browser, heading: &str, row: &str) -> Result<()> {
    let script = "const file = new File([arguments[1]], arguments[0] + '.csv', { type: 'text/csv' }); \
        const given = new DataTransfer(); given.items.add(file); \
        const field = document.querySelector('input[type=file]'); field.files = given.files; \
        const chosen = field.files.length; field.dispatchEvent(new Event('change', { bubbles: true })); return chosen";
    let cell = format!("\"{}\"", HOSTILE.replace('"', "\"\""));
    let text = format!("{heading}\n{}\n", row.replace('*', &cell));
    // A slash ends the name of a file, whoever sends it.
    let name = HOSTILE.replace('/', "");
    let chosen = browser.ask(script, &[json!(name), json!(text)]).await?;
    ensure!(chosen == 1, "no file is chosen");
    Ok(())
}

pub async fn ensure_dead(browser: &Browser) -> Result<()> {
    let alive = alive(browser).await?;
    ensure!(alive.is_none(), "{}", alive.unwrap_or_default());
    Ok(())
}
