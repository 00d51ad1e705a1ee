//! The ledger.

use domain::id::{BranchId, PartId};
use domain::stock::{
    Account, Conservation, Movement, MovementError, MovementKind, Short, account_sums, check_free,
};

fn movement(kind: MovementKind, quantity: i64) -> Movement {
    let movement = Movement::new(
        BranchId::from_bytes([1; 16]),
        PartId::from_bytes([2; 16]),
        kind,
        quantity,
    );
    movement.about([3; 16], [4; 16], 1)
}

#[test]
fn the_kinds_run_between_the_accounts_of_the_format() {
    let table: Vec<String> = MovementKind::ALL
        .iter()
        .map(|kind| {
            format!(
                "{} {kind} {}>{}",
                kind.code(),
                kind.from_account().code(),
                kind.to_account().code()
            )
        })
        .collect();
    assert_eq!(
        table,
        [
            "1 opening 3>1",
            "2 receive 4>1",
            "3 sell 1>6",
            "4 use 1>7",
            "5 return 6>1",
            "6 adjust_found 5>1",
            "7 adjust_lost 1>9",
            "8 scrap 1>8",
            "9 ship 1>2",
            "10 arrive 2>1",
            "11 arrive_damaged 2>8",
            "12 transit_lost 2>9",
            "13 transit_found 9>2",
            "14 supplier_return 1>4",
        ]
    );
    let accounts: Vec<_> = Account::ALL
        .iter()
        .map(|account| account.as_str())
        .collect();
    assert_eq!(
        accounts,
        [
            "on_hand",
            "in_transit",
            "opening",
            "supplier",
            "found",
            "customer",
            "used",
            "scrapped",
            "lost"
        ]
    );
}

#[test]
fn form_is_checked_and_state_never() {
    for kind in MovementKind::ALL {
        movement(*kind, 1).check_form().unwrap();
        assert_eq!(
            movement(*kind, 0).check_form(),
            Err(MovementError::Quantity)
        );
        assert_eq!(
            movement(*kind, -5).check_form(),
            Err(MovementError::Quantity)
        );
        assert_eq!(
            movement(*kind, 1_000_001).check_form(),
            Err(MovementError::Quantity)
        );
        for from in Account::ALL {
            for to in Account::ALL {
                let odd = Movement {
                    from: *from,
                    to: *to,
                    ..movement(*kind, 1)
                };
                let used = *kind == MovementKind::Return
                    && *from == Account::Used
                    && *to == Account::OnHand;
                let fits = used || (*from == kind.from_account() && *to == kind.to_account());
                assert_eq!(odd.check_form().is_ok(), fits, "{kind} {from} {to}");
            }
        }
    }
    let homeless = Movement {
        subject: [0; 16],
        ..movement(MovementKind::Ship, 1)
    };
    assert_eq!(
        homeless.check_form(),
        Err(MovementError::Subject(MovementKind::Ship))
    );
    assert_eq!(homeless.business_key(), None);
    assert!(movement(MovementKind::Ship, 1).business_key().is_some());
    let nobody = Movement {
        branch: BranchId::NIL,
        ..movement(MovementKind::Opening, 1)
    };
    assert_eq!(nobody.check_form(), Err(MovementError::Owner));
}

#[test]
fn a_chain_of_movements_balances() {
    let movements: Vec<Movement> = [
        (MovementKind::Opening, 20),
        (MovementKind::Receive, 10),
        (MovementKind::SupplierReturn, 2),
        (MovementKind::AdjustFound, 1),
        (MovementKind::AdjustLost, 3),
        (MovementKind::Sell, 4),
        (MovementKind::Use, 5),
        (MovementKind::Return, 1),
        (MovementKind::Scrap, 1),
        (MovementKind::Ship, 8),
        (MovementKind::Arrive, 4),
        (MovementKind::ArriveDamaged, 1),
        (MovementKind::TransitLost, 2),
        (MovementKind::TransitFound, 1),
    ]
    .iter()
    .map(|(kind, quantity)| movement(*kind, *quantity))
    .collect();
    let sums = Conservation::of(&movements);
    assert_eq!(
        sums,
        Conservation {
            opening: 20,
            purchased: 8,
            found: 1,
            returned: 1,
            on_hand: 13,
            in_transit: 2,
            sold: 4,
            used: 5,
            lost: 4,
            scrapped: 2,
        }
    );
    assert!(sums.balanced());
    assert!(
        !Conservation {
            on_hand: 14,
            ..sums
        }
        .balanced()
    );
    assert_eq!(account_sums(&movements).values().sum::<i64>(), 0);
}

#[test]
fn free_is_on_hand_less_reserved() {
    assert_eq!(check_free(5, 2, 3), Ok(()));
    assert_eq!(check_free(5, 2, 4), Err(Short { free: 3, want: 4 }));
    assert_eq!(check_free(-1, 2, 1), Err(Short { free: -3, want: 1 }));
}
