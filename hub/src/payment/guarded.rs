//! A provider behind its breaker: one that fails too often is not called for a while, and the caller learns it at once.

use std::future::Future;
use std::sync::Arc;

use domain::day::SettlementLine;
use domain::id::{PaymentId, RepaymentId};
use domain::money::Money;
use domain::payment::Provider;

use super::provider::{
    Answer, Ask, Find, PaymentProvider, ProviderError, Repay, RepayStanding, Settlement, Standing,
};
use crate::env::Env;
use crate::outside::{Dependency, Outside};

/// A provider whose failures are counted.
#[derive(Debug)]
pub struct Guarded {
    inner: Arc<dyn PaymentProvider>,
    outside: Arc<Outside>,
    env: Env,
}

impl Guarded {
    /// Counts the failures of a provider.
    pub fn new(inner: Arc<dyn PaymentProvider>, outside: Arc<Outside>, env: Env) -> Self {
        Self {
            inner,
            outside,
            env,
        }
    }

    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, ProviderError>> + Send,
    ) -> Result<T, ProviderError> {
        let dependency = Dependency::Payment(self.inner.provider());
        if let Err(alone) = self.outside.begin(dependency, self.env.now_ms()) {
            return Err(ProviderError::Unavailable {
                reason: alone.to_string(),
                retry_after_ms: Some(alone.wait_ms),
            });
        }
        let answer = call.await;
        let failure = answer.as_ref().err().filter(|error| error.is_failure());
        let failure = failure.map(ToString::to_string);
        self.outside
            .end(dependency, self.env.now_ms(), failure.as_deref());
        answer
    }
}

impl PaymentProvider for Guarded {
    fn provider(&self) -> Provider {
        self.inner.provider()
    }

    fn ask<'a>(&'a self, ask: &'a Ask) -> Answer<'a, Standing> {
        Box::pin(self.call(self.inner.ask(ask)))
    }

    fn look<'a>(&'a self, reference: &'a str) -> Answer<'a, Standing> {
        Box::pin(self.call(self.inner.look(reference)))
    }

    fn find(&self, find: Find) -> Answer<'_, Vec<Standing>> {
        Box::pin(self.call(self.inner.find(find)))
    }

    fn open_links(&self, payment: PaymentId) -> Answer<'_, Vec<Standing>> {
        Box::pin(self.call(self.inner.open_links(payment)))
    }

    fn capture<'a>(&'a self, reference: &'a str, amount: Money) -> Answer<'a, Standing> {
        Box::pin(self.call(self.inner.capture(reference, amount)))
    }

    fn cancel<'a>(&'a self, reference: &'a str) -> Answer<'a, Standing> {
        Box::pin(self.call(self.inner.cancel(reference)))
    }

    fn repay<'a>(&'a self, repay: &'a Repay) -> Answer<'a, RepayStanding> {
        Box::pin(self.call(self.inner.repay(repay)))
    }

    fn find_repayment<'a>(
        &'a self,
        repayment: RepaymentId,
        reference: &'a str,
    ) -> Answer<'a, Option<RepayStanding>> {
        Box::pin(self.call(self.inner.find_repayment(repayment, reference)))
    }

    fn settlement<'a>(&'a self, settlement: &'a Settlement) -> Answer<'a, Vec<SettlementLine>> {
        Box::pin(self.call(self.inner.settlement(settlement)))
    }
}
