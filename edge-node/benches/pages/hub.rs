//! What a hub would have sent: rows in feed blocks, and the credentials that joining writes.

use std::path::Path;

use domain::id::StaffId;
use edge_node::identity::NodeIdentity;
use edge_node::store::Store;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ED25519, SanType};
use rustls::pki_types::PrivatePkcs8KeyDer;
use sync_protocol::certificate::{NodeName, private_key_der};
use sync_protocol::feed::{FeedBlock, FeedEntry, FeedId, FeedTip};
use sync_protocol::item::{Item, command};
use sync_protocol::position::{Epoch, NodeId, Position};
use sync_protocol::transaction::Header;

/// A hub that publishes to one feed.
pub struct HubFeed {
    feed: FeedId,
    tip: FeedTip,
    position: Position,
}

impl HubFeed {
    pub fn new(feed: FeedId) -> Self {
        let position = Position {
            node: NodeId::HUB,
            epoch: Epoch(99),
            seq: 0,
        };
        let tip = FeedTip {
            n: 0,
            running: feed.start(),
        };
        Self {
            feed,
            tip,
            position,
        }
    }

    /// Publishes one transaction of these items and lets the branch apply it.
    pub fn publish(&mut self, store: &Store, items: &[Item], now_ms: i64) {
        let (first, before) = (self.tip.n + 1, self.tip.running);
        self.position.seq += 1;
        let header = Header {
            flags: 0,
            command: command::ROWS,
            hlc: ((now_ms as u64) << 16) + self.position.seq,
            staff: StaffId::NIL,
            terminal: 0,
            business_day: 20_000,
            items: items.len() as u16,
        };
        let entry = FeedEntry {
            origin: self.position,
            header,
            items: (0..).zip(items.iter().map(Item::to_raw)).collect(),
        };
        self.tip.n += 1;
        self.tip.running = entry.running(&self.tip.running, self.tip.n);
        let block = FeedBlock {
            feed: self.feed,
            first,
            before,
            entries: vec![entry],
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime
            .block_on(store.apply_feed_block(block, None))
            .unwrap();
    }
}

/// What joining would have written: the node's key and a certificate for it.
pub fn write_credentials(dir: &Path, identity: &NodeIdentity) {
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
        node: identity.node,
        branch: identity.branch,
    };
    leaf.subject_alt_names = vec![SanType::URI(name.to_string().try_into().unwrap())];
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
