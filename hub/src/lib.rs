//! The hub: takes in the branches' logs, keeps the chain's tables, and publishes feeds.
//!
//! `web`, `api` and `sync` call `app`, `app` calls `store`; handlers hold no SQL and no rules, `app` no HTTP, `store`
//! no decisions.

pub mod api;
pub mod app;
pub mod ca;
pub mod cli;
pub mod config;
pub mod database;
pub mod env;
pub mod error;
pub mod keys;
pub mod outside;
pub mod payment;
pub mod private_postgres;
pub mod server;
pub mod store;
pub mod sync;
pub mod web;
pub mod worker;
