//! Ids, money, text and numbers.

use domain::env::SeededEntropy;
use domain::id::{BranchId, PartId, StaffId};
use domain::money::{Currency, Money, MoneyError, TaxRate, tax_included, tax_on_net};
use domain::number::{NumberError, order_number, parse_order_number};
use domain::quantity::Quantity;
use domain::text::{self, TextError};

#[test]
fn an_id_is_read_and_written_as_a_uuid() {
    let id = BranchId::from_random(&mut SeededEntropy::new(1));
    let text = id.to_string();
    assert_eq!(text.len(), 36);
    assert_eq!(text.as_bytes()[14], b'4', "version 4");
    assert!(b"89ab".contains(&text.as_bytes()[19]), "variant");
    assert_eq!(text.parse::<BranchId>().unwrap(), id);
    assert_eq!(text.to_uppercase().parse::<BranchId>().unwrap(), id);
    assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{text}\""));
    assert_eq!(postcard::to_stdvec(&id).unwrap(), id.as_bytes());
    assert_eq!(postcard::from_bytes::<BranchId>(id.as_bytes()).unwrap(), id);
    assert!(StaffId::NIL.is_nil() && !id.is_nil());
}

#[test]
fn what_is_no_uuid_is_refused() {
    let good = "00112233-4455-4677-8899-aabbccddeeff";
    assert!(good.parse::<PartId>().is_ok());
    for bad in [
        "",
        "00112233445546778899aabbccddeeff",
        "{00112233-4455-4677-8899-aabbccddeeff}",
        "00112233-4455-4677-8899-aabbccddeef",
        "00112233-4455-4677-8899-aabbccddeefg",
        "00112233-4455-4677-8899_aabbccddeeff",
        "٠0112233-4455-4677-8899-aabbccddeef",
    ] {
        assert!(bad.parse::<PartId>().is_err(), "{bad}");
    }
}

#[test]
fn tax_is_rounded_half_away_from_zero() {
    let rate = |bp| TaxRate::new(bp).unwrap();
    assert_eq!(tax_included(11_900, rate(1_900)), 1_900);
    assert_eq!(tax_included(-11_900, rate(1_900)), -1_900);
    assert_eq!(tax_on_net(250, rate(1_000)), 25);
    assert_eq!(tax_on_net(5, rate(1_000)), 1, "0.5 goes up");
    assert_eq!(tax_on_net(-5, rate(1_000)), -1, "and down below zero");
    assert_eq!(tax_on_net(4, rate(1_000)), 0);
    assert_eq!(tax_included(3, rate(10_000)), 2, "1.5 goes up");
    assert_eq!(tax_included(i64::MAX, rate(10_000)), i64::MAX / 2 + 1);
    assert!(TaxRate::new(10_001).is_err());
}

#[test]
fn money_keeps_its_currency_and_bounds() {
    let eur = |amount| Money::new(amount, Currency::EUR).unwrap();
    let yen = Money::new(1, "JPY".parse().unwrap()).unwrap();
    assert_eq!(eur(1).checked_add(eur(2)), Ok(eur(3)));
    assert_eq!(eur(1).checked_sub(eur(2)), Ok(eur(-1)));
    assert_eq!(eur(1).checked_add(yen), Err(MoneyError::Mixed));
    assert_eq!(
        eur(10_000_000_000_000).checked_add(eur(1)),
        Err(MoneyError::Range)
    );
    assert_eq!(eur(10).checked_mul(i64::MAX), Err(MoneyError::Range));
    assert_eq!(
        serde_json::to_string(&eur(4_990)).unwrap(),
        r#"{"amount_minor":4990,"currency":"EUR"}"#
    );
    assert!(
        serde_json::from_str::<Money>(r#"{"amount_minor":10000000000001,"currency":"EUR"}"#)
            .is_err()
    );
    assert!(serde_json::from_str::<Money>(r#"{"amount_minor":1,"currency":"eur"}"#).is_err());
    assert_eq!(
        (
            "JPY".parse::<Currency>().unwrap().minor_digits(),
            Currency::EUR.minor_digits()
        ),
        (0, 2)
    );
}

#[test]
fn a_quantity_is_one_to_a_million() {
    assert!(
        Quantity::new(0).is_err()
            && Quantity::new(-1).is_err()
            && Quantity::new(1_000_001).is_err()
    );
    assert_eq!(Quantity::new(1_000_000).unwrap().as_i64(), 1_000_000);
    assert!(Quantity::new(i64::MIN).is_err() && Quantity::new(i64::MAX).is_err());
}

#[test]
fn text_refuses_control_characters_and_nothing_else() {
    assert_eq!(
        text::clean_line("  \u{202e}مرحبا <b>  ", 200).unwrap(),
        "\u{202e}مرحبا <b>"
    );
    assert_eq!(text::clean_line("a\0b", 200), Err(TextError::Control));
    assert_eq!(text::clean_line("a\nb", 200), Err(TextError::Control));
    assert_eq!(text::clean_line("a\u{85}b", 200), Err(TextError::Control));
    assert_eq!(text::clean_block("a\r\nb\tc", 200).unwrap(), "a\nb\tc");
    assert_eq!(text::clean_block("a\rb", 200), Err(TextError::Control));
    assert_eq!(
        text::clean_line("ééé", 5),
        Err(TextError::TooLong { max: 5 })
    );
    assert_eq!(text::required_line(" ", 5), Err(TextError::Empty));
}

#[test]
fn formed_texts_are_held_to_their_form() {
    assert!(text::clean_sku("BAT-12/3.5_a+").is_ok() && text::clean_sku("a b").is_err());
    assert!(
        text::clean_code("BER").is_ok()
            && text::clean_code("B").is_err()
            && text::clean_code("ber").is_err()
    );
    assert!(text::clean_email("a@b.example").is_ok());
    for bad in ["a", "@b", "a@", "a@b@c", "a b@c"] {
        assert!(text::clean_email(bad).is_err(), "{bad}");
    }
    assert!(text::clean_phone("+49 (30) 123-456").is_ok() && text::clean_phone("12").is_err());
    assert!(text::clean_phone("call me 12345").is_err());
    assert_eq!(text::phone_digits("+49 (30) 1"), "49301");
    assert!(text::clean_language("pt-BR").is_ok() && text::clean_language("ü").is_err());
    assert!(text::clean_username("eva.k").is_ok() && text::clean_username("Eva").is_err());
}

#[test]
fn an_order_number_is_read_back_as_people_write_it() {
    let mut entropy = SeededEntropy::new(7);
    for _ in 0..500 {
        let number = order_number("B0L1", &mut entropy);
        assert_eq!(parse_order_number(&number).unwrap(), number);
        let (code, rest) = number.split_at(5);
        let sloppy = format!(
            "{} {}",
            code.to_lowercase(),
            rest.replace('0', "o").replace('1', "l").replace('-', " ")
        );
        assert_eq!(parse_order_number(&sloppy).unwrap(), number, "{sloppy}");
        assert!(number.is_ascii() && !number.contains(['*', '~', '$', '=']));
    }
}

#[test]
fn one_wrong_digit_of_an_order_number_is_noticed() {
    let number = order_number("BER", &mut SeededEntropy::new(3));
    for at in 4..10 {
        for digit in "0123456789ABCDEFGHJKMNPQRSTVWXYZ".chars() {
            let mut wrong: Vec<char> = number.chars().collect();
            if wrong[at] != digit {
                wrong[at] = digit;
                let wrong: String = wrong.iter().collect();
                assert_eq!(
                    parse_order_number(&wrong),
                    Err(NumberError::Check),
                    "{wrong}"
                );
            }
        }
    }
    for bad in [
        "",
        "BER",
        "BER-000000",
        "BER-00000U-0",
        "B-000000-0",
        "ÄÖÜ-000000-0",
        "TOOLONG-000000-0",
    ] {
        assert_eq!(parse_order_number(bad), Err(NumberError::Form), "{bad}");
    }
}
