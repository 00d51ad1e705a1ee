//! Catalogue, stock, ledger sums and transfers as people see them.

use domain::id::{BranchId, PartId, TransferId};
use domain::part::PartRow;
use domain::stock::{Account, Conservation, Movement, MovementKind};
use domain::transfer::TransferState;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, unsigned};
use crate::store::scope::{Place, Scope, behind};

/// A part's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRecord {
    /// The part.
    pub id: PartId,
    /// Counts its edits.
    pub version: u64,
    /// Its values.
    pub fields: PartRow,
    /// When it was last changed.
    pub updated_ms: i64,
}

#[derive(FromRow)]
struct RawPart {
    part: Uuid,
    version: i64,
    sku: String,
    name: String,
    category: String,
    price_minor: i64,
    currency: String,
    tax_bp: i32,
    barcodes: Vec<String>,
    active: bool,
    updated_ms: i64,
}

impl RawPart {
    fn typed(self) -> Result<PartRecord, HubError> {
        Ok(PartRecord {
            id: PartId::of_uuid(self.part),
            version: unsigned(self.version),
            fields: PartRow {
                sku: self.sku,
                name: self.name,
                category: self.category,
                price_minor: self.price_minor,
                currency: self
                    .currency
                    .parse()
                    .map_err(|_| HubError::Row("an unknown currency"))?,
                tax_bp: u32::try_from(self.tax_bp)
                    .map_err(|_| HubError::Row("a tax rate out of range"))?,
                barcodes: self.barcodes,
                active: self.active,
            },
            updated_ms: self.updated_ms,
        })
    }
}

/// Parts by sku; `words` stand in sku, name or a barcode.
pub async fn parts(
    connection: &mut PgConnection,
    words: Option<&str>,
    after: Option<&(String, [u8; 16])>,
    limit: i64,
) -> Result<Vec<PartRecord>, HubError> {
    let rows: Vec<RawPart> = sqlx::query_as(
        "select part, version, sku, name, category, price_minor, currency, tax_bp, barcodes, active, updated_ms
         from inventory.part
         where not deleted
         and ($1::text is null or position(lower($1) in lower(sku)) > 0 or position(lower($1) in lower(name)) > 0
            or $1 = any(barcodes))
         and ($2::text is null or (sku, part) > ($2, $3::uuid))
         order by sku, part limit $4",
    )
    .bind(words)
    .bind(after.map(|(sku, _)| sku))
    .bind(after.map(|(_, part)| part.uuid()))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawPart::typed).collect()
}

/// One part by sku; of two with one sku the one with the smaller id.
pub async fn part_by_sku(
    connection: &mut PgConnection,
    sku: &str,
) -> Result<Option<PartRecord>, HubError> {
    let row: Option<RawPart> = sqlx::query_as(
        "select part, version, sku, name, category, price_minor, currency, tax_bp, barcodes, active, updated_ms
         from inventory.part where not deleted and sku = $1 order by part limit 1",
    )
    .bind(sku)
    .fetch_optional(connection)
    .await?;
    row.map(RawPart::typed).transpose()
}

/// The parts with these skus; of several with one sku the one with the smallest id comes first.
pub async fn parts_by_skus(
    connection: &mut PgConnection,
    skus: &[String],
) -> Result<Vec<PartRecord>, HubError> {
    let rows: Vec<RawPart> = sqlx::query_as(
        "select part, version, sku, name, category, price_minor, currency, tax_bp, barcodes, active, updated_ms
         from inventory.part where not deleted and sku = any($1) order by sku, part",
    )
    .bind(skus)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawPart::typed).collect()
}

/// The skus and names of these parts.
pub async fn part_names(
    connection: &mut PgConnection,
    parts: &[PartId],
) -> Result<Vec<(PartId, String, String)>, sqlx::Error> {
    let rows: Vec<(Uuid, String, String)> =
        sqlx::query_as("select part, sku, name from inventory.part where part = any($1)")
            .bind(parts.iter().map(|part| part.uuid()).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(part, sku, name)| (PartId::of_uuid(part), sku, name))
        .collect())
}

/// The parts that these movements of these branches moved.
pub async fn parts_of_facts(
    connection: &mut PgConnection,
    facts: &[(BranchId, [u8; 16])],
) -> Result<Vec<([u8; 16], PartId)>, sqlx::Error> {
    if facts.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "select m.fact, m.part from inventory.movement m
         join unnest($1::uuid[], $2::uuid[]) as t (branch_id, fact) on m.branch_id = t.branch_id and m.fact = t.fact",
    )
    .bind(facts.iter().map(|(branch, _)| branch.uuid()).collect::<Vec<_>>())
    .bind(facts.iter().map(|(_, fact)| fact.uuid()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(fact, part)| (fact.into_bytes(), PartId::of_uuid(part)))
        .collect())
}

/// One part at one branch.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StockRecord {
    branch_id: Uuid,
    part: Uuid,
    /// The part's sku; empty while the catalogue lacks the part.
    pub sku: String,
    /// The part's name.
    pub name: String,
    /// On shelves.
    pub on_hand: i64,
    /// Kept for order lines.
    pub reserved: i64,
    /// What the branch put on its way, less what it took in.
    pub in_transit: i64,
    /// At how many pieces to order more.
    pub reorder_point: Option<i64>,
    /// Where it lies.
    pub bin: Option<String>,
}

impl StockRecord {
    /// The branch.
    pub fn branch(&self) -> BranchId {
        BranchId::of_uuid(self.branch_id)
    }

    /// The part.
    pub fn part(&self) -> PartId {
        PartId::of_uuid(self.part)
    }

    /// Where the row stands in the list.
    pub fn place(&self) -> StockPlace {
        (
            self.sku.clone(),
            self.part.into_bytes(),
            self.branch_id.into_bytes(),
        )
    }
}

/// Where the last row of a page of stock stood: sku, part, branch.
pub type StockPlace = (String, [u8; 16], [u8; 16]);

/// Stock by sku and branch.
pub async fn stock(
    connection: &mut PgConnection,
    scope: &Scope,
    sku: Option<&str>,
    after: Option<&StockPlace>,
    limit: i64,
) -> Result<Vec<StockRecord>, sqlx::Error> {
    sqlx::query_as(
        "select s.branch_id, s.part, coalesce(p.sku, '') as sku, coalesce(p.name, '') as name, s.on_hand, s.reserved,
            s.in_transit, g.reorder_point, g.bin
         from inventory.stock s
         left join inventory.part p on p.part = s.part
         left join lateral (
            select reorder_point, bin from inventory.setting g
            where g.branch_id = s.branch_id and g.part = s.part order by document limit 1) g on true
         where ($1::uuid[] is null or s.branch_id = any($1))
         and ($2::text is null or p.sku = $2)
         and ($3::text is null or (coalesce(p.sku, ''), s.part, s.branch_id) > ($3, $4::uuid, $5::uuid))
         order by coalesce(p.sku, ''), s.part, s.branch_id limit $6",
    )
    .bind(scope.sql())
    .bind(sku)
    .bind(after.map(|(sku, _, _)| sku))
    .bind(after.map(|(_, part, _)| part.uuid()))
    .bind(after.map(|(_, _, branch)| branch.uuid()))
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Parts that can be ordered, by sku; `words` stand in sku, name or a barcode, `only_short` where a branch of `scope`
/// has no more than its reorder point.
pub async fn stocked_parts(
    connection: &mut PgConnection,
    scope: &Scope,
    words: Option<&str>,
    only_short: bool,
    after: Option<&(String, [u8; 16])>,
    limit: i64,
) -> Result<Vec<PartRecord>, HubError> {
    let rows: Vec<RawPart> = sqlx::query_as(
        "select p.part, p.version, p.sku, p.name, p.category, p.price_minor, p.currency, p.tax_bp, p.barcodes,
            p.active, p.updated_ms
         from inventory.part p
         where not p.deleted
         and ($1::text is null or position(lower($1) in lower(p.sku)) > 0 or position(lower($1) in lower(p.name)) > 0
            or $1 = any(p.barcodes))
         and (not $2 or exists (
            select 1 from inventory.setting g
            left join inventory.stock s on s.branch_id = g.branch_id and s.part = g.part
            where g.part = p.part and g.reorder_point is not null
            and ($3::uuid[] is null or g.branch_id = any($3))
            and coalesce(s.on_hand - s.reserved, 0) <= g.reorder_point))
         and ($4::text is null or (p.sku, p.part) > ($4, $5::uuid))
         order by p.sku, p.part limit $6",
    )
    .bind(words)
    .bind(only_short)
    .bind(scope.sql())
    .bind(after.map(|(sku, _)| sku))
    .bind(after.map(|(_, part)| part.uuid()))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawPart::typed).collect()
}

/// How many parts there are, and of how many a branch of `scope` has no more than its reorder point.
pub async fn stocked_counts(
    connection: &mut PgConnection,
    scope: &Scope,
) -> Result<(i64, i64), sqlx::Error> {
    sqlx::query_as(
        "select (select count(*) from inventory.part where not deleted),
            (select count(distinct g.part) from inventory.setting g
             join inventory.part p on p.part = g.part and not p.deleted
             left join inventory.stock s on s.branch_id = g.branch_id and s.part = g.part
             where g.reorder_point is not null and ($1::uuid[] is null or g.branch_id = any($1))
             and coalesce(s.on_hand - s.reserved, 0) <= g.reorder_point)",
    )
    .bind(scope.sql())
    .fetch_one(connection)
    .await
}

/// Stock of these parts, also where a branch only has a reorder point for one.
pub async fn stock_of(
    connection: &mut PgConnection,
    scope: &Scope,
    parts: &[PartId],
) -> Result<Vec<StockRecord>, sqlx::Error> {
    sqlx::query_as(
        "select k.branch_id, k.part, coalesce(p.sku, '') as sku, coalesce(p.name, '') as name,
            coalesce(s.on_hand, 0) as on_hand, coalesce(s.reserved, 0) as reserved,
            coalesce(s.in_transit, 0) as in_transit, g.reorder_point, g.bin
         from (select branch_id, part from inventory.stock where part = any($1)
            union select branch_id, part from inventory.setting where part = any($1) and reorder_point is not null) k
         left join inventory.part p on p.part = k.part
         left join inventory.stock s on s.branch_id = k.branch_id and s.part = k.part
         left join lateral (
            select reorder_point, bin from inventory.setting g
            where g.branch_id = k.branch_id and g.part = k.part order by document limit 1) g on true
         where $2::uuid[] is null or k.branch_id = any($2)
         order by k.part, k.branch_id",
    )
    .bind(parts.iter().map(|part| part.uuid()).collect::<Vec<_>>())
    .bind(scope.sql())
    .fetch_all(connection)
    .await
}

/// Free pieces of a part by branch, at least `least` of them.
pub async fn free_of(
    connection: &mut PgConnection,
    part: PartId,
    least: i64,
) -> Result<Vec<(BranchId, i64)>, sqlx::Error> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "select branch_id, on_hand - reserved from inventory.stock where part = $1 and on_hand - reserved >= $2",
    )
    .bind(part.uuid())
    .bind(least)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, free)| (BranchId::of_uuid(branch), free))
        .collect())
}

/// What the ledger says of a part, and what the columns kept from it say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PartSums {
    /// The terms, each from movements.
    pub ledger: Conservation,
    /// On hand by the kept columns.
    pub kept_on_hand: i64,
    /// In transit by the kept columns.
    pub kept_in_transit: i64,
}

impl PartSums {
    /// Whether the terms come out even and the kept columns say the same.
    pub fn balanced(&self) -> bool {
        self.ledger.balanced()
            && self.kept_on_hand == self.ledger.on_hand
            && self.kept_in_transit == self.ledger.in_transit
    }
}

/// The sums of each part, by part.
pub async fn sums(
    connection: &mut PgConnection,
    after: Option<[u8; 16]>,
    limit: i64,
) -> Result<Vec<(PartId, PartSums)>, HubError> {
    let ids: Vec<(Uuid, i64, i64)> = sqlx::query_as(
        "select part, coalesce(sum(on_hand), 0)::bigint, coalesce(sum(in_transit), 0)::bigint from (
            select part, on_hand, in_transit from inventory.stock
            union all select part, 0, 0 from (select distinct part from inventory.movement) m
            union all select part, 0, 0 from inventory.part where not deleted) t
         where ($1::uuid is null or part > $1)
         group by part order by part limit $2",
    )
    .bind(after.map(AsUuid::uuid))
    .bind(limit)
    .fetch_all(&mut *connection)
    .await?;
    let mut found: Vec<(PartId, PartSums)> = ids
        .iter()
        .map(|(part, kept_on_hand, kept_in_transit)| {
            let sums = PartSums {
                kept_on_hand: *kept_on_hand,
                kept_in_transit: *kept_in_transit,
                ..PartSums::default()
            };
            (PartId::of_uuid(*part), sums)
        })
        .collect();
    let rows: Vec<(Uuid, i16, i16, i64)> = sqlx::query_as(
        "select part, kind, from_account, sum(quantity)::bigint from inventory.movement
         where not superseded and part = any($1) group by part, kind, from_account",
    )
    .bind(ids.iter().map(|(part, _, _)| *part).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    for (part, kind, from, quantity) in rows {
        let movement = summed(part, kind, from, quantity)?;
        if let Ok(index) = found.binary_search_by_key(&movement.part, |(part, _)| *part) {
            found[index].1.ledger.add(&movement);
        }
    }
    Ok(found)
}

/// The sums of one part, read by its index.
pub async fn sums_of(connection: &mut PgConnection, part: PartId) -> Result<PartSums, HubError> {
    let (kept_on_hand, kept_in_transit): (i64, i64) = sqlx::query_as(
        "select coalesce(sum(on_hand), 0)::bigint, coalesce(sum(in_transit), 0)::bigint
         from inventory.stock where part = $1",
    )
    .bind(part.uuid())
    .fetch_one(&mut *connection)
    .await?;
    let rows: Vec<(i16, i16, i64)> = sqlx::query_as(
        "select kind, from_account, sum(quantity)::bigint from inventory.movement
         where not superseded and part = $1 group by kind, from_account",
    )
    .bind(part.uuid())
    .fetch_all(connection)
    .await?;
    let mut sums = PartSums {
        kept_on_hand,
        kept_in_transit,
        ..PartSums::default()
    };
    for (kind, from, quantity) in rows {
        sums.ledger.add(&summed(part.uuid(), kind, from, quantity)?);
    }
    Ok(sums)
}

/// All movements of one kind and source as one, for the sums of their terms.
fn summed(part: Uuid, kind: i16, from: i16, quantity: i64) -> Result<Movement, HubError> {
    let kind = u8::try_from(kind).ok().and_then(MovementKind::from_code);
    let from = u8::try_from(from).ok().and_then(Account::from_code);
    let (Some(kind), Some(from)) = (kind, from) else {
        return Err(HubError::Row("a movement of an unknown kind"));
    };
    let mut movement = Movement::new(BranchId::NIL, PartId::of_uuid(part), kind, quantity);
    movement.from = from;
    Ok(movement)
}

/// A transfer's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferRecord {
    /// The transfer.
    pub id: TransferId,
    /// Where from.
    pub from: BranchId,
    /// Where to.
    pub to: BranchId,
    /// When it began.
    pub created_ms: i64,
    /// When it was last heard of.
    pub updated_ms: i64,
}

#[derive(FromRow)]
struct RawTransfer {
    transfer: Uuid,
    from_branch: Uuid,
    to_branch: Uuid,
    created_ms: i64,
    updated_ms: i64,
}

impl RawTransfer {
    fn typed(self) -> TransferRecord {
        TransferRecord {
            id: TransferId::of_uuid(self.transfer),
            from: BranchId::of_uuid(self.from_branch),
            to: BranchId::of_uuid(self.to_branch),
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
        }
    }
}

/// Transfers, the newest first; of these states only, where given. Both ends see a transfer.
pub async fn transfers(
    connection: &mut PgConnection,
    scope: &Scope,
    state: Option<TransferState>,
    only: Option<TransferId>,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<TransferRecord>, sqlx::Error> {
    let (at_ms, id) = behind(place);
    let rows: Vec<RawTransfer> = sqlx::query_as(
        "select transfer, from_branch, to_branch, created_ms, updated_ms from inventory.transfer
         where ($1::uuid[] is null or from_branch = any($1) or to_branch = any($1))
         and ($2::text is null or state = $2)
         and ($3::uuid is null or transfer = $3)
         and ($4::bigint is null or (created_ms, transfer) < ($4, $5::uuid))
         order by created_ms desc, transfer desc limit $6",
    )
    .bind(scope.sql())
    .bind(state.map(TransferState::as_str))
    .bind(only.map(AsUuid::uuid))
    .bind(at_ms)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(RawTransfer::typed).collect())
}

/// Transfers that have not ended, and those that ended at or after `ended_ms`, the newest first.
pub async fn open_transfers(
    connection: &mut PgConnection,
    scope: &Scope,
    ended_ms: i64,
    limit: i64,
) -> Result<Vec<TransferRecord>, sqlx::Error> {
    let rows: Vec<RawTransfer> = sqlx::query_as(
        "select transfer, from_branch, to_branch, created_ms, updated_ms from inventory.transfer
         where ($1::uuid[] is null or from_branch = any($1) or to_branch = any($1))
         and (state not in ('received', 'lost', 'cancelled') or updated_ms >= $2)
         order by created_ms desc, transfer desc limit $3",
    )
    .bind(scope.sql())
    .bind(ended_ms)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(RawTransfer::typed).collect())
}

/// Pieces of all parts that the branches' columns say are on their way.
pub async fn kept_in_transit(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let row: (i64,) = sqlx::query_as(
        "select coalesce(sum(in_transit), 0)::bigint from inventory.stock where in_transit <> 0",
    )
    .fetch_one(connection)
    .await?;
    Ok(row.0)
}

/// A movement as it is exported.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct MovementRecord {
    branch_id: Uuid,
    fact: Uuid,
    part: Uuid,
    /// The part's sku.
    pub sku: String,
    kind: i16,
    /// Pieces.
    pub quantity: i64,
    from_account: i16,
    to_account: i16,
    /// Reason and reference in words.
    pub text: String,
    subject: Uuid,
    staff: Uuid,
    /// When, as the writer saw it.
    pub at_ms: i64,
    /// Whether another fact with the same business key counts.
    pub superseded: bool,
    /// On hand behind it.
    pub balance_after: i64,
}

impl MovementRecord {
    /// The branch whose stock moved.
    pub fn branch(&self) -> BranchId {
        BranchId::of_uuid(self.branch_id)
    }

    /// The fact's id.
    pub fn fact(&self) -> [u8; 16] {
        self.fact.into_bytes()
    }

    /// The part.
    pub fn part(&self) -> PartId {
        PartId::of_uuid(self.part)
    }

    /// What it is.
    pub fn kind(&self) -> &'static str {
        u8::try_from(self.kind)
            .ok()
            .and_then(MovementKind::from_code)
            .map_or("unknown", MovementKind::as_str)
    }

    /// The accounts that it left and entered.
    pub fn accounts(&self) -> (&'static str, &'static str) {
        let name = |code: i16| {
            u8::try_from(code)
                .ok()
                .and_then(Account::from_code)
                .map_or("unknown", Account::as_str)
        };
        (name(self.from_account), name(self.to_account))
    }

    /// What it adds to each term of its part's balance; nothing where another fact counts instead.
    pub fn terms(&self) -> Conservation {
        let mut terms = Conservation::default();
        if !self.superseded
            && let Ok(movement) = summed(self.part, self.kind, self.from_account, self.quantity)
        {
            terms.add(&movement);
        }
        terms
    }

    /// What it is, where this version knows it.
    pub fn kind_known(&self) -> Option<MovementKind> {
        u8::try_from(self.kind)
            .ok()
            .and_then(MovementKind::from_code)
    }

    /// The order, sale or transfer; zeros for none.
    pub fn subject(&self) -> [u8; 16] {
        self.subject.into_bytes()
    }

    /// Who.
    pub fn staff(&self) -> [u8; 16] {
        self.staff.into_bytes()
    }
}

/// Movements by branch and id, for exports.
pub async fn movements(
    connection: &mut PgConnection,
    scope: &Scope,
    after: Option<([u8; 16], [u8; 16])>,
    limit: i64,
) -> Result<Vec<MovementRecord>, sqlx::Error> {
    sqlx::query_as(
        "select m.branch_id, m.fact, m.part, coalesce(p.sku, '') as sku, m.kind, m.quantity, m.from_account,
            m.to_account, m.text, m.subject, m.staff, m.at_ms, m.superseded, m.balance_after
         from inventory.movement m left join inventory.part p on p.part = m.part
         where ($1::uuid[] is null or m.branch_id = any($1))
         and ($2::uuid is null or (m.branch_id, m.fact) > ($2, $3::uuid))
         order by m.branch_id, m.fact limit $4",
    )
    .bind(scope.sql())
    .bind(after.map(|(branch, _)| branch.uuid()))
    .bind(after.map(|(_, fact)| fact.uuid()))
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Movements of one part, the newest first; of these kinds only, where given.
pub async fn movements_of(
    connection: &mut PgConnection,
    scope: &Scope,
    part: PartId,
    kinds: Option<&[MovementKind]>,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<MovementRecord>, sqlx::Error> {
    let (at_ms, fact) = behind(place);
    let kinds: Option<Vec<i16>> =
        kinds.map(|all| all.iter().map(|kind| i16::from(kind.code())).collect());
    sqlx::query_as(
        "select m.branch_id, m.fact, m.part, coalesce(p.sku, '') as sku, m.kind, m.quantity, m.from_account,
            m.to_account, m.text, m.subject, m.staff, m.at_ms, m.superseded, m.balance_after
         from inventory.movement m left join inventory.part p on p.part = m.part
         where m.part = $1
         and ($2::uuid[] is null or m.branch_id = any($2))
         and ($3::smallint[] is null or m.kind = any($3))
         and ($4::bigint is null or (m.at_ms, m.fact) < ($4, $5::uuid))
         order by m.at_ms desc, m.fact desc limit $6",
    )
    .bind(part.uuid())
    .bind(scope.sql())
    .bind(kinds)
    .bind(at_ms)
    .bind(fact)
    .bind(limit)
    .fetch_all(connection)
    .await
}
