//! Names, devices and parts for generated data, drawn from a seed.

/// A small deterministic random source (SplitMix64, Steele et al. 2014).
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }
}

const FIRST: [&str; 16] = [
    "Anna", "Ben", "Çağla", "David", "Elif", "Finn", "Grażyna", "Hannah", "Ivo", "Jürgen", "Klara",
    "Łukasz", "Maja", "Noël", "Olga", "Søren",
];
const LAST: [&str; 14] = [
    "Albrecht",
    "Baumann",
    "Çelik",
    "Dąbrowski",
    "Eriksen",
    "Fischer",
    "Großmann",
    "Huber",
    "Ivanova",
    "Jansen",
    "Krüger",
    "Lindström",
    "Müller",
    "Nguyen",
];

/// Name, phone and e-mail of a person who does not exist.
pub(crate) fn person(dice: &mut Dice) -> (String, String, String) {
    let number = dice.below(10_000_000);
    let name = format!("{} {} (generated)", dice.pick(&FIRST), dice.pick(&LAST));
    (
        name,
        format!("+49 30 555 {number:07}"),
        format!("person{number}@example.com"),
    )
}

/// Kinds of devices.
pub(crate) const CATEGORIES: [&str; 4] = ["Laptop", "Mobile", "Tablet", "Desktop computer"];

/// Fault, service, price in cents and minutes of what shops mend most.
pub(crate) const PRESETS: [(&str, &str, i64, u32); 8] = [
    ("Screen", "Screen replaced", 8_900, 60),
    ("Battery", "Battery replaced", 4_900, 45),
    ("Liquid", "Liquid damage: open, clean, test", 8_900, 90),
    ("Charging", "Charging port replaced", 7_900, 60),
    ("Keyboard", "Keyboard replaced", 7_900, 75),
    ("Slow", "Set up anew", 4_900, 60),
    ("Data", "Data brought over", 9_900, 120),
    ("Cleaning", "Cleaned inside", 1_900, 30),
];

/// Category, brand, model and fault of a device.
pub(crate) fn device(dice: &mut Dice) -> (&'static str, &'static str, String, &'static str) {
    let category = dice.pick(&CATEGORIES);
    let brand = dice.pick(&[
        "Lenovo",
        "HP",
        "Dell",
        "Apple",
        "Samsung",
        "Fairphone",
        "Acer",
    ]);
    let fault = dice.pick(&[
        "Screen is cracked, touch works",
        "Does not charge, the port is loose",
        "Battery lasts one hour",
        "Fan is loud and it gets hot",
        "Does not start, the light blinks twice",
        "Wasserschaden, Tastatur reagiert nicht",
        "L'écran reste noir",
        "Keyboard: keys e and n do not work",
    ]);
    (
        category,
        brand,
        format!(
            "{} {}",
            dice.pick(&["Pro", "Air", "Neo", "Think", "Book"]),
            10 + dice.below(8)
        ),
        fault,
    )
}

/// Sku, name, category and price in cents of part `number`.
pub(crate) fn part(dice: &mut Dice, number: usize) -> (String, String, &'static str, i64) {
    const KINDS: [(&str, &str, u64); 8] = [
        ("DSP", "Display", 4_900),
        ("BAT", "Battery", 2_400),
        ("KBD", "Keyboard", 3_100),
        ("FAN", "Fan", 1_200),
        ("SSD", "Solid state drive", 5_900),
        ("RAM", "Memory", 3_900),
        ("PRT", "Charging port", 900),
        ("CAM", "Camera", 1_900),
    ];
    let (short, category, price) = KINDS[number % KINDS.len()];
    let brand = dice.pick(&[
        "Lenovo",
        "HP",
        "Dell",
        "Apple",
        "Samsung",
        "Fairphone",
        "Acer",
    ]);
    let sku = format!("{short}-{}", 1_000 + number);
    let price_minor = (price + 100 * dice.below(80)) as i64 + 90;
    (
        sku,
        format!(
            "{category} for {brand}, type {} (generated)",
            number / KINDS.len() + 1
        ),
        category,
        price_minor,
    )
}
