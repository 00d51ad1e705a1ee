//! Stripe: payment links and a reader on the counter, refunds, signed webhooks, balance and payouts.
//!
//! A thin adapter on the parts of the API that the chain uses, of one pinned version. Asking and giving back carry the
//! attempt's own idempotency key; capture, cancel and the reader's action happen once by the state of the payment
//! intent, so they carry none: a kept 500 would only be said again for a day. What a payment stands at is always read
//! from Stripe, never taken from a webhook.

mod amount;
mod client;
mod pay;
mod refund;
mod settle;
mod types;
pub mod webhook;

use std::time::Duration;

use domain::day::SettlementLine;
use domain::id::{PaymentId, RepaymentId};
use domain::money::Money;
use domain::payment::Provider;
use domain::sensitive::Sensitive;

pub use client::{STRIPE_VERSION, StripeSetupError};

use super::provider::{
    Answer, Ask, Find, PaymentProvider, Repay, RepayStanding, Settlement, Standing,
};
use client::Client;

/// Our mark on everything: the payment.
pub const META_PAYMENT: &str = "counterpart_payment";
/// Our mark on everything: the branch.
pub const META_BRANCH: &str = "counterpart_branch";
/// Our mark on payments: the attempt.
pub const META_ATTEMPT: &str = "counterpart_attempt";
/// Our mark on payments at a reader: which reader.
pub const META_READER: &str = "counterpart_reader";
/// Our mark on refunds: the repayment.
pub const META_REPAYMENT: &str = "counterpart_repayment";

/// How Stripe is reached.
#[derive(Debug)]
pub struct StripeOptions {
    /// `https://…`, or `http://` on loopback.
    pub url: String,
    /// The secret key.
    pub key: Sensitive<String>,
    /// How long a call may take.
    pub timeout: Duration,
}

/// The adapter.
#[derive(Debug)]
pub struct Stripe {
    client: Client,
}

impl Stripe {
    /// Makes the adapter; calls nobody.
    ///
    /// # Errors
    /// When the address is not one, would carry the key in clear, or no root certificates are installed.
    pub fn new(options: StripeOptions) -> Result<Self, StripeSetupError> {
        Ok(Self {
            client: Client::new(options)?,
        })
    }
}

impl PaymentProvider for Stripe {
    fn provider(&self) -> Provider {
        Provider::Stripe
    }

    fn ask<'a>(&'a self, ask: &'a Ask) -> Answer<'a, Standing> {
        Box::pin(pay::ask(&self.client, ask))
    }

    fn look<'a>(&'a self, reference: &'a str) -> Answer<'a, Standing> {
        Box::pin(pay::look(&self.client, reference))
    }

    fn find(&self, find: Find) -> Answer<'_, Vec<Standing>> {
        Box::pin(pay::find(&self.client, find))
    }

    fn open_links(&self, payment: PaymentId) -> Answer<'_, Vec<Standing>> {
        Box::pin(pay::open_links(&self.client, payment))
    }

    fn capture<'a>(&'a self, reference: &'a str, amount: Money) -> Answer<'a, Standing> {
        Box::pin(pay::capture(&self.client, reference, amount))
    }

    fn cancel<'a>(&'a self, reference: &'a str) -> Answer<'a, Standing> {
        Box::pin(pay::cancel(&self.client, reference))
    }

    fn repay<'a>(&'a self, repay: &'a Repay) -> Answer<'a, RepayStanding> {
        Box::pin(refund::repay(&self.client, repay))
    }

    fn find_repayment<'a>(
        &'a self,
        repayment: RepaymentId,
        reference: &'a str,
    ) -> Answer<'a, Option<RepayStanding>> {
        Box::pin(refund::find(&self.client, repayment, reference))
    }

    fn settlement<'a>(&'a self, settlement: &'a Settlement) -> Answer<'a, Vec<SettlementLine>> {
        Box::pin(settle::lines(&self.client, settlement))
    }
}
