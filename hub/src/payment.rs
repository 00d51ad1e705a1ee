//! Who moves money for the chain: Stripe for cards, the bank for transfers.
//!
//! Adapters turn a provider's way of speaking into ours and back. They know no database and no rule of the till, keep
//! nothing, and decide nothing about trying again: they say whether money may have moved. No card data is ever read:
//! the types that answers are read into have no field for them.

mod bank;
mod guarded;
mod provider;
mod secret;
pub mod stripe;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::payment::Provider;
use domain::sensitive::Sensitive;
use domain::till::Tender;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

pub use bank::{Bank, StatementEntry, StatementError, StatementFlaw, read_statement};
pub use guarded::Guarded;
pub use provider::{
    Answer, Ask, Find, Outcome, PaymentProvider, ProviderError, Repay, RepayStanding, Settlement,
    Standing,
};
pub use secret::SecretFileError;

use crate::env::Env;
use crate::outside::{Dependency, Outside};
use crate::payment::stripe::{Stripe, StripeOptions, StripeSetupError};

/// How long a provider keeps an idempotency key: an older attempt is looked for before it is asked again.
pub const KEY_LIFE_MS: i64 = 24 * 3_600_000;

/// The `[payment]` table of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaymentSettings {
    /// The file with Stripe's secret key; without it no card is asked and promises wait.
    pub stripe_key_file: Option<PathBuf>,
    /// The file with the secret that signs Stripe's webhooks; without it webhooks are refused and payments are asked
    /// about instead.
    pub stripe_webhook_secret_file: Option<PathBuf>,
    /// Where Stripe is.
    pub stripe_url: String,
    /// How long a call to a provider may take.
    pub timeout_ms: u64,
    /// The card readers on the counters: the provider's name of each, by the code of its branch.
    pub readers: BTreeMap<String, String>,
}

impl Default for PaymentSettings {
    fn default() -> Self {
        Self {
            stripe_key_file: None,
            stripe_webhook_secret_file: None,
            stripe_url: "https://api.stripe.com".to_owned(),
            timeout_ms: 2_000,
            readers: BTreeMap::new(),
        }
    }
}

/// Why the providers cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum PaymentSetupError {
    /// A file with a secret is not what it should be.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    /// Stripe's adapter cannot be made.
    #[error(transparent)]
    Stripe(#[from] StripeSetupError),
}

/// The providers of a hub, each behind its breaker.
#[derive(Debug, Clone)]
pub struct Providers {
    stripe: Option<Arc<dyn PaymentProvider>>,
    bank: Arc<dyn PaymentProvider>,
    webhook_secret: Option<Arc<Sensitive<String>>>,
}

impl Providers {
    /// Reads the secrets and makes the adapters; calls nobody.
    ///
    /// # Errors
    /// When a named file cannot be read or is empty, or the address of Stripe would carry its key in clear.
    pub fn open(
        settings: &PaymentSettings,
        outside: &Arc<Outside>,
        env: &Env,
    ) -> Result<Self, PaymentSetupError> {
        let stripe = match &settings.stripe_key_file {
            None => None,
            Some(path) => {
                let stripe = Stripe::new(StripeOptions {
                    url: settings.stripe_url.clone(),
                    key: secret::read(path)?,
                    timeout: Duration::from_millis(settings.timeout_ms),
                })?;
                Some(Arc::new(stripe) as Arc<dyn PaymentProvider>)
            }
        };
        let webhook_secret = match &settings.stripe_webhook_secret_file {
            None => None,
            Some(path) => Some(Arc::new(secret::read(path)?)),
        };
        Ok(Self::with(stripe, webhook_secret, outside, env))
    }

    /// The same from an adapter that exists already.
    pub fn with(
        stripe: Option<Arc<dyn PaymentProvider>>,
        webhook_secret: Option<Arc<Sensitive<String>>>,
        outside: &Arc<Outside>,
        env: &Env,
    ) -> Self {
        let guarded = |provider: Arc<dyn PaymentProvider>| {
            outside.expect(Dependency::Payment(provider.provider()));
            Arc::new(Guarded::new(provider, outside.clone(), env.clone()))
                as Arc<dyn PaymentProvider>
        };
        Self {
            stripe: stripe.map(guarded),
            bank: Arc::new(Bank),
            webhook_secret,
        }
    }

    /// The adapter of a provider, where it is set up.
    pub fn get(&self, provider: Provider) -> Option<&Arc<dyn PaymentProvider>> {
        match provider {
            Provider::Stripe => self.stripe.as_ref(),
            Provider::Bank => Some(&self.bank),
        }
    }

    /// Who is asked for a tender, where it is set up; nobody for what is settled at the counter.
    pub fn for_tender(&self, tender: Tender) -> Option<&Arc<dyn PaymentProvider>> {
        match tender {
            Tender::Card => self.get(Provider::Stripe),
            Tender::Bank => self.get(Provider::Bank),
            Tender::Cash | Tender::Account => None,
        }
    }

    /// What signs Stripe's webhooks.
    pub fn webhook_secret(&self) -> Option<&Sensitive<String>> {
        self.webhook_secret.as_deref()
    }
}
