//! Bodies of live look-ups: what is written is read again, what is unknown is told apart from what is wrong, and
//! nothing personal is printed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use domain::id::{BranchId, DocumentId, StaffId};
use sync_protocol::error::DecodeError;
use sync_protocol::frame::FrameType;
use sync_protocol::item::encode_body;
use sync_protocol::limits::{LOOK_UP_BYTES, LOOK_UP_PEOPLE, LOOK_UP_TEXT_BYTES};
use sync_protocol::look_up::{
    Ask, Attach, Attached, Find, Found, FoundPerson, LookUp, LookUpAnswer, Refusal, Reply,
};
use sync_protocol::testing::frames;

fn find(text: &str) -> Ask {
    Ask::Find(Find {
        text: text.to_owned(),
        limit: 10,
    })
}

fn person(number: u8) -> FoundPerson {
    FoundPerson {
        person: DocumentId::from_bytes([number; 16]),
        name: "Jürgen Großmann".to_owned(),
        reach: "…7731".to_owned(),
        home: BranchId::from_bytes([2; 16]),
        orders: 3,
        attached: false,
    }
}

fn found(count: usize) -> Reply {
    Reply::Found(Found {
        people: (0..count).map(|number| person(number as u8)).collect(),
    })
}

#[test]
fn what_is_written_is_read_again() {
    let attach = Ask::Attach(Attach {
        person: DocumentId::from_bytes([1; 16]),
    });
    for ask in [find("großm"), attach] {
        let question = LookUp::new(7, StaffId::from_bytes([3; 16]), &ask);
        let frame = frames(&question.to_frame()).unwrap().remove(0);
        assert_eq!(frame.kind, FrameType::LookUp);
        let read = LookUp::from_body(&frame.body).unwrap();
        assert_eq!(read, question);
        assert_eq!(read.ask().unwrap(), Some(ask));
    }
    let attached = Reply::Attached(Attached {
        person: DocumentId::from_bytes([1; 16]),
        feed_n: 300,
        already: true,
    });
    for reply in [
        found(LOOK_UP_PEOPLE),
        attached,
        Reply::Refused(Refusal::Erased),
    ] {
        let answer = LookUpAnswer::new(7, &reply);
        let frame = frames(&answer.to_frame()).unwrap().remove(0);
        assert_eq!(frame.kind, FrameType::LookUpAnswer);
        let read = LookUpAnswer::from_body(&frame.body).unwrap();
        assert_eq!((read.id, read.reply().unwrap()), (7, Some(reply)));
    }
}

#[test]
fn another_kind_is_not_understood_and_no_mistake() {
    // id, staff, kind 77, a body of two bytes
    let body = encode_body(&(7_u64, StaffId::NIL, 77_u8, vec![1_u8, 2]));
    assert_eq!(LookUp::from_body(&body).unwrap().ask().unwrap(), None);
    let body = encode_body(&(7_u64, 77_u8, vec![1_u8, 2]));
    assert_eq!(
        LookUpAnswer::from_body(&body).unwrap().reply().unwrap(),
        None
    );
    let body = encode_body(&(7_u64, 3_u8, vec![99_u8]));
    let reply = LookUpAnswer::from_body(&body).unwrap().reply().unwrap();
    assert_eq!(
        reply,
        Some(Reply::Refused(Refusal::Busy)),
        "a reason of a newer hub"
    );
}

#[test]
fn what_does_not_read_is_a_mistake() {
    let good = encode_body(&LookUp::new(7, StaffId::NIL, &find("abc")));
    for end in 0..good.len() {
        assert!(LookUp::from_body(&good[..end]).is_err(), "cut at {end}");
    }
    let long = [&good[..], &[0]].concat();
    assert!(matches!(
        LookUp::from_body(&long),
        Err(DecodeError::Trailing { .. })
    ));
    let huge = vec![0; LOOK_UP_BYTES + 1];
    assert!(matches!(
        LookUp::from_body(&huge),
        Err(DecodeError::Limit { .. })
    ));
    let wordy = LookUp::new(7, StaffId::NIL, &find(&"x".repeat(LOOK_UP_TEXT_BYTES + 1)));
    assert!(matches!(wordy.ask(), Err(DecodeError::Limit { .. })));
    for kind in [1_u8, 2] {
        let body = encode_body(&(7_u64, StaffId::NIL, kind, vec![0xff_u8; 3]));
        assert!(
            LookUp::from_body(&body).unwrap().ask().is_err(),
            "kind {kind}"
        );
    }
    let crowd = LookUpAnswer::new(7, &found(LOOK_UP_PEOPLE + 1));
    assert!(matches!(crowd.reply(), Err(DecodeError::Limit { .. })));
    let mut loud = person(1);
    loud.name = "x".repeat(801);
    let loud = LookUpAnswer::new(7, &Reply::Found(Found { people: vec![loud] }));
    assert!(matches!(loud.reply(), Err(DecodeError::Limit { .. })));
}

#[test]
fn nothing_personal_is_printed() {
    let question = LookUp::new(7, StaffId::NIL, &find("großmann"));
    let answer = LookUpAnswer::new(7, &found(2));
    let printed = format!(
        "{question:?} {:?} {answer:?} {:?}",
        find("großmann"),
        found(2)
    );
    for secret in ["großmann", "Großmann", "7731", "67, 114"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
