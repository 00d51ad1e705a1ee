//! The managers' pages: what they show, what their forms do once, and what they refuse in words.

use domain::document::{DocumentKind, Edit};
use domain::staff::Role;
use hub::app::Actor;
use reqwest::{Client, StatusCode, redirect};
use serde_json::{Value, json};
use sync_protocol::item::{Item, VerdictKind, command};

use crate::api::{Site, branch_body};

/// A browser that is signed in.
pub struct Browser<'a> {
    site: &'a Site,
    http: Client,
    cookie: String,
}

/// What a page answered.
pub struct Shown {
    pub status: StatusCode,
    pub location: String,
    pub text: String,
}

impl<'a> Browser<'a> {
    pub async fn new(site: &'a Site, role: Role, branches: &[&str]) -> Self {
        let person = site.person(role, branches).await;
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        let form = [
            ("username", person.username.as_str()),
            ("password", crate::api::PASSWORD),
        ];
        let answer = http
            .post(format!("{}/sign-in", site.base))
            .header("sec-fetch-site", "same-origin")
            .header("content-type", FORM)
            .body(encoded(&form))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()["location"], "/network");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Browser { site, http, cookie }
    }

    async fn read(&self, request: reqwest::RequestBuilder) -> Shown {
        let answer = request
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", "same-origin")
            .send()
            .await
            .unwrap();
        let location = answer.headers().get("location");
        Shown {
            status: answer.status(),
            location: location
                .map(|at| at.to_str().unwrap().to_owned())
                .unwrap_or_default(),
            text: answer.text().await.unwrap(),
        }
    }

    pub async fn get(&self, path: &str) -> Shown {
        self.read(self.http.get(format!("{}{path}", self.site.base)))
            .await
    }

    /// As a script asks: for the part alone.
    pub async fn part(&self, path: &str) -> Shown {
        let request = self.http.get(format!("{}{path}", self.site.base));
        self.read(
            request
                .header("hx-request", "true")
                .header("hx-request-type", "partial"),
        )
        .await
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Shown {
        self.read(
            self.http
                .post(format!("{}{path}", self.site.base))
                .header("content-type", FORM)
                .body(encoded(fields)),
        )
        .await
    }

    /// Sends a form with a file, as a browser without scripts does.
    pub async fn upload(&self, path: &str, key: &str, file: &str) -> Shown {
        let part = |name: &str, more: &str, value: &str| {
            format!(
                "--xx\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{value}\r\n"
            )
        };
        let body = part("key", "", key)
            + &part("time_zone", "", "Europe/Berlin")
            + &part("file", "; filename=\"bank.csv\"", file)
            + "--xx--\r\n";
        self.read(
            self.http
                .post(format!("{}{path}", self.site.base))
                .header("content-type", "multipart/form-data; boundary=xx")
                .body(body),
        )
        .await
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

fn encoded(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", name.replace(' ', "+"), encode(value)))
        .collect();
    pairs.join("&")
}

/// The value of a hidden field.
pub fn hidden(text: &str, name: &str) -> String {
    let at = text
        .find(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("no {name}"));
    let value = &text[at + name.len() + 15..];
    value[..value.find('"').unwrap()].to_owned()
}

async fn make(site: &Site, code: &str, latitude: f64) -> Value {
    let manager = site.person(Role::CentralManager, &[]).await;
    manager
        .post("/api/v1/branches", &branch_body(code, latitude, 13.4))
        .await
        .with(201)
}

#[tokio::test]
async fn the_network_lists_the_worst_first_and_the_map_has_every_place() {
    let mut site = Site::new().await;
    let mut ber = site.world.branch("BER").await;
    make(&site, "HAM", 53.5).await;
    let part = crate::support::part(1);
    let movement = ber.movement(part, domain::stock::MovementKind::Scrap, 3);
    let entry = ber.tx(vec![movement]);
    ber.send(&site.world.hub, vec![entry]).await;
    let browser = Browser::new(&site, Role::CentralManager, &[]).await;
    let page = browser.get("/network").await;
    assert_eq!(page.status, 200);
    let worst = page.text.find("class=\"worst\"").unwrap();
    assert!(
        page.text[worst..].contains("data-code=\"BER\""),
        "the machine is not heard"
    );
    assert!(page.text.contains("1 part below zero"));
    assert!(page.text.contains("0 of 2 branches connected"));
    let part = browser.part("/network").await.text;
    assert!(part.starts_with("<section id=\"worst\"") && part.contains("hx-target=\"#day\""));
    let client = site.person(Role::Auditor, &[]).await;
    let points = client.get("/api/v1/network").await.with(200);
    assert_eq!(points["codes"], json!(["BER", "HAM"]));
    assert_eq!(points["state"], json!([0, 3]));
    assert_eq!(points["latitudes"], json!([525_000, 535_000]));
    assert_eq!(points["longitudes"], json!([134_000, 134_000]));
    let own = site.person(Role::BranchManager, &["HAM"]).await;
    let points = own.get("/api/v1/network").await.with(200);
    assert_eq!(
        points["codes"],
        json!(["HAM"]),
        "nobody sees other branches"
    );
    assert!(
        browser
            .get("/branches?q=ham")
            .await
            .text
            .contains("Branch HAM")
    );
    assert!(
        browser
            .get("/branches?q=nowhere")
            .await
            .text
            .contains("No branch fits")
    );
    assert!(
        !browser
            .get("/branches?state=cut_off")
            .await
            .text
            .contains("Branch HAM")
    );
}

#[tokio::test]
async fn a_branch_is_made_once_refused_in_words_and_changed() {
    let site = Site::new().await;
    let browser = Browser::new(&site, Role::CentralManager, &[]).await;
    let form = browser.get("/branches/new").await.text;
    let key = hidden(&form, "key");
    let mut fields = vec![
        ("key", key.as_str()),
        ("code", "lej"),
        ("name", "Leipzig <b>"),
        ("latitude", "51,34"),
        ("longitude", "12.37"),
        ("time_zone", "Europe/Leipzig"),
        ("currency", "EUR"),
        ("language", "en"),
        ("prices_include_tax", "yes"),
    ];
    let refused = browser.post("/branches", &fields).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("IANA time zone") && refused.text.contains("value=\"51,34\""));
    assert!(
        refused.text.contains("Leipzig &#60;b&#62;") || refused.text.contains("Leipzig &lt;b&gt;")
    );
    assert_eq!(
        hidden(&refused.text, "key"),
        key,
        "nothing was done, so the key stays"
    );
    fields[5].1 = "Europe/Berlin";
    for _ in 0..2 {
        let made = browser.post("/branches", &fields).await;
        assert_eq!(
            (made.status.as_u16(), made.location.as_str()),
            (303, "/branches/LEJ")
        );
    }
    assert_eq!(
        site.world
            .count("select count(*) from locations.branch")
            .await,
        1
    );
    let page = browser.get("/branches/LEJ").await;
    assert!(page.text.contains("No machine speaks for this branch."));
    let edit = browser.get("/branches/LEJ/edit").await.text;
    let (key, version) = (hidden(&edit, "key"), hidden(&edit, "version"));
    fields[0].1 = &key;
    fields[2].1 = "Leipzig";
    fields.extend([("version", version.as_str()), ("active", "yes")]);
    let changed = browser.post("/branches/LEJ/edit", &fields).await;
    assert_eq!(changed.location, "/branches/LEJ");
    let other = hidden(&browser.get("/branches/LEJ/edit").await.text, "key");
    fields[0].1 = &other;
    let stale = browser.post("/branches/LEJ/edit", &fields).await;
    assert_eq!(stale.status, 412);
    assert!(stale.text.contains("changed meanwhile"));
}

#[tokio::test]
async fn a_join_code_is_shown_once_and_a_machine_is_revoked_with_a_reason() {
    let mut site = Site::new().await;
    let machine = site.world.branch("BER").await.node;
    let browser = Browser::new(&site, Role::Operator, &[]).await;
    let page = browser.get("/branches/BER").await.text;
    assert!(page.contains(&machine.to_string()));
    let key = hidden(&page, "key");
    let made = browser
        .post("/branches/BER/join-codes", &[("key", &key)])
        .await;
    assert_eq!(made.status, 200);
    assert!(made.text.contains("id=\"join-code\""));
    assert!(
        !browser
            .get("/branches/BER")
            .await
            .text
            .contains("id=\"join-code\"")
    );
    assert_eq!(
        site.world
            .count("select count(*) from sync.join_code")
            .await,
        1
    );
    let path = format!("/branches/BER/machines/{machine}/revoke");
    let empty = browser
        .post(&path, &[("key", "revoke-1"), ("reason", " ")])
        .await;
    assert_eq!(empty.status, 422);
    assert!(empty.text.contains("Must say why."));
    let done = browser
        .post(&path, &[("key", "revoke-1"), ("reason", "stolen")])
        .await;
    assert_eq!(done.location, "/branches/BER");
    assert!(browser.get("/branches/BER").await.text.contains("revoked"));
    let clerk = Browser::new(&site, Role::Auditor, &[]).await;
    assert_eq!(
        clerk
            .post("/branches/BER/join-codes", &[("key", "k")])
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn a_person_is_added_signs_in_and_is_let_go() {
    let site = Site::new().await;
    make(&site, "BER", 52.5).await;
    let browser = Browser::new(&site, Role::CentralManager, &[]).await;
    let form = browser.get("/staff/new").await.text;
    let key = hidden(&form, "key");
    assert!(form.contains("Takes devices in"), "roles are explained");
    let mut fields = vec![
        ("key", key.as_str()),
        ("name", "Ada Lovelace"),
        ("username", "ada"),
        ("role", "branch_manager"),
        ("branches", "BER"),
        ("password", "short"),
    ];
    let refused = browser.post("/staff", &fields).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Must have 8 characters at least."));
    assert!(
        !refused.text.contains("value=\"short\""),
        "a password is never shown"
    );
    assert!(refused.text.contains("value=\"Ada Lovelace\""));
    fields[5].1 = "correct horse battery";
    for _ in 0..2 {
        assert_eq!(browser.post("/staff", &fields).await.location, "/staff");
    }
    assert_eq!(
        site.world
            .count("select count(*) from staff.staff where username = 'ada'")
            .await,
        1
    );
    let ada = site.sign_in("ada", "correct horse battery").await;
    ada.get("/api/v1/branches").await.with(200);
    let list = browser.get("/staff?q=love").await.text;
    let id = &list[list.find("id=\"person-").unwrap() + 11..][..36];
    let taken = browser
        .post(
            "/staff",
            &[
                ("key", "other"),
                ("name", "B"),
                ("username", "ada"),
                ("role", "clerk"),
                ("password", "correct horse battery"),
            ],
        )
        .await;
    assert_eq!(taken.status, 409);
    assert!(taken.text.contains("This user name is taken."));
    let gone = browser
        .post(&format!("/staff/{id}/active"), &[("key", "gone")])
        .await;
    assert_eq!(gone.location, "/staff");
    assert_eq!(ada.get("/api/v1/branches").await.status, 401);
    assert!(browser.get("/staff").await.text.contains("may not sign in"));
}

#[tokio::test]
async fn the_company_is_set_up_with_rates_and_texts() {
    let site = Site::new().await;
    let browser = Browser::new(&site, Role::CentralManager, &[]).await;
    let page = browser.get("/settings").await.text;
    let (key, version) = (hidden(&page, "key"), hidden(&page, "version"));
    let mut fields = vec![
        ("key", key.as_str()),
        ("version", version.as_str()),
        ("legal_name", "Example Repairs Ltd"),
        ("tax_id", "DE1"),
        ("rate_name", "standard"),
        ("rate", "much"),
        ("rate_name", ""),
        ("rate", ""),
        ("text_key", "intake"),
        ("text", "Thank you"),
        ("text_key", ""),
        ("text", ""),
    ];
    let refused = browser.post("/settings", &fields).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Write a rate, as in 19 or 5.5."));
    fields[5].1 = "19";
    assert_eq!(
        browser.post("/settings", &fields).await.location,
        "/settings"
    );
    let manager = site.person(Role::CentralManager, &[]).await;
    let settings = manager.get("/api/v1/settings").await.with(200);
    assert_eq!(
        settings["tax_rates"],
        json!([{ "name": "standard", "rate_bp": 1900 }])
    );
    assert_eq!(settings["receipt_texts"], json!({ "intake": "Thank you" }));
    assert!(
        browser
            .get("/settings")
            .await
            .text
            .contains("value=\"Example Repairs Ltd\"")
    );
}

/// A branch writes a person that it does not serve: parked. Once it serves the person the entry is released.
#[tokio::test]
async fn a_parked_entry_is_refused_again_then_released_and_follows_from_the_logs() {
    let mut site = Site::new().await;
    let (mut home, mut other) = (
        site.world.branch("BER").await,
        site.world.branch("HAM").await,
    );
    let hub = site.world.hub.clone();
    let (customer, _key, created) = home.new_customer("Ada Lovelace");
    let entry = home.tx(vec![created]);
    home.send(&hub, vec![entry]).await;
    other
        .documents
        .insert(customer, home.documents[&customer].clone());
    for language in ["de", "fr"] {
        let edits = [Edit::text(&["language"], language)];
        let foreign = other.edit(customer, DocumentKind::Customer, &edits);
        let entry = other.tx(vec![foreign]);
        other.send(&hub, vec![entry]).await;
    }
    let operator = site.person(Role::Operator, &[]).await;
    let parked = operator.list("/api/v1/parked").await;
    assert_eq!(parked.len(), 2);
    let of = |seq: &str| {
        let ends = |row: &&Value| row["position"].as_str().unwrap().ends_with(seq);
        let found = parked.iter().find(ends).unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    let (first, second) = (of(".1"), of(".2"));
    let path = |id: &str, act: &str| format!("/api/v1/parked/{id}/{act}");
    let why = json!({ "reason": "the person came to this shop" });
    let refused = operator.post(&path(&first, "release"), &why).await;
    let refused = refused.problem(409);
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("still refuse"), "{refused}");
    let no_reason = json!({ "reason": " " });
    let answer = operator.post(&path(&first, "release"), &no_reason).await;
    answer.problem(422);

    let (order, item) = other.new_order(None);
    let entry = other.tx(vec![item]);
    other.send(&hub, vec![entry]).await;
    let mut tx = hub.begin(Actor::SYSTEM, command::ORDER_EDIT).await.unwrap();
    let edits = [Edit::text(&["customer"], customer.to_string())];
    tx.edit_document(order, DocumentKind::Order, &edits)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let early = operator.post(&path(&second, "release"), &why).await;
    assert_eq!(early.status, 409, "it builds on the first");
    let done = operator
        .keyed(&path(&first, "release"), "first", &why)
        .await;
    assert_eq!(done.with(200)["state"], "released");
    let again = operator
        .keyed(&path(&first, "release"), "first", &why)
        .await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    operator
        .post(&path(&first, "drop"), &why)
        .await
        .problem(409);
    let spoken = "select count(*) from customers.customer where language = 'de'";
    assert_eq!(site.world.count(spoken).await, 1);
    let heard = home.private_items(&hub).await;
    let changes = heard.iter().filter(|item| matches!(item, Item::Change(_)));
    assert_eq!(changes.count(), 1, "{heard:?}");

    let browser = Browser::new(&site, Role::Operator, &[]).await;
    let page = browser.get("/exceptions").await.text;
    assert!(page.contains(&second) && !page.contains(&first));
    let form = [("key", "drop-2"), ("reason", "not needed")];
    let dropped = format!("/exceptions/parked/{second}/drop");
    let dropped = browser.post(&dropped, &form).await;
    assert_eq!(dropped.location, "/exceptions");
    assert_eq!(operator.list("/api/v1/exceptions").await.len(), 0);
    let items = other.private_items(&hub).await.into_iter();
    let verdicts: Vec<VerdictKind> = items
        .filter_map(|item| match item {
            Item::Verdict(verdict) => Some(verdict.verdict),
            _ => None,
        })
        .collect();
    use VerdictKind::{Dropped, Parked, Released};
    assert_eq!(verdicts, [Parked, Parked, Released, Dropped]);
    site.world.verified().await;
}

/// Facts too: what was of a newer kind stays refused; what is dropped stays out, and all of it follows from the logs.
#[tokio::test]
async fn what_cannot_be_released_stays_parked_and_the_logs_say_all_of_it() {
    let mut site = Site::new().await;
    let mut ber = site.world.branch("BER").await;
    let unknown = sync_protocol::transaction::RawItem::Present {
        kind: 4_000,
        body: b"later".to_vec(),
    };
    let entry = ber.tx_raw(vec![unknown]);
    ber.send(&site.world.hub, vec![entry]).await;
    let operator = site.person(Role::Operator, &[]).await;
    let parked = operator.list("/api/v1/parked").await;
    let id = parked[0]["id"].as_str().unwrap();
    let why = json!({ "reason": "try it" });
    let refused = operator
        .post(&format!("/api/v1/parked/{id}/release"), &why)
        .await
        .problem(409);
    assert!(
        refused["detail"].as_str().unwrap().contains("newer hub"),
        "{refused}"
    );
    operator
        .post(&format!("/api/v1/parked/{id}/drop"), &why)
        .await
        .with(200);
    site.world.verified().await;
}

/// 16,288 branches: one answer with all of them, in columns.
#[tokio::test]
async fn the_network_of_a_very_large_chain_is_one_small_answer() {
    let site = Site::new().await;
    site.world
        .execute("insert into locations.branch (branch, version, deleted, code, name, region, address, latitude_e7,
                longitude_e7, location, time_zone, currency, capacity, prices_include_tax, active, opening_hours,
                language, created_ms, updated_ms)
            select gen_random_uuid(), 1, false, 'B' || n, 'Branch number ' || n, 'r' || n % 50, 'Street ' || n,
                ((n % 120) - 60) * 10000000, ((n % 340) - 170) * 10000000, null, 'Europe/Berlin', 'EUR', 0, true, true,
                '', 'en', n, n from generate_series(1, 16288) as n")
        .await;
    let client = site.person(Role::CentralManager, &[]).await;
    let got = client.get("/api/v1/network").await;
    assert_eq!(got.json()["codes"].as_array().unwrap().len(), 16_288);
    assert!(got.bytes.len() < 1_200_000, "{} bytes", got.bytes.len());
    let browser = Browser::new(&site, Role::CentralManager, &[]).await;
    let page = browser.get("/network").await;
    assert!(page.text.len() < 200_000, "{} bytes", page.text.len());
    assert!(page.text.contains("16,228 more that are not well"));
}
