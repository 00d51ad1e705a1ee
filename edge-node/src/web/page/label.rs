//! The label that is stuck on a device, and one for each thing that was left with it: 62 × 29 mm.
//!
//! The number is largest because people call it out. Phone number, passcode and price never stand on a label.

pub(crate) mod code128;

use domain::number::parse_order_number;
use web_kit::fill;

use super::intake::promise::short_day;
use crate::app::order::form::Order;
use crate::web::view::View;
use code128::Bars;

/// One label.
pub(crate) struct Label {
    /// Branch code with its hyphen, the digits, the check character with its hyphen.
    pub(crate) number: [String; 3],
    pub(crate) day: String,
    pub(crate) hour: String,
    pub(crate) what: String,
    pub(crate) who: String,
    pub(crate) piece: usize,
    pub(crate) pieces: usize,
    pub(crate) urgent: bool,
    pub(crate) title: String,
    pub(crate) bar_title: String,
    pub(crate) bars: Option<Bars>,
}

/// The labels of an order: the device, then what was left with it. The last two are the messages that name them.
pub(crate) fn labels(view: &View, order: &Order, title_of: &str, bar_title: &str) -> Vec<Label> {
    let device = &order.device;
    let words = [&device.brand, &device.model];
    let mut title: Vec<&str> = words
        .into_iter()
        .map(String::as_str)
        .filter(|word| !word.is_empty())
        .collect();
    if title.is_empty() {
        title.push(&device.category);
    }
    let title = title.join(" ");
    let fault = device.fault.lines().next().unwrap_or("");
    let whole = match fault.is_empty() {
        true => title.clone(),
        false => format!("{title}, {fault}"),
    };
    let pieces = device.accessories.len() + 1;
    let things = device
        .accessories
        .iter()
        .map(|thing| format!("{thing} · {title}"));
    let (day, hour) = order
        .promised_at
        .map_or_else(Default::default, |at| short_day(view, at.0));
    std::iter::once(whole)
        .chain(things)
        .enumerate()
        .map(|(at, what)| Label {
            number: split(&order.number),
            day: day.clone(),
            hour: hour.clone(),
            what,
            who: short_name(order),
            piece: at + 1,
            pieces,
            urgent: order.urgent,
            title: fill(
                title_of,
                &[
                    ("piece", &(at + 1)),
                    ("pieces", &pieces),
                    ("number", &order.number),
                ],
            ),
            bar_title: fill(bar_title, &[("number", &order.number)]),
            bars: code128::bars(&order.number),
        })
        .collect()
}

/// The parts of a number, so that its digits can stand large.
pub(crate) fn split(number: &str) -> [String; 3] {
    let parts: Vec<&str> = number.split('-').collect();
    match (parse_order_number(number), parts.as_slice()) {
        (Ok(_), [code, digits, check]) => [
            format!("{code}-"),
            (*digits).to_owned(),
            format!("-{check}"),
        ],
        _ => [String::new(), number.to_owned(), String::new()],
    }
}

/// Family name and the first letter of the other: enough at the bench, little for who looks over it.
fn short_name(order: &Order) -> String {
    let name = order
        .customer
        .as_ref()
        .and_then(|customer| customer.name.as_ref());
    let Some(name) = name else {
        return String::new();
    };
    let words: Vec<&str> = name
        .expose()
        .split_whitespace()
        .filter(|word| word.starts_with(char::is_alphabetic))
        .collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first, .., last] => match first.chars().next() {
            Some(letter) => format!("{last} {letter}."),
            None => (*last).to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_in_three_sizes() {
        assert_eq!(split("BER-4F7K2M-0"), ["BER-", "4F7K2M", "-0"]);
        assert_eq!(split("old 17"), ["", "old 17", ""]);
    }
}
