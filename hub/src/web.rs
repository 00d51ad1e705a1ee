//! The managers' pages: server-rendered, and all of them work without a script.
//!
//! A page reads and writes by the same use cases as the API; every form that writes has a key, so that it has one effect.

mod act;
mod frame;
pub(crate) mod list;
pub mod page;
pub(crate) mod places;
pub(crate) mod reason;
pub(crate) mod said;
pub(crate) mod table;
mod texts;
mod view;
pub(crate) mod words;

use axum::Router;
use axum::routing::{get, post};
use web_kit::{Guard, Language, PageRoutes, ProblemPages, Side};

use crate::api::HubState;

pub(crate) const HOME: &str = "/network";
pub(crate) const BRANCHES: &str = "/branches";
pub(crate) const EXCEPTIONS: &str = "/exceptions";
pub(crate) const EXCEPTION_OWNER: &str = "/exceptions/owner";
pub(crate) const EXCEPTION_CLOSE: &str = "/exceptions/close";
pub(crate) const STAFF: &str = "/staff";
pub(crate) const SETTINGS: &str = "/settings";
pub(crate) const TRANSFERS: &str = "/transfers";
pub(crate) const NEW_TRANSFER: &str = "/transfers/new";
pub(crate) const NIGHTS: &str = "/nights";
pub(crate) const NIGHTS_ALL: &str = "/nights/all";
pub(crate) const NIGHTS_COMPARE: &str = "/nights/compare";
pub(crate) const NIGHT_RUN: &str = "/nights/run";
pub(crate) const NIGHT_CORRECTIONS: &str = "/nights/corrections";
pub(crate) const STOCK: &str = "/stock";
pub(crate) const MONEY: &str = "/money";
pub(crate) const MONEY_PAYMENTS: &str = "/money/payments";
pub(crate) const MONEY_REFUNDS: &str = "/money/refunds";
pub(crate) const MONEY_SETTLEMENTS: &str = "/money/settlements";
pub(crate) const MATCH_LINE: &str = "/money/settlements/match";
pub(crate) const BANK_FILE: &str = "/money/settlements/bank";
pub(crate) const MONEY_OUTBOX: &str = "/money/outbox";
pub(crate) const MONEY_RECEIPTS: &str = "/money/receipts";
pub(crate) const MONEY_CASH: &str = "/money/cash";
pub(crate) const CASH_TABLE: &str = "/money/cash.csv";
pub(crate) const MONEY_ACCOUNTS: &str = "/money/accounts";
pub(crate) const ORDERS: &str = "/orders";
pub(crate) const CUSTOMERS: &str = "/customers";
pub(crate) const CATALOGUE: &str = "/catalogue";
pub(crate) const NEW_PART: &str = "/catalogue/new-part";
pub(crate) const PRESETS: &str = "/catalogue/presets";
pub(crate) const NEW_PRESET: &str = "/catalogue/new-preset";
pub(crate) const IMPORT: &str = "/catalogue/import";
pub(crate) const SIGN_IN: &str = "/sign-in";
pub(crate) const SIGN_OUT: &str = "/sign-out";
pub(crate) const DOCUMENTS: &str = "/documents";
pub(crate) const UNDO: &str = "/undo";
pub(crate) const STATUS_BAR: &str = "/status-bar";
pub(crate) const SCREEN: &str = "/screen";
pub(crate) const PLACE: &str = "Hub";

/// The pages' routes.
pub fn routes() -> Router<HubState> {
    pages().router()
}

/// The address of every page, as the router knows it; parts in braces are filled by who asks.
pub fn addresses() -> Vec<&'static str> {
    pages().addresses()
}

fn pages() -> PageRoutes<HubState> {
    PageRoutes::default()
        .route("/", get(page::session::home))
        .route(
            SIGN_IN,
            get(page::session::form).post(page::session::sign_in),
        )
        .route(SIGN_OUT, post(page::session::sign_out))
        .route(SCREEN, post(page::session::keep_screen))
        .route(STATUS_BAR, get(frame::status_bar))
        .route(UNDO, post(said::undo))
        .route(HOME, get(page::network::page))
        .merge(branches())
        .merge(company())
        .merge(catalogue())
        .merge(nights())
        .route(ORDERS, get(page::orders::list))
        .route("/orders/{id}", get(page::orders::order::show))
        .route("/orders/{id}/notes", post(page::orders::order::note))
        .route(
            "/orders/{id}/edit",
            get(page::orders::edit::form).post(page::orders::edit::save),
        )
        .route(
            "/documents/{id}/conflicts/{conflict}/resolve",
            post(page::conflicts::settle),
        )
        .route(
            "/documents/{id}/conflicts/{conflict}/undo",
            post(page::conflicts::undo),
        )
        .merge(customers())
        .merge(money())
        .route(STOCK, get(page::stock::list))
        .route("/stock/{sku}", get(page::stock::part::show))
        .route(TRANSFERS, get(page::transfers::list))
        .route(
            NEW_TRANSFER,
            get(page::transfers::new::form).post(page::transfers::new::create),
        )
        .route("/transfers/new/part", get(page::transfers::new::part_hint))
        .route("/transfers/{id}", get(page::transfers::one))
        .route(
            "/transfers/{id}/approve",
            post(page::transfers::deed::approve),
        )
        .route(
            "/transfers/{id}/cancel",
            post(page::transfers::deed::cancel),
        )
        .route(
            "/transfers/{id}/dispute",
            post(page::transfers::deed::dispute),
        )
        .route(
            "/transfers/{id}/settle",
            post(page::transfers::deed::settle),
        )
}

fn nights() -> PageRoutes<HubState> {
    use page::nights::{all, branch, compare, corrections, newest, one, report, run, sign};
    PageRoutes::default()
        .route(NIGHTS, get(newest))
        .route(NIGHTS_ALL, get(all::page))
        .route(NIGHTS_COMPARE, get(compare::page))
        .route(NIGHT_RUN, post(run::again))
        .route(
            NIGHT_CORRECTIONS,
            get(corrections::page).post(corrections::create),
        )
        .route("/nights/corrections/{id}/undo", post(corrections::undo))
        .route("/nights/{day}", get(one))
        .route("/nights/{day}/report", get(report::page))
        .route("/nights/{day}/report.csv", get(report::csv))
        .route("/nights/{day}/sign", get(sign::form).post(sign::sign))
        .route("/nights/{day}/reopen", post(sign::open_again))
        .route("/nights/{day}/{branch}", get(branch::page))
}

fn customers() -> PageRoutes<HubState> {
    use page::customers::{account, edit, find, list, merge, person};
    PageRoutes::default()
        .route(CUSTOMERS, get(list).post(find))
        .route("/customers/{id}", get(person::show))
        .route("/customers/{id}/edit", get(edit::form).post(edit::save))
        .route(
            "/customers/{id}/account",
            get(account::form).post(account::save),
        )
        .route("/customers/{id}/merge", get(merge::form).post(merge::join))
        .route("/customers/{id}/merge/find", post(merge::find))
}

fn money() -> PageRoutes<HubState> {
    use page::money::{
        accounts, cash, lines, outbox, payment, payments, receipts, refunds, statement,
    };
    PageRoutes::default()
        .route(MONEY, get(page::money::overview))
        .route(MONEY_PAYMENTS, get(payments::list))
        .route("/money/payments/{id}", get(payment::show))
        .route("/money/payments/{id}/ask-again", post(payment::ask_again))
        .route("/money/payments/{id}/refunds", post(payment::give_back))
        .route(MONEY_REFUNDS, get(refunds::list))
        .route("/money/refunds/{id}", get(refunds::one::show))
        .route("/money/refunds/{id}/approve", post(refunds::approve))
        .route("/money/refunds/{id}/decline", post(refunds::decline))
        .route(MONEY_SETTLEMENTS, get(lines::list))
        .route(MATCH_LINE, post(lines::say))
        .route(BANK_FILE, get(statement::form).post(statement::take))
        .route(MONEY_OUTBOX, get(outbox::list))
        .route("/money/outbox/ask-all", post(outbox::ask_all))
        .route(MONEY_RECEIPTS, get(receipts::list))
        .route("/money/receipts/{id}", get(receipts::show))
        .route(MONEY_CASH, get(cash::list))
        .route(CASH_TABLE, get(cash::table))
        .route("/money/cash/{id}", get(cash::session::show))
        .route(MONEY_ACCOUNTS, get(accounts::list))
}

fn catalogue() -> PageRoutes<HubState> {
    use page::catalogue::{import, list, part, preset};
    PageRoutes::default()
        .route(CATALOGUE, get(list))
        .route(NEW_PART, get(part::new).post(part::create))
        .route("/catalogue/parts/{sku}", get(part::edit).post(part::save))
        .route(PRESETS, get(preset::list))
        .route(
            NEW_PRESET,
            get(preset::form::new).post(preset::form::create),
        )
        .route(
            "/catalogue/presets/{id}",
            get(preset::form::edit).post(preset::form::save),
        )
        .route(IMPORT, get(import::page))
        .route("/catalogue/import/preview", post(import::preview))
        .route("/catalogue/import/run", post(import::run))
}

fn branches() -> PageRoutes<HubState> {
    use page::{branch, branches};
    PageRoutes::default()
        .route(BRANCHES, get(branches::list).post(branches::create))
        .route("/branches/new", get(branches::new_form))
        .route("/branches/{branch}", get(branch::page))
        .route(
            "/branches/{branch}/edit",
            get(branch::change::edit_form).post(branch::change::change),
        )
        .route(
            "/branches/{branch}/join-codes",
            get(branch::machines::leave_code).post(branch::machines::join_code),
        )
        .route(
            "/branches/{branch}/machines/{machine}/revoke",
            post(branch::machines::revoke),
        )
        .route(
            "/branches/{branch}/till-rules",
            get(branch::till::form).post(branch::till::save),
        )
}

fn company() -> PageRoutes<HubState> {
    use page::{exceptions, settings, staff};
    PageRoutes::default()
        .route(EXCEPTIONS, get(exceptions::page))
        .route(
            EXCEPTION_OWNER,
            get(exceptions::owner::form).post(exceptions::owner::assign),
        )
        .route(EXCEPTION_CLOSE, post(exceptions::closing::close))
        .route(
            "/exceptions/parked/{id}/release",
            post(exceptions::parked::release),
        )
        .route(
            "/exceptions/parked/{id}/drop",
            post(exceptions::parked::drop_entry),
        )
        .route(STAFF, get(staff::page).post(staff::create))
        .route("/staff/new", get(staff::new_form))
        .route("/staff/{id}", get(staff::edit_form).post(staff::change))
        .route("/staff/{id}/active", post(staff::set_active))
        .route(SETTINGS, get(settings::page).post(settings::change))
}

/// What stands around the router.
pub fn guard(state: &HubState) -> Guard {
    Guard {
        hosts: state.hosts(),
        pages: ProblemPages {
            side: Side::Hub,
            language: Language::English,
            place: PLACE.to_owned(),
            home: HOME.to_owned(),
            sign_in: SIGN_IN.to_owned(),
        },
        over_tls: state.is_over_tls(),
    }
}
