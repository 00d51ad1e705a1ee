//! The pages of the branch: server-rendered, and all of them work without a script.
//!
//! A page reads by the same use cases as the API, and every writing form carries a key made here, so that a double
//! click or a reload has one effect. Personal values never stand in an address: search is a post.

mod frame;
pub mod page;
mod posted;
mod said;
mod texts;
mod view;

use axum::Router;
use axum::routing::{get, post};
use web_kit::{Guard, Language, PageRoutes, ProblemPages, Side};

use crate::api::EdgeState;

/// Where signing in leads: on to the first page that the person may see.
pub(crate) const START: &str = "/";
pub(crate) const BOARD: &str = "/board";
pub(crate) const ORDERS: &str = "/orders";
pub(crate) const SIGN_IN: &str = "/sign-in";
pub(crate) const SIGN_OUT: &str = "/sign-out";
pub(crate) const INTAKE: &str = "/intake";
pub(crate) const INTAKE_PEOPLE: &str = "/intake/people";
pub(crate) const INTAKE_DRAFT: &str = "/intake/draft";
pub(crate) const INTAKE_ELSEWHERE: &str = "/intake/elsewhere";
pub(crate) const FIND: &str = "/find";
pub(crate) const FIND_ELSEWHERE: &str = "/find/elsewhere";
pub(crate) const PEOPLE: &str = "/people";
pub(crate) const SEARCH: &str = "/search";
pub(crate) const IMPORTS: &str = "/imports";
pub(crate) const STATUS_BAR: &str = "/status-bar";
pub(crate) const SCREEN: &str = "/screen";
pub(crate) const STOCK: &str = "/stock";
pub(crate) const DELIVERY: &str = "/stock/delivery";
pub(crate) const TRANSFERS: &str = "/transfers";
pub(crate) const SYNC: &str = "/sync";
pub(crate) const DECISIONS: &str = "/decisions";
pub(crate) const TILL: &str = "/till";
pub(crate) const RECEIPTS: &str = "/receipts";
pub(crate) const CASH: &str = "/cash";
pub(crate) const BUSINESS_DAYS: &str = "/business-days";

/// The pages' routes.
pub fn routes() -> Router<EdgeState> {
    pages().router()
}

/// The address of every page, as the router knows it; parts in braces are filled by who asks.
pub fn addresses() -> Vec<&'static str> {
    pages().addresses()
}

fn pages() -> PageRoutes<EdgeState> {
    PageRoutes::default()
        .route("/", get(page::session::home))
        .route(
            SIGN_IN,
            get(page::session::form).post(page::session::sign_in),
        )
        .route(SIGN_OUT, post(page::session::sign_out))
        .route(SCREEN, post(page::session::keep_screen))
        .route(STATUS_BAR, get(frame::status_bar))
        .route(BOARD, get(page::board::show))
        .route(ORDERS, get(page::orders::list))
        .route("/orders/{id}", get(page::order::show))
        .route("/orders/{id}/move", get(page::order::ways))
        .route("/orders/{id}/status", post(page::order::move_to))
        .route("/orders/{id}/undo", post(page::order::undo))
        .route("/orders/{id}/diagnosis", post(page::order::diagnosis))
        .route("/orders/{id}/plan", post(page::order::plan))
        .route("/orders/{id}/device", post(page::order::device))
        .route("/orders/{id}/notes", post(page::order::note))
        .route("/orders/{id}/parts", post(page::order::part))
        .route("/orders/{id}/ask", post(page::order::ask))
        .route("/orders/{id}/lines", post(page::order::add_line))
        .route(
            "/orders/{id}/lines/{line}",
            get(page::order::edit_form).post(page::order::edit_line),
        )
        .route(
            "/orders/{id}/lines/{line}/remove",
            post(page::order::remove_line),
        )
        .route(
            "/orders/{id}/lines/{line}/consume",
            post(page::order::consume),
        )
        .route(
            "/orders/{id}/lines/{line}/return",
            post(page::order::put_back),
        )
        .route("/orders/{id}/estimates", post(page::order::make_estimate))
        .route(
            "/orders/{id}/estimates/{version}/answer",
            post(page::order::answer),
        )
        .route(INTAKE, get(page::intake::form).post(page::intake::take_in))
        .route(
            IMPORTS,
            get(page::imports::begin).post(page::imports::upload),
        )
        .route(
            "/imports/{id}",
            get(page::imports::show).post(page::imports::decide),
        )
        .merge(people_routes())
        .merge(stock_routes())
        .merge(money_routes())
        .merge(sync_routes())
}

/// The till, its papers and its cash.
fn money_routes() -> PageRoutes<EdgeState> {
    PageRoutes::default()
        .route(TILL, get(page::till::show).post(page::till::pay))
        .route("/till/basket", post(page::till::change))
        .route("/till/parked", post(page::till::park))
        .route("/till/parked/{id}", post(page::till::take_back))
        .route(RECEIPTS, get(page::receipts::list))
        .route("/receipts/{number}", get(page::receipts::one))
        .route(
            "/receipts/{number}/refund",
            get(page::refund::show).post(page::refund::give),
        )
        .route(
            "/receipts/{number}/refund/quote",
            post(page::refund::work_out),
        )
        .route("/receipts/{number}/call-off", post(page::refund::call_off))
        .route(
            "/receipts/{number}/ask-again",
            post(page::refund::ask_again),
        )
        .route(CASH, get(page::cash::show).post(page::cash::open))
        .route("/cash/{id}", get(page::cash::session))
        .route("/cash/{id}/movements", post(page::cash::shift))
        .route("/cash/{id}/close", post(page::cash::close))
        .route(BUSINESS_DAYS, post(page::business_days::close))
        .route("/business-days/{date}", get(page::business_days::one))
}

/// Finding, persons, what intake asks while one types, and the papers.
fn people_routes() -> PageRoutes<EdgeState> {
    PageRoutes::default()
        .route(FIND, get(page::find::form).post(page::find::find))
        .route(SEARCH, post(page::find::find))
        .route(
            "/people/{id}",
            get(page::person::show).post(page::person::change),
        )
        .route(FIND_ELSEWHERE, post(page::elsewhere::found))
        .route("/people/{id}/bring", post(page::elsewhere::bring))
        .route(INTAKE_ELSEWHERE, post(page::intake::elsewhere))
        .route(INTAKE_PEOPLE, post(page::intake::people))
        .route(INTAKE_DRAFT, post(page::intake::draft))
        .route("/visits/{id}/papers", get(page::receipt::visit))
        .route("/orders/{id}/receipt", get(page::receipt::receipt))
        .route("/orders/{id}/label", get(page::receipt::label))
}

/// Stock and transfers.
fn stock_routes() -> PageRoutes<EdgeState> {
    PageRoutes::default()
        .route(STOCK, get(page::stock::list))
        .route(
            DELIVERY,
            get(page::delivery::form).post(page::delivery::save),
        )
        .route("/stock/delivery/undo", post(page::delivery::undo))
        .route("/stock/{sku}", get(page::part::part))
        .route("/stock/{sku}/movements", post(page::part::correct))
        .route("/stock/{sku}/settings", post(page::part::keep))
        .route(TRANSFERS, get(page::transfers::list))
        .route(
            "/transfers/new",
            get(page::transfers::ask).post(page::transfers::request),
        )
        .route("/transfers/{id}", get(page::transfers::one))
        .route("/transfers/{id}/ship", post(page::transfers::ship))
        .route("/transfers/{id}/receive", post(page::transfers::receive))
}

/// The line to the hub, and what waits for a person.
fn sync_routes() -> PageRoutes<EdgeState> {
    PageRoutes::default()
        .route(SYNC, get(page::sync::show))
        .route("/sync/pause", post(page::sync::pause))
        .route("/sync/resume", post(page::sync::resume))
        .route("/sync/try", post(page::sync::try_now))
        .route(DECISIONS, get(page::decisions::list))
        .route("/decisions/{id}/settle", post(page::decisions::settle))
        .route(
            "/decisions/orders/{id}/undo",
            post(page::decisions::undo_step),
        )
        .route(
            "/decisions/conflicts/{id}/resolve",
            post(page::decisions::resolve),
        )
        .route(
            "/decisions/conflicts/{id}/undo",
            post(page::decisions::undo),
        )
}

/// What stands around the router.
pub fn guard(state: &EdgeState) -> Guard {
    Guard {
        hosts: state.hosts(),
        pages: ProblemPages {
            side: Side::Branch,
            language: Language::English,
            place: state.store().identity().name.clone(),
            home: START.to_owned(),
            sign_in: SIGN_IN.to_owned(),
        },
        over_tls: state.is_over_tls(),
    }
}
