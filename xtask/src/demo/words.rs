//! Names of people who do not exist, drawn from a seed.

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

    /// A letter of a shelf.
    pub(crate) fn letter(&mut self) -> &'static str {
        self.pick(&["A", "B", "C", "D"])
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
    let name = format!("{} {}", dice.pick(&FIRST), dice.pick(&LAST));
    (
        name,
        format!("+49 30 555 {number:07}"),
        format!("person{number}@example.com"),
    )
}
