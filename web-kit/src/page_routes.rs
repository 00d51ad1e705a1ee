//! A router of pages that remembers its addresses, so that a test can say which page it never saw.

use axum::Router;
use axum::routing::MethodRouter;

/// Pages and their addresses. Not for the API, whose addresses its description knows.
#[derive(Debug)]
pub struct PageRoutes<S> {
    router: Router<S>,
    addresses: Vec<&'static str>,
}

impl<S: Clone + Send + Sync + 'static> Default for PageRoutes<S> {
    fn default() -> Self {
        Self {
            router: Router::new(),
            addresses: Vec::new(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> PageRoutes<S> {
    /// With one more page.
    #[must_use]
    pub fn route(mut self, address: &'static str, methods: MethodRouter<S>) -> Self {
        self.addresses.push(address);
        self.router = self.router.route(address, methods);
        self
    }

    /// With all pages of another.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.addresses.extend(other.addresses);
        self.router = self.router.merge(other.router);
        self
    }

    /// The routes.
    pub fn router(self) -> Router<S> {
        self.router
    }

    /// Every address as the router knows it; parts in braces are filled by who asks.
    pub fn addresses(self) -> Vec<&'static str> {
        self.addresses
    }
}
