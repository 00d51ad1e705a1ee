//! The bank's file at the hub: what names a receipt pays it, once; the rest waits for a person.

use domain::id::{LineId, PaymentId, ReceiptId};
use domain::money::Currency;
use domain::till::{Receipt, ReceiptLine, ReceiptLineKind, Tender, TenderLine};
use hub::app::Actor;
use hub::app::money::settle::{Taken, take_bank_file};
use jiff::tz::TimeZone;
use sync_protocol::item::{Item, command};

use crate::support::World;

fn receipt() -> Receipt {
    Receipt {
        id: ReceiptId::from_bytes([0x60; 16]),
        register: 1,
        session: None,
        series: b'A',
        number: 7,
        customer: None,
        currency: Currency::EUR,
        lines: vec![ReceiptLine {
            id: LineId::from_bytes([0x61; 16]),
            kind: ReceiptLineKind::Service,
            order: None,
            part: None,
            text: "Data rescued".to_owned(),
            quantity: 1,
            unit_minor: 11_900,
            tax_bp: 1900,
            includes_tax: true,
        }],
        tenders: vec![TenderLine {
            payment: PaymentId::from_bytes([0x62; 16]),
            tender: Tender::Bank,
            amount_minor: 11_900,
            given_minor: 11_900,
            way: None,
        }],
    }
}

async fn bring(world: &World, file: &str) -> Result<Taken, String> {
    let mut tx = world
        .hub
        .begin(Actor::SYSTEM, command::PAYMENT)
        .await
        .unwrap();
    let taken = take_bank_file(&mut tx, file.as_bytes(), &TimeZone::UTC)
        .await
        .map_err(|error| error.to_string())?;
    tx.commit().await.unwrap();
    Ok(taken)
}

#[tokio::test]
async fn a_transfer_that_names_its_receipt_pays_it_once() {
    let mut world = World::new().await;
    let mut berlin = world.branch("BER").await;
    let hub = world.hub.clone();
    berlin.hello(&hub).await.unwrap();
    let entries = vec![berlin.tx(vec![Item::Receipt(receipt())])];
    berlin.send(&hub, entries).await;
    let head = "booked_on,reference,amount,currency,text\n";
    let short = format!("{head}2026-11-20,b-1,100.00,EUR,BER-R-A000007\n");
    let other = format!("{head}2026-11-20,b-2,12.00,EUR,thank you\n");
    let right = format!("{head}2026-11-21,b-3,119.00,EUR,receipt BER-R-A000007\n");
    let unmatched = Taken {
        read: 1,
        new: 1,
        matched: 0,
    };
    assert_eq!(
        bring(&world, &short).await.unwrap(),
        unmatched,
        "too little"
    );
    assert_eq!(bring(&world, &other).await.unwrap(), unmatched);
    let paid = bring(&world, &right).await.unwrap();
    assert_eq!(paid.matched, 1);
    let again = bring(&world, &right).await.unwrap();
    assert_eq!((again.read, again.new), (1, 0), "once");
    let captured = "select captured_minor from payments.payment";
    assert_eq!(world.count(captured).await, 11_900);
    let lines = "select count(*) from payments.settlement where matched is null";
    assert_eq!(world.count(lines).await, 2);
    assert!(bring(&world, "no header\n").await.is_err());
    world.verified().await;
}
