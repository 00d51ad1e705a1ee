//! Generated repair records in the format of the Open Repair Data Standard, v0.3.
//!
//! The same number always gives the same record. Nothing of anybody's data is in here.

use std::fmt::Write as _;

/// The columns of v0.3.
pub const HEADER: &str = "id,data_provider,country,partner_product_category,product_category,product_category_id,\
brand,year_of_manufacture,product_age,repair_status,repair_barrier_if_end_of_life,group_identifier,event_date,problem\n";

const DEVICES: [(&str, &str); 6] = [
    ("Kettle", "Acme"),
    ("Toaster", "Globex"),
    ("Vacuum", "Initech"),
    ("Laptop", "Umbrella"),
    ("Lamp", "Hooli"),
    ("Radio, \"portable\"", "Stark & Söhne"),
];
const FAULTS: [&str; 6] = [
    "does not switch on",
    "Kabelbruch am Stecker, riecht verbrannt",
    "ne chauffe plus; « odeur de brûlé »",
    "电池无法充电",
    "leaks,\nthen trips the fuse",
    "",
];
const OUTCOMES: [&str; 4] = ["Fixed", "Repairable", "End of life", "Unknown"];

/// One record as a line of the file.
pub fn line(number: usize) -> String {
    line_with(number, FAULTS[number / 4 % FAULTS.len()])
}

/// One record with another fault.
pub fn line_with(number: usize, fault: &str) -> String {
    let (category, brand) = DEVICES[number % DEVICES.len()];
    let outcome = OUTCOMES[number / 3 % OUTCOMES.len()];
    let barrier = if outcome == "End of life" {
        "Spare parts not available"
    } else {
        ""
    };
    // Outcomes go through all months, so that every third of a year has all of them.
    let (month, day) = (number / 5 % 12 + 1, number % 28 + 1);
    format!(
        "test_{number:06},Counterpart test,DEU,{0},{0},{1},{2},{3},{4},{outcome},{barrier},Group {5},2023-{month:02}-\
         {day:02},{6}\n",
        quoted(category),
        number % DEVICES.len() + 1,
        quoted(brand),
        2010 + number % 12,
        number % 12,
        number % 3,
        quoted(fault)
    )
}

/// A file of these records, in this order.
pub fn file(numbers: impl IntoIterator<Item = usize>) -> Vec<u8> {
    let mut text = HEADER.to_owned();
    for number in numbers {
        text.push_str(&line(number));
    }
    text.into_bytes()
}

/// The records of a scripted demo: so many groups, so many records in each.
pub fn groups(groups: usize, records: usize) -> Vec<u8> {
    let mut text = HEADER.to_owned();
    for group in 0..groups {
        for number in 0..records {
            let number = group * records + number;
            let line =
                line(number).replace(&format!("Group {}", number % 3), &format!("Town {group}"));
            write!(text, "{line}").expect("a text takes what is written");
        }
    }
    text.into_bytes()
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
