//! The bytes of bodies: field order and numbers are a format.

use domain::availability::AvailabilityRow;
use domain::branch::{BranchRow, Location};
use domain::company::{CompanyRow, TaxRateRow};
use domain::id::{BranchId, PartId, StaffId, TransferId};
use domain::money::Currency;
use domain::part::PartRow;
use domain::preset::PresetRow;
use domain::staff::{CredentialRow, Role, StaffRow};
use domain::stock::{Movement, MovementKind};
use domain::transfer::{
    Arrival, ArrivalLine, Plan, PlanState, Shipment, TransferLine, TransferRequest,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The bytes in hexadecimal, ids shortened, after a round trip.
fn wire<T: Serialize + DeserializeOwned + PartialEq + core::fmt::Debug>(value: &T) -> String {
    let bytes = postcard::to_stdvec(value).unwrap();
    assert_eq!(&postcard::from_bytes::<T>(&bytes).unwrap(), value);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    ["a1", "b2", "c3", "d4"].iter().fold(hex, |hex, id| {
        hex.replace(&id.repeat(16), &format!("<{id}>"))
    })
}

const BRANCH: BranchId = BranchId::from_bytes([0xa1; 16]);
const OTHER: BranchId = BranchId::from_bytes([0xb2; 16]);
const PART: PartId = PartId::from_bytes([0xc3; 16]);
const TRANSFER: TransferId = TransferId::from_bytes([0xd4; 16]);

#[test]
fn facts() {
    let movement = Movement {
        number: 300,
        reason: 2,
        text: "hi".to_owned(),
        ..Movement::new(BRANCH, PART, MovementKind::Ship, 5)
    };
    let movement = Movement {
        subject: [0xd4; 16],
        line: [0xc3; 16],
        ..movement
    };
    assert_eq!(wire(&movement), "<a1><c3>090a0102<d4><c3>ac0202026869");
    let lines = vec![TransferLine {
        part: PART,
        quantity: 3,
    }];
    let request = TransferRequest {
        id: TRANSFER,
        from: BRANCH,
        to: OTHER,
        lines: lines.clone(),
        note: "n".to_owned(),
    };
    assert_eq!(wire(&request), "<d4><a1><b2>01<c3>03016e");
    let plan = Plan {
        id: TRANSFER,
        from: BRANCH,
        to: OTHER,
        lines: lines.clone(),
        version: 2,
        state: PlanState::Settled,
        reason: "r".to_owned(),
    };
    assert_eq!(wire(&plan), "<d4><a1><b2>01<c3>0302040172");
    assert_eq!(
        wire(&Shipment {
            transfer: TRANSFER,
            lines
        }),
        "<d4>01<c3>03"
    );
    let lines = vec![ArrivalLine {
        part: PART,
        good: 1,
        damaged: 2,
        missing: 3,
    }];
    assert_eq!(
        wire(&Arrival {
            transfer: TRANSFER,
            number: 1,
            lines
        }),
        "<d4>0101<c3>010203"
    );
}

#[test]
fn rows() {
    let branch = BranchRow {
        code: "BER".to_owned(),
        name: "B".to_owned(),
        region: "R".to_owned(),
        address: "A".to_owned(),
        location: Some(Location {
            latitude_e7: 1,
            longitude_e7: -1,
        }),
        time_zone: "UTC".to_owned(),
        currency: Currency::EUR,
        capacity: 7,
        prices_include_tax: true,
        active: true,
        opening_hours: String::new(),
        language: "en".to_owned(),
    };
    assert_eq!(
        wire(&branch),
        "03424552014201520141010201035554434555520701010002656e"
    );
    let part = PartRow {
        sku: "S".to_owned(),
        name: "N".to_owned(),
        category: "C".to_owned(),
        price_minor: 100,
        currency: Currency::EUR,
        tax_bp: 1_900,
        barcodes: vec!["1".to_owned()],
        active: false,
    };
    assert_eq!(wire(&part), "0153014e0143c801455552ec0e01013100");
    let staff = StaffRow {
        username: "u".to_owned(),
        name: "n".to_owned(),
        role: Role::Auditor,
        branches: vec![BRANCH],
        active: true,
    };
    assert_eq!(wire(&staff), "0175016e0501<a1>01");
    let credential = CredentialRow {
        staff: StaffId::from_bytes([0xd4; 16]),
        password_hash: "h".to_owned(),
    };
    assert_eq!(wire(&credential), "<d4>0168");
    assert!(!format!("{credential:?}").contains("\"h\""));
    let preset = PresetRow {
        category: "c".to_owned(),
        fault: "f".to_owned(),
        service: "s".to_owned(),
        price_minor: 1,
        currency: Currency::EUR,
        tax_bp: 0,
        minutes: 30,
        active: true,
    };
    assert_eq!(wire(&preset), "01630166017302455552001e01");
    let company = CompanyRow {
        legal_name: "L".to_owned(),
        tax_id: "T".to_owned(),
        tax_rates: vec![TaxRateRow {
            name: "s".to_owned(),
            bp: 1_900,
        }],
        receipt_texts: [("de".to_owned(), "Danke".to_owned())].into(),
        opening_hours: "9".to_owned(),
    };
    assert_eq!(
        wire(&company),
        "014c0154010173ec0e01026465".to_owned() + "0544616e6b650139"
    );
    let availability = AvailabilityRow {
        branch: BRANCH,
        part: PART,
        quantity: -1,
        as_of_ms: 1,
    };
    assert_eq!(wire(&availability), "<a1><c3>0102");
}

#[test]
fn unknown_numbers_are_refused() {
    assert!(postcard::from_bytes::<Role>(&[0]).is_err());
    assert!(postcard::from_bytes::<Role>(&[7]).is_err());
    assert!(postcard::from_bytes::<MovementKind>(&[15]).is_err());
    assert!(serde_json::from_str::<Role>("\"boss\"").is_err());
    assert!(postcard::from_bytes::<Currency>(b"eur").is_err());
}

#[test]
fn rows_are_validated_by_field() {
    let bad = PartRow {
        sku: "a b".to_owned(),
        name: String::new(),
        category: String::new(),
        price_minor: -1,
        currency: Currency::EUR,
        tax_bp: 20_000,
        barcodes: vec!["\u{7}".to_owned()],
        active: true,
    };
    let pointers: Vec<_> = bad
        .validate()
        .unwrap_err()
        .into_iter()
        .map(|problem| problem.pointer)
        .collect();
    assert_eq!(
        pointers,
        ["/sku", "/name", "/price", "/tax_rate_bp", "/barcodes/0"]
    );
    assert_eq!(Location::from_degrees(91.0, 0.0), None);
    assert_eq!(Location::from_degrees(f64::NAN, 0.0), None);
    let berlin = Location::from_degrees(52.520_008, 13.404_954).unwrap();
    assert_eq!(
        (berlin.latitude_e7, berlin.longitude_e7),
        (525_200_080, 134_049_540)
    );
}
