//! The program of one branch: its database, its pages and API, its line to the hub.
//!
//! `web`, `api` and `sync` call `app` (use cases), `app` calls `store` (SQL); nothing calls the other way. Only `env`
//! reads the clock and randomness of the operating system.

pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod env;
pub mod error;
pub mod identity;
pub mod ords;
pub mod server;
pub mod store;
pub mod sync;
pub mod web;
