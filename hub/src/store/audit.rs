//! Schema `audit`: signed heads, notes, and exceptions that people must look at.

pub mod read;

use domain::id::{BranchId, StaffId};
use sqlx::PgConnection;
use sqlx::types::Uuid;
use sync_protocol::head::{Countersignature, HeadClaim, SignedHead};

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big, hash_of, node_number, node_of, tip_of};

/// Keeps a signed head; the first one at a position stays.
pub async fn insert_head(
    connection: &mut PgConnection,
    branch: BranchId,
    head: &SignedHead,
    countersignature: Option<&Countersignature>,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    let claim = &head.claim;
    sqlx::query("insert into audit.signed_head values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing")
        .bind(branch.uuid())
        .bind(node_number(claim.node))
        .bind(big(claim.tip.epoch.0))
        .bind(big(claim.tip.seq))
        .bind(&claim.tip.hash[..])
        .bind(&claim.stock[..])
        .bind(&head.signature)
        .bind(countersignature.map(|signed| signed.signature.clone()))
        .bind(now_ms)
        .execute(connection)
        .await?;
    Ok(())
}

/// A note.
#[derive(Debug, Clone)]
pub struct NoteWrite {
    /// Whose log; nil for the hub.
    pub branch: BranchId,
    /// The fact's id.
    pub fact: [u8; 16],
    /// What it is about.
    pub subject: [u8; 16],
    /// The text.
    pub text: String,
    /// Who.
    pub staff: StaffId,
    /// When, as the writer saw it.
    pub at_ms: i64,
}

/// Adds notes.
pub async fn insert_notes(
    connection: &mut PgConnection,
    rows: &[NoteWrite],
) -> Result<(), sqlx::Error> {
    for row in rows {
        sqlx::query("insert into audit.note values ($1, $2, $3, $4, $5, $6)")
            .bind(row.branch.uuid())
            .bind(row.fact.uuid())
            .bind(row.subject.uuid())
            .bind(&row.text)
            .bind(row.staff.uuid())
            .bind(row.at_ms)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Something that people must look at, or no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionWrite {
    /// Whose it is; nil for the hub.
    pub branch: BranchId,
    /// What kind.
    pub kind: &'static str,
    /// A document, a part or a fact, as the kind says.
    pub subject: [u8; 16],
    /// For people; `None` ends it.
    pub detail: Option<String>,
    /// Since when.
    pub at_ms: i64,
}

/// Opens, renews and ends exceptions, of each (branch, kind, subject) one.
pub async fn save_exceptions(
    connection: &mut PgConnection,
    rows: &[&ExceptionWrite],
) -> Result<(), sqlx::Error> {
    let (open, ended): (Vec<&&ExceptionWrite>, Vec<&&ExceptionWrite>) =
        rows.iter().partition(|row| row.detail.is_some());
    let branches = |rows: &[&&ExceptionWrite]| {
        rows.iter()
            .map(|row| row.branch.uuid())
            .collect::<Vec<Uuid>>()
    };
    let kinds = |rows: &[&&ExceptionWrite]| rows.iter().map(|row| row.kind).collect::<Vec<&str>>();
    let subjects = |rows: &[&&ExceptionWrite]| {
        rows.iter()
            .map(|row| row.subject.uuid())
            .collect::<Vec<Uuid>>()
    };
    if !ended.is_empty() {
        sqlx::query(
            "delete from audit.exception e using unnest($1::uuid[], $2::text[], $3::uuid[])
                as t (branch_id, kind, subject)
             where e.branch_id = t.branch_id and e.kind = t.kind and e.subject = t.subject",
        )
        .bind(branches(&ended))
        .bind(kinds(&ended))
        .bind(subjects(&ended))
        .execute(&mut *connection)
        .await?;
        // Who looked into it has nothing left to look into.
        sqlx::query(
            "delete from audit.exception_owner o using unnest($1::uuid[], $2::text[], $3::uuid[])
                as t (branch_id, kind, subject)
             where o.branch_id = t.branch_id and o.kind = t.kind and o.subject = t.subject",
        )
        .bind(branches(&ended))
        .bind(kinds(&ended))
        .bind(subjects(&ended))
        .execute(&mut *connection)
        .await?;
    }
    if !open.is_empty() {
        let details: Vec<String> = open
            .iter()
            .map(|row| row.detail.as_deref().unwrap_or_default().replace('\0', " "))
            .collect();
        sqlx::query(
            "insert into audit.exception
             select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bigint[])
             on conflict (branch_id, kind, subject) do update set detail = excluded.detail, at_ms = excluded.at_ms",
        )
        .bind(branches(&open))
        .bind(kinds(&open))
        .bind(subjects(&open))
        .bind(details)
        .bind(open.iter().map(|row| row.at_ms).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    }
    Ok(())
}

/// A kept head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadRow {
    /// Whose branch.
    pub branch: BranchId,
    /// What the node signed.
    pub head: SignedHead,
    /// The hub's countersignature, where it agreed.
    pub countersignature: Option<Vec<u8>>,
}

type RawHead = (
    Uuid,
    i64,
    i64,
    i64,
    Vec<u8>,
    Vec<u8>,
    Vec<u8>,
    Option<Vec<u8>>,
);

/// Every kept head, by branch and node in the order of the log.
pub async fn heads(connection: &mut PgConnection) -> Result<Vec<HeadRow>, HubError> {
    let rows: Vec<RawHead> = sqlx::query_as(
        "select branch_id, node, epoch, seq, hash, stock, signature, countersignature from audit.signed_head
         order by branch_id, node, seq, epoch",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(
            |(branch, node, epoch, seq, hash, stock, signature, countersignature)| {
                let claim = HeadClaim {
                    node: node_of(node)?,
                    tip: tip_of(epoch, seq, &hash)?,
                    stock: hash_of(&stock)?,
                };
                let head = SignedHead { claim, signature };
                Ok(HeadRow {
                    branch: BranchId::of_uuid(branch),
                    head,
                    countersignature,
                })
            },
        )
        .collect()
}
