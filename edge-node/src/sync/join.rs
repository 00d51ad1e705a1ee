//! Joining a branch, and renewing the certificate.
//!
//! The key is made here and never leaves; only a signing request is sent. It is on disk before the request, so joining
//! again with the same code after a crash asks with the same key and gets the same certificate. `node.toml` is written
//! last: with it the directory is joined.

use std::path::Path;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use quinn::{Connection, VarInt};
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use sync_protocol::certificate::private_key_der;
use sync_protocol::error::DecodeError;
use sync_protocol::frame::{Frame, FrameReader, FrameType};
use sync_protocol::join_code::JoinCode;
use sync_protocol::message::{
    ALPN_JOIN, ALPN_RENEW, Close, CloseReason, Grant, Join, Renew, STREAM_CONTROL,
};
use thiserror::Error;
use tokio::time::timeout;

use super::credentials::{self, Credentials, NODE_KEY, read_leaf};
use super::tls::{self, Trust, fingerprint};
use super::transport::{ReachError, closed_by_hub, reach};
use crate::env::Env;
use crate::error::StoreError;
use crate::identity::{NODE_FILE, NodeIdentity};
use crate::store::secrets::{key_or_new, secrets_dir, write_private};

/// The whole exchange, on slow lines as well.
const WITHIN: Duration = Duration::from_secs(60);
/// H of the secret of the code that was used, so that joining twice with one code is no mistake.
const JOINED_WITH: &str = "joined_with";

/// Why a machine did not join, or a certificate was not renewed.
#[derive(Debug, Error)]
pub enum JoinError {
    /// The directory is a node already, by another code.
    #[error("{dir} belongs to branch {code} already; use another directory")]
    Joined {
        /// The directory.
        dir: String,
        /// Its branch.
        code: String,
    },
    /// The hub at this address is not the one that made the code.
    #[error("the hub at {hub} is not the one that made this code")]
    WrongHub {
        /// The address.
        hub: String,
    },
    /// The hub said no.
    #[error("the hub refuses: {}", .0.detail)]
    Refused(Close),
    /// The hub cannot be reached.
    #[error("the hub at {hub} cannot be reached: {source}")]
    Unreachable {
        /// The address.
        hub: String,
        /// Why.
        source: ReachError,
    },
    /// The hub's answer is not what it should be.
    #[error("the hub's answer is not what it should be: {what}")]
    Answer {
        /// What is wrong with it.
        what: String,
    },
    /// The data directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A signing request could not be made.
    #[error("the request for a certificate could not be made: {0}")]
    Request(#[from] rcgen::Error),
}

impl From<DecodeError> for JoinError {
    fn from(error: DecodeError) -> Self {
        JoinError::Answer {
            what: error.to_string(),
        }
    }
}

/// Makes the data directory a node of the branch that `code` was made for. With the same code again it changes nothing.
///
/// # Errors
/// See [`JoinError`]; the directory can be joined again after each of them.
pub async fn join(
    hub: &str,
    code: &JoinCode,
    dir: &Path,
    env: &Env,
) -> Result<NodeIdentity, JoinError> {
    let used = JoinCode::secret_hash(&code.secret);
    let secrets = secrets_dir(dir)?;
    if dir.join(NODE_FILE).exists() {
        let identity = NodeIdentity::read(dir)?;
        return match std::fs::read(secrets.join(JOINED_WITH)) {
            Ok(known) if known == used => Ok(identity),
            _ => Err(JoinError::Joined {
                dir: dir.display().to_string(),
                code: identity.code,
            }),
        };
    }
    let seed = key_or_new(dir, NODE_KEY, env)?;
    let public_key = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
    let ask = Join {
        secret: code.secret,
        public_key,
        request: signing_request(&seed)?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let config = tls::client(Trust::Fingerprint(code.fingerprint), ALPN_JOIN, None)
        .map_err(|error| unreachable(hub, error.into()))?;
    let grant = ask_for_grant(hub, config, &ask.to_frame()).await?;
    check_grant(&grant, &public_key)?;
    let root = grant
        .certificates
        .last()
        .map(|der| CertificateDer::from(der.as_slice()));
    if root.and_then(|root| fingerprint(&root)) != Some(code.fingerprint) {
        return Err(JoinError::Answer {
            what: "the chain does not end in the hub's root".to_owned(),
        });
    }
    credentials::write(dir, &grant.certificates, &grant.hub_key)?;
    write_private(&secrets.join(JOINED_WITH), &used)?;
    let identity = NodeIdentity {
        node: grant.node,
        branch: grant.branch,
        code: grant.branch_code,
        name: grant.branch_name,
        time_zone: grant.time_zone,
        region: grant.region,
        hub: hub.to_owned(),
    };
    identity.write(dir)?;
    Ok(identity)
}

/// Fetches a fresh certificate for the node's key; the old one may have expired.
///
/// # Errors
/// See [`JoinError`]; the old certificate stays in use.
pub async fn renew(hub: &str, dir: &Path) -> Result<(), JoinError> {
    let old = Credentials::read(dir)?;
    let ask = Renew {
        request: signing_request(&old.seed)?,
    };
    let config = tls::client(Trust::Root(old.root.clone()), ALPN_RENEW, Some(&old))
        .map_err(|error| unreachable(hub, error.into()))?;
    let grant = ask_for_grant(hub, config, &ask.to_frame()).await?;
    check_grant(&grant, &old.signing_key().verifying_key().to_bytes())?;
    let names = |der: Option<&[u8]>| der.and_then(read_leaf).map(|leaf| leaf.name);
    let is_same_node = names(grant.certificates.first().map(Vec::as_slice))
        == names(old.chain.first().map(|der| der.as_ref()));
    if !is_same_node || grant.certificates.last().map(Vec::as_slice) != Some(old.root.as_ref()) {
        return Err(JoinError::Answer {
            what: "the certificate is another node's or another hub's".to_owned(),
        });
    }
    credentials::write(dir, &grant.certificates, &grant.hub_key)?;
    Ok(())
}

fn unreachable(hub: &str, source: ReachError) -> JoinError {
    JoinError::Unreachable {
        hub: hub.to_owned(),
        source,
    }
}

/// A signing request (RFC 2986) that proves the key and says nothing else.
fn signing_request(seed: &[u8; 32]) -> Result<Vec<u8>, rcgen::Error> {
    let der = zeroize::Zeroizing::new(private_key_der(seed));
    let key = KeyPair::from_pkcs8_der_and_sign_algo(
        &PrivatePkcs8KeyDer::from(der.as_slice()),
        &PKCS_ED25519,
    )?;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    Ok(params.serialize_request(&key)?.der().to_vec())
}

fn check_grant(grant: &Grant, public_key: &[u8; 32]) -> Result<(), JoinError> {
    let leaf = grant.certificates.first().and_then(|der| read_leaf(der));
    let fits = leaf.is_some_and(|leaf| {
        (leaf.name.node, leaf.name.branch) == (grant.node, grant.branch)
            && leaf.public_key == public_key
    });
    if fits {
        Ok(())
    } else {
        Err(JoinError::Answer {
            what: "the certificate is not for this key".to_owned(),
        })
    }
}

async fn ask_for_grant(
    hub: &str,
    config: quinn::ClientConfig,
    ask: &[u8],
) -> Result<Grant, JoinError> {
    let exchange = async {
        let connection = reach(hub, config)
            .await
            .map_err(|source| reach_failed(hub, source))?;
        let answer = ask_on(&connection, ask).await;
        let answer = match answer {
            Ok(frame) => frame,
            Err(()) => {
                return Err(reach_failed(
                    hub,
                    ReachError::Ended(connection.closed().await),
                ));
            }
        };
        connection.close(VarInt::from_u32(CloseReason::Leaving.code()), b"done");
        match answer.kind {
            FrameType::Grant => Ok(Grant::from_body(&answer.body)?),
            FrameType::Close => Err(JoinError::Refused(Close::from_body(&answer.body)?)),
            _ => Err(JoinError::Answer {
                what: "it is no grant".to_owned(),
            }),
        }
    };
    timeout(WITHIN, exchange)
        .await
        .unwrap_or_else(|_| Err(unreachable(hub, ReachError::Silent)))
}

fn reach_failed(hub: &str, source: ReachError) -> JoinError {
    if let ReachError::Ended(error) = &source {
        if let Some(close) = closed_by_hub(error) {
            return JoinError::Refused(close);
        }
        if is_certificate_refused_here(error) {
            return JoinError::WrongHub {
                hub: hub.to_owned(),
            };
        }
    }
    unreachable(hub, source)
}

/// TLS alerts 42 to 48 are about certificates (RFC 8446 §6.2); one that this side raised means that the hub's did not fit.
fn is_certificate_refused_here(error: &quinn::ConnectionError) -> bool {
    match error {
        quinn::ConnectionError::TransportError(error) => {
            let alert = u64::from(error.code) ^ 0x100;
            (42..=48).contains(&alert)
        }
        _ => false,
    }
}

/// `Err` means that the connection has ended, and its reason says why.
async fn ask_on(connection: &Connection, ask: &[u8]) -> Result<Frame, ()> {
    let (mut send, mut receive) = connection.open_bi().await.map_err(drop)?;
    send.write_all(&[STREAM_CONTROL]).await.map_err(drop)?;
    send.write_all(ask).await.map_err(drop)?;
    send.finish().map_err(drop)?;
    let mut reader = FrameReader::new();
    while let Ok(Some(chunk)) = receive.read_chunk(64 * 1024, true).await {
        reader.push(&chunk.bytes);
        match reader.next_frame() {
            Ok(Some(frame)) => return Ok(frame),
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "the answer is no frame");
                break;
            }
        }
    }
    Err(())
}
