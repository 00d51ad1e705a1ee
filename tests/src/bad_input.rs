//! Bad input for every route and field of an OpenAPI 3.1 document, sent to a running server.
//!
//! A bad request must be refused as an RFC 9457 problem, never fail the server, and change nothing.
//! Where the document forbids what is sent, taking it is a fault too. The harness knows no route
//! by name: what it tests is what the document says, and [`Options`] what the document cannot say.

mod build;
mod case;
mod fields;
mod operation;
mod report;
mod run;
mod schema;
mod send;
#[cfg(test)]
mod tests;
mod values;

pub use case::{Case, Expect};
pub use report::{Accepted, Finding, FindingKind, Report};
pub use run::{Options, run};
pub use send::Target;
