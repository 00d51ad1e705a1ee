//! Tests of the edge node against the real SQLite, one module per subject.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod api_description;
mod api_orders;
mod api_session;
mod api_stock;
mod api_streams;
mod api_support;
mod app_account;
mod app_cash;
mod app_decision;
mod app_import;
mod app_order;
mod app_refund;
mod app_staff;
mod app_support;
mod app_tables;
mod app_till;
mod app_transfer;
mod command_line;
mod elsewhere;
mod page_board;
mod page_money;
mod page_order;
mod page_till;
mod pages;
mod pages_import;
mod pages_intake;
mod pages_stock;
mod pages_sync;
mod search;
mod store_commit;
mod store_feed;
mod store_log;
mod store_mending;
mod store_person;
mod store_stock;
mod store_verify;
mod support;
