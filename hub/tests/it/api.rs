//! The hub's API over HTTP on loopback, with real people, sessions and branches.

mod description;
mod documents;
mod goods;
mod rows;
mod session;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::staff::Role;
use hub::api::{HubState, StateParts};
use hub::app::staff::{NewStaff, create, new_password};
use hub::app::{Actor, Hub};
use hub::ca::Ca;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sync_protocol::item::command;
use tokio::net::TcpListener;
use tokio::sync::watch;
use web_kit::HostAllowList;

use crate::support::World;

pub const PASSWORD: &str = "correct horse battery";

/// A hub that answers on a loopback port.
pub struct Site {
    pub world: World,
    pub base: String,
    pub state: HubState,
    http: reqwest::Client,
    password_hash: String,
    keys: AtomicU32,
    _stop: watch::Sender<bool>,
}

/// An answer, read.
#[derive(Debug)]
pub struct Got {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The body of an answer with this status.
    pub fn with(self, status: u16) -> Value {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        self.json()
    }

    /// The body of a problem with this status.
    pub fn problem(self, status: u16) -> Value {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let problem = self.with(status);
        assert_eq!(problem["status"], status);
        assert!(
            problem["title"].is_string() && problem["type"].is_string(),
            "{problem}"
        );
        problem
    }
}

/// A person who is signed in.
#[derive(Clone)]
pub struct Client<'a> {
    site: &'a Site,
    pub username: String,
    pub token: String,
}

impl Site {
    pub async fn new() -> Self {
        Self::over(World::new().await).await
    }

    /// The same over a world that has something already.
    pub async fn over(world: World) -> Self {
        let hub = world.hub.clone();
        let secrets = &hub.keys().dir;
        let ca = Ca::open(secrets, hub.env().now_ms(), &mut hub.env().entropy()).unwrap();
        let (stop, stopping) = watch::channel(false);
        let state = HubState::new(StateParts {
            hub: hub.clone(),
            ca: Arc::new(ca),
            hosts: HostAllowList::loopback_and::<[&str; 0], &str>([]),
            over_tls: false,
            branches: "127.0.0.1:4433".parse().ok(),
            names: Vec::new(),
            stopping,
        });
        let router = hub::server::router(&state).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let password_hash = new_password(&hub, PASSWORD.to_owned().into())
            .await
            .unwrap();
        Site {
            world,
            base,
            state,
            http: reqwest::Client::new(),
            password_hash,
            keys: AtomicU32::new(0),
            _stop: stop,
        }
    }

    pub fn hub(&self) -> &Arc<Hub> {
        &self.world.hub
    }

    /// Adds a person and signs in as that one.
    pub async fn person(&self, role: Role, branches: &[&str]) -> Client<'_> {
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        let username = format!("{}.{number}", role.as_str());
        let mut tx = self
            .hub()
            .begin(Actor::SYSTEM, command::ROWS)
            .await
            .unwrap();
        let new = NewStaff {
            username: username.clone(),
            name: format!("{role} {number}"),
            role,
            branches: branches.iter().map(|code| (*code).to_owned()).collect(),
            password_hash: self.password_hash.clone(),
        };
        create(&mut tx, new).await.unwrap();
        tx.commit().await.unwrap();
        self.sign_in(&username, PASSWORD).await
    }

    pub async fn sign_in(&self, username: &str, password: &str) -> Client<'_> {
        let body = json!({ "username": username, "password": password });
        let answer = self
            .send(Method::POST, "/api/v1/session", &[], Some(&body))
            .await
            .with(201);
        Client {
            site: self,
            username: username.to_owned(),
            token: answer["token"].as_str().unwrap().to_owned(),
        }
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Got {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        read(request).await
    }
}

async fn read(request: reqwest::RequestBuilder) -> Got {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Got {
        status,
        headers,
        bytes: response.bytes().await.unwrap().to_vec(),
    }
}

impl Client<'_> {
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Got {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        self.site.send(method, path, &all, body).await
    }

    pub async fn get(&self, path: &str) -> Got {
        self.send(Method::GET, path, &[], None).await
    }

    /// With a key of its own.
    pub async fn post(&self, path: &str, body: &Value) -> Got {
        let key = format!("key-{}", self.site.keys.fetch_add(1, Ordering::Relaxed));
        self.keyed(path, &key, body).await
    }

    pub async fn keyed(&self, path: &str, key: &str, body: &Value) -> Got {
        self.send(Method::POST, path, &[("Idempotency-Key", key)], Some(body))
            .await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Got {
        self.send(Method::PATCH, path, &[], Some(body)).await
    }

    pub async fn patch_if(&self, path: &str, tag: &str, body: &Value) -> Got {
        self.send(Method::PATCH, path, &[("If-Match", tag)], Some(body))
            .await
    }

    /// Every item of a list, a page of two at a time.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self
                .get(&format!("{path}{joint}limit=2{cursor}"))
                .await
                .with(200);
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }
}

pub fn branch_body(code: &str, latitude: f64, longitude: f64) -> Value {
    json!({
        "code": code, "name": format!("Branch {code}"), "region": "north", "address": "Example street 1",
        "location": { "latitude": latitude, "longitude": longitude },
        "time_zone": "Europe/Berlin", "currency": "EUR", "capacity": 40,
    })
}

pub fn part_body(sku: &str) -> Value {
    json!({ "sku": sku, "name": format!("Part {sku}"), "category": "parts",
        "price": { "amount_minor": 4990, "currency": "EUR" }, "tax_rate_bp": 1900 })
}

/// The values of one field of all items.
pub fn field(items: &[Value], name: &str) -> Vec<String> {
    items
        .iter()
        .map(|item| item[name].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Items by one of their fields.
pub fn by(items: &[Value], name: &str) -> BTreeMap<String, Value> {
    items
        .iter()
        .map(|item| (item[name].as_str().unwrap().to_owned(), item.clone()))
        .collect()
}
