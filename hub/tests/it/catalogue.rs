//! Rules that the database's own catalogue shows, so that the tables can later be spread over machines.

use crate::support::World;

#[tokio::test]
async fn every_unique_index_of_a_branchs_table_begins_with_the_branch() {
    let world = World::new().await;
    let wrong: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_index i
         join pg_class c on c.oid = i.indexrelid
         join pg_class t on t.oid = i.indrelid
         join pg_namespace n on n.oid = t.relnamespace
         join pg_attribute b on b.attrelid = t.oid and b.attname = 'branch_id'
         where i.indisunique and n.nspname in
            ('sync', 'orders', 'inventory', 'customers', 'locations', 'staff', 'audit', 'payments')
         and i.indkey[0] <> b.attnum and t.relname <> 'apply_order'",
    )
    .fetch_all(world.hub.pool())
    .await
    .unwrap();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test]
async fn there_are_no_triggers_sequences_exclusions_or_foreign_keys() {
    let world = World::new().await;
    let found: Vec<String> = sqlx::query_scalar(
        "select t.tgname::text from pg_trigger t join pg_class c on c.oid = t.tgrelid
            join pg_namespace n on n.oid = c.relnamespace
            where n.nspname not in ('pg_catalog', 'information_schema', 'public') and not t.tgisinternal
         union all
         select s.relname::text from pg_class s join pg_namespace n on n.oid = s.relnamespace
            where s.relkind = 'S' and n.nspname not in ('pg_catalog', 'information_schema', 'public')
         union all
         select k.conname::text from pg_constraint k join pg_namespace n on n.oid = k.connamespace
            where k.contype in ('x', 'f') and n.nspname not in ('pg_catalog', 'information_schema', 'public')",
    )
    .fetch_all(world.hub.pool())
    .await
    .unwrap();
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test]
async fn there_are_eight_modules() {
    let world = World::new().await;
    let count = world
        .count(
            "select count(*) from pg_namespace where nspname in
             ('sync', 'orders', 'inventory', 'customers', 'locations', 'staff', 'audit', 'payments')",
        )
        .await;
    assert_eq!(count, 8);
}
