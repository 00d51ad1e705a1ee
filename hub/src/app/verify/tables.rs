//! Every table that follows from the logs, and how its rows are keyed and read.
//!
//! A table that is missing here is not verified: a test holds this list against the database's catalogue.

/// A derived table with its statements.
#[derive(Debug)]
pub(super) struct Table {
    /// `schema.table`.
    pub name: &'static str,
    /// Key and digest of every row, ordered by key.
    pub digests: &'static str,
    /// One row as JSON, by key.
    pub row: &'static str,
}

macro_rules! derived {
    ($($name:literal ($($column:literal),*) by $key:literal),+ $(,)?) => {
        /// The tables.
        pub(super) static DERIVED: &[Table] = &[$(Table {
            name: $name,
            digests: concat!(
                "select ", $key, " as key, md5(t::text) as digest from ", derived!(@from $name, $($column),*),
                " order by ", $key, " collate \"C\""
            ),
            row: concat!(
                "select to_jsonb(t)::text from ", derived!(@from $name, $($column),*), " where ", $key, " = $1"
            ),
        }),+];
    };
    (@from $name:literal, ) => { concat!($name, " as t") };
    (@from $name:literal, $columns:literal) => { concat!("(select ", $columns, " from ", $name, ") as t") };
}

derived! {
    "sync.node" ("branch_id, node, public_key, former, enrolled_ms, revoked_reason, revoked_ms, closed, tip_epoch, \
                  tip_seq, tip_hash, applied") by "concat_ws('/', branch_id, node)",
    "sync.lineage" () by "concat_ws('/', branch_id, node, epoch)",
    "sync.hub_line" () by "epoch::text",
    "sync.document" () by "concat_ws('/', branch_id, document)",
    "sync.interest" () by "concat_ws('/', branch_id, document)",
    "sync.feed" () by "encode(feed, 'hex')",
    "sync.feed_entry" () by "concat_ws('/', encode(feed, 'hex'), n)",
    "sync.parked" ("branch_id, node, epoch, seq, item, id, kind, reason, staff, at_ms, state") by "concat_ws('/', branch_id, node, epoch, seq, item)",
    "orders.repair_order" () by "concat_ws('/', branch_id, document)",
    "orders.find_text" () by "concat_ws('/', branch_id, document)",
    "orders.import_record" () by "concat_ws('/', branch_id, source)",
    "inventory.movement" () by "concat_ws('/', branch_id, fact)",
    "inventory.business_key" () by "concat_ws('/', branch_id, kind, subject, line, number)",
    "inventory.stock" () by "concat_ws('/', branch_id, part)",
    "inventory.reservation" () by "concat_ws('/', branch_id, reservation)",
    "inventory.transfer" () by "transfer::text",
    "inventory.transfer_record" () by "concat_ws('/', transfer, ord, node, epoch, seq, item)",
    "inventory.setting" () by "concat_ws('/', branch_id, document)",
    "inventory.part" () by "part::text",
    "inventory.preset" () by "preset::text",
    "inventory.availability" () by "concat_ws('/', branch_id, part)",
    "payments.receipt" () by "concat_ws('/', branch_id, receipt)",
    "payments.refund" () by "concat_ws('/', branch_id, refund)",
    "payments.refund_asked" () by "concat_ws('/', branch_id, refund)",
    "payments.paper" () by "concat_ws('/', branch_id, kind, series, number, subject)",
    "payments.order_money" () by "concat_ws('/', branch_id, repair_order, paper)",
    "payments.record" () by "concat_ws('/', branch_id, payment, ord, node, epoch, seq, item, n)",
    "payments.payment" () by "concat_ws('/', branch_id, payment)",
    "payments.session" () by "concat_ws('/', branch_id, session)",
    "payments.cash_move" () by "concat_ws('/', branch_id, session, ord, seq, item)",
    "payments.entry" () by "concat_ws('/', branch_id, ord, node, epoch, seq, item, n)",
    "payments.balance" () by "concat_ws('/', branch_id, currency, account)",
    "payments.settlement" () by "concat_ws('/', provider, reference)",
    "payments.correction" () by "concat_ws('/', branch_id, correction)",
    "payments.hold" () by "concat_ws('/', branch_id, payment)",
    "payments.till_rules" () by "branch::text",
    "payments.account" () by "customer::text",
    "reconciliation.day_closed" () by "concat_ws('/', branch_id, business_day, ord, node, epoch, seq, item)",
    "reconciliation.sign_off" () by "concat_ws('/', branch_id, business_day, ord, seq, item)",
    "customers.customer" () by "concat_ws('/', branch_id, document)",
    "customers.erased" () by "person::text",
    "locations.branch" () by "branch::text",
    "locations.company" () by "branch::text",
    "staff.staff" () by "staff::text",
    "staff.credential" () by "staff::text",
    "audit.note" () by "concat_ws('/', branch_id, fact)",
    "audit.exception" () by "concat_ws('/', branch_id, kind, subject)",
}

/// Tables that no log carries: sessions, keys, what others said, and the logs themselves.
#[cfg(test)]
pub(super) const NOT_DERIVED: &[&str] = &[
    "audit.exception_owner",
    "audit.signed_head",
    "customers.person_key",
    "payments.provider_event",
    "reconciliation.held_against",
    "reconciliation.record",
    "reconciliation.result",
    "reconciliation.run",
    "reconciliation.turn",
    "staff.session",
    "sync.apply_head",
    "sync.apply_order",
    "sync.cursor",
    "sync.idempotency",
    "sync.incident",
    "sync.join_code",
    "sync.log_block",
    "sync.mending",
    "sync.outbox",
];

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::*;

    #[test]
    fn every_table_of_the_migrations_is_derived_or_says_why_not() {
        let mut missing = Vec::new();
        for migration in crate::store::MIGRATIONS.iter() {
            for line in migration.sql.as_str().lines() {
                let Some(rest) = line.strip_prefix("create table ") else {
                    continue;
                };
                let name = rest
                    .trim_start_matches("if not exists ")
                    .split([' ', '('])
                    .next()
                    .unwrap();
                let is_known =
                    DERIVED.iter().any(|table| table.name == name) || NOT_DERIVED.contains(&name);
                if !is_known {
                    missing.push(name.to_owned());
                }
            }
        }
        assert!(
            missing.is_empty(),
            "neither verified nor listed as not derived: {missing:?}"
        );
    }
}
