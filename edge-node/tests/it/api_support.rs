//! A branch that is served on a loopback port: the whole router over a real store and a real line, whose hub is away.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use domain::staff::Role;
use edge_node::api::{EdgeState, StateParts};
use edge_node::server;
use edge_node::store::Store;
use edge_node::sync::{self, SyncConfig};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ED25519, SanType};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};
use sync_protocol::certificate::{NodeName, private_key_der};
use sync_protocol::feed::FeedId;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use web_kit::{HostAllowList, SessionToken};

use crate::app_support::*;
use crate::support::*;

/// Everybody's password in these tests.
pub const PASSWORD: &str = "correct horse";
/// The people of the shop: one in each role.
pub const PEOPLE: [(u8, &str, Role); 6] = [
    (1, "ada", Role::BranchManager),
    (3, "gus", Role::Auditor),
    (4, "tim", Role::Technician),
    (5, "cleo", Role::Clerk),
    (6, "cem", Role::CentralManager),
    (7, "opa", Role::Operator),
];

/// A shop that is open.
pub struct Served {
    pub url: String,
    pub state: EdgeState,
    pub http: reqwest::Client,
    stop: watch::Sender<bool>,
    _branch: Branch,
}

/// What came back.
#[derive(Debug)]
pub struct Got {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Got {
    pub async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Self {
            status,
            headers,
            body,
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The answer, which must have this status.
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// The problem document, which must be one.
    #[track_caller]
    pub fn problem(self, status: u16) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        assert_eq!(self.body["status"], status, "{}", self.body);
        for name in ["type", "title"] {
            assert!(self.body[name].is_string(), "{}", self.body);
        }
        self.ok(status)
    }
}

/// A caller with a token.
#[derive(Clone)]
pub struct Client {
    url: String,
    http: reqwest::Client,
    pub token: String,
}

impl Client {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Got {
        Got::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Got {
        let request = self
            .request(Method::POST, path)
            .header("idempotency-key", key)
            .json(body);
        Got::of(request.send().await.unwrap()).await
    }

    pub async fn post_plain(&self, path: &str, body: &Value) -> Got {
        Got::of(
            self.request(Method::POST, path)
                .json(body)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    pub async fn patch(&self, path: &str, if_match: Option<&str>, body: &Value) -> Got {
        let mut request = self.request(Method::PATCH, path).json(body);
        if let Some(tag) = if_match {
            request = request.header("if-match", tag);
        }
        Got::of(request.send().await.unwrap()).await
    }

    /// Takes one device in.
    pub async fn take_in(&self, key: &str, fault: &str) -> Value {
        let body =
            json!({ "customer": null, "devices": [{ "category": "laptop", "fault": fault }] });
        let visit = self.post("/api/v1/orders", key, &body).await.ok(201);
        visit["items"][0].clone()
    }
}

impl Served {
    /// Opens a shop with people and parts.
    pub async fn open() -> Self {
        Self::open_with(|_, _| {}).await
    }

    /// The same, with more that the hub would have sent.
    pub async fn open_with(more: impl FnOnce(&Store, &mut HubFeed) + Send + 'static) -> Self {
        let furnish = move || {
            let (branch, store, mut chain) = furnished_shop();
            more(&store, &mut chain);
            (branch, store)
        };
        let (branch, store) = std::thread::spawn(furnish).join().unwrap();
        let hub = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let hub_address = hub.local_addr().unwrap();
        // Whoever listens there never answers: the hub is away for the whole test.
        drop(hub);
        write_credentials(branch.path());
        let line = SyncConfig {
            dir: branch.path().to_owned(),
            hub: hub_address.to_string(),
            env: store.env().clone(),
        };
        let sync = sync::start(store.clone(), line).unwrap();
        let (stop, stopping) = watch::channel(false);
        let state = EdgeState::new(StateParts {
            local_token: SessionToken::from_random(store.env().bytes()),
            store,
            sync,
            hosts: HostAllowList::loopback_and(["shop.test"]),
            over_tls: false,
            observed_here: true,
            stopping,
        });
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = server::router(&state).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()
            .unwrap();
        Self {
            url,
            state,
            http,
            stop,
            _branch: branch,
        }
    }

    /// Tells the event streams that the program ends.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub fn nobody(&self) -> Client {
        Client {
            url: self.url.clone(),
            http: self.http.clone(),
            token: String::new(),
        }
    }

    pub async fn sign_in(&self, username: &str) -> Client {
        let body = json!({ "username": username, "password": PASSWORD });
        let request = self
            .http
            .post(format!("{}/api/v1/session", self.url))
            .json(&body);
        let session = Got::of(request.send().await.unwrap()).await.ok(201);
        let token = session["token"].as_str().unwrap().to_owned();
        Client {
            token,
            ..self.nobody()
        }
    }
}

fn furnished() -> (Branch, Store) {
    let (branch, store, _) = furnished_shop();
    (branch, store)
}

pub fn furnished_shop() -> (Branch, Store, HubFeed) {
    let (branch, store, mut chain) = shop();
    let people = PEOPLE
        .iter()
        .map(|(number, name, role)| person(*number, name, *role, vec![]));
    apply(&store, chain.block(&[people.collect()]));
    let mut private = HubFeed::new(FeedId::private(BRANCH));
    let credentials = PEOPLE
        .iter()
        .map(|(number, ..)| credential(*number, PASSWORD));
    apply(&store, private.block(&[credentials.collect()]));
    (branch, store, chain)
}

/// What joining would have written: the node's key and a certificate for it.
pub fn write_credentials(dir: &Path) {
    let root_key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_certificate = root.self_signed(&root_key).unwrap();
    let seed = [5; 32];
    let der = private_key_der(&seed);
    let key = KeyPair::from_pkcs8_der_and_sign_algo(
        &PrivatePkcs8KeyDer::from(der.as_slice()),
        &PKCS_ED25519,
    )
    .unwrap();
    let mut leaf = CertificateParams::default();
    let name = NodeName {
        node: identity().node,
        branch: BRANCH,
    }
    .to_string();
    leaf.subject_alt_names = vec![SanType::URI(name.try_into().unwrap())];
    let leaf_certificate = leaf.signed_by(&key, &Issuer::new(root, root_key)).unwrap();
    let secrets = dir.join("secrets");
    std::fs::create_dir_all(&secrets).unwrap();
    let root_der = root_certificate.der().to_vec();
    let chain = [leaf_certificate.der().to_vec(), root_der.clone()].concat();
    let files: [(&str, &[u8]); 4] = [
        ("node.key", &seed),
        ("node.crt.der", &chain),
        ("hub_ca.der", &root_der),
        ("hub.pub", &[6; 32]),
    ];
    for (name, bytes) in files {
        std::fs::write(secrets.join(name), bytes).unwrap();
    }
}

/// A directory with people and parts, closed again: for a real process.
pub fn furnished_directory() -> Branch {
    std::thread::spawn(|| {
        let (branch, store) = furnished();
        drop(store);
        write_credentials(branch.path());
        branch
    })
    .join()
    .unwrap()
}
