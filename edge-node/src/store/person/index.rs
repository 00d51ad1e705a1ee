//! The index in memory by which persons are found: names with accents and slips of the hand forgiven, digits of a
//! phone, parts of an e-mail address.
//!
//! Groups of three signs lead to the few persons who may be meant; those are then compared for real. Nothing here is
//! ever written anywhere, and a person whose key is not here cannot be found by name.

use std::collections::HashMap;

use domain::customer::{CustomerView, PersonValues, open_customer};
use domain::id::DocumentId;
use domain::sensitive::{PersonKey, Sensitive};
use domain::text::phone_digits;
use rusqlite::Connection;

use super::super::value::Id;
use super::{keys, open_key, sealed_view};
use crate::error::StoreError;

/// Fewest digits that are looked for in phone numbers.
const DIGITS_MIN: usize = 3;
/// Words of one question that count.
const WORDS_MAX: usize = 6;

struct Person {
    id: DocumentId,
    name: Sensitive<String>,
    digits: Sensitive<String>,
    email: Sensitive<String>,
}

/// A person that a search found. What is shown comes from the document, not from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonMatch {
    /// The customer document.
    pub id: DocumentId,
    /// Lower is better; from [`PersonMatch::GUESS`] on the person is only like what was typed.
    pub rank: u8,
}

impl PersonMatch {
    /// The first rank of those that differ from what was typed by a slip.
    pub const GUESS: u8 = 10;
}

/// Groups of three signs and the places of the persons that have them.
#[derive(Default)]
struct Grams(HashMap<u64, Vec<u32>>);

/// Names, phones and e-mails of all persons that are known here.
#[derive(Default)]
pub struct PersonIndex {
    places: HashMap<DocumentId, u32>,
    persons: Vec<Option<Person>>,
    free: Vec<u32>,
    names: Grams,
    digits: Grams,
    emails: Grams,
}

impl std::fmt::Debug for PersonIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PersonIndex({})", self.places.len())
    }
}

impl PersonIndex {
    /// Opens every customer; one whose key is not here cannot be found by name.
    pub(crate) fn load(conn: &Connection, storage_key: &[u8; 32]) -> Result<Self, StoreError> {
        let mut keys: HashMap<DocumentId, Vec<PersonKey>> = HashMap::new();
        let mut statement = conn.prepare("select person, generation, sealed from person_key")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let given = open_key(storage_key, row)?;
            keys.entry(given.person)
                .or_default()
                .push(PersonKey::new(given.generation, given.key));
        }
        let mut index = Self::default();
        let mut statement =
            conn.prepare("select id, name, phone, email, address, note from customer")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id = row.get::<_, Id<DocumentId>>(0)?.0;
            let known = keys.get(&id).map_or(&[][..], Vec::as_slice);
            index.put(id, &sealed_view(row, 1)?, known);
        }
        Ok(index)
    }

    /// Reads one customer again.
    pub(crate) fn refresh(
        &mut self,
        conn: &Connection,
        storage_key: &[u8; 32],
        id: DocumentId,
    ) -> Result<(), StoreError> {
        let mut statement = conn.prepare_cached(
            "select name, phone, email, address, note from customer where id = ?1",
        )?;
        let mut rows = statement.query([Id(id)])?;
        match rows.next()? {
            Some(row) => {
                let view = sealed_view(row, 0)?;
                let keys = keys(conn, storage_key, id)?;
                self.put(id, &view, &keys);
            }
            None => self.remove(id),
        }
        Ok(())
    }

    fn put(&mut self, id: DocumentId, view: &CustomerView, keys: &[PersonKey]) {
        self.remove(id);
        if let Ok(values) = open_customer(view, id, keys) {
            self.insert(id, &values);
        }
    }

    fn insert(&mut self, id: DocumentId, values: &PersonValues) {
        let text = |value: &Option<Sensitive<String>>| {
            value.as_ref().map_or("", |value| value.expose()).to_owned()
        };
        let person = Person {
            id,
            name: Sensitive::new(fold(&text(&values.name))),
            digits: Sensitive::new(phone_digits(&text(&values.phone))),
            email: Sensitive::new(text(&values.email).to_lowercase()),
        };
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.persons.push(None);
                u32::try_from(self.persons.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.names.add(place, name_grams(person.name.expose()));
        self.digits.add(place, grams(person.digits.expose()));
        self.emails.add(place, grams(person.email.expose()));
        self.places.insert(id, place);
        if let Some(slot) = self.persons.get_mut(place as usize) {
            *slot = Some(person);
        }
    }

    fn remove(&mut self, id: DocumentId) {
        let Some(place) = self.places.remove(&id) else {
            return;
        };
        if let Some(person) = self.persons.get_mut(place as usize).and_then(Option::take) {
            self.names.take(place, name_grams(person.name.expose()));
            self.digits.take(place, grams(person.digits.expose()));
            self.emails.take(place, grams(person.email.expose()));
            self.free.push(place);
        }
    }

    /// How many persons can be found.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether nobody can be found.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The best `limit` persons for what was typed. Each word must begin a word of the name, be like one (one slip
    /// from four letters on, two from eight), or stand in the e-mail; digits, three at least, must stand in the phone.
    pub fn search(&self, typed: &str, limit: usize) -> Vec<PersonMatch> {
        let folded = fold(typed);
        let is_phone = typed
            .chars()
            .all(|c| c.is_ascii_digit() || " +()-./".contains(c));
        let address = typed.trim().to_lowercase();
        let wanted: Vec<Wanted<'_>> = if is_phone {
            Wanted::digits(&phone_digits(typed)).into_iter().collect()
        } else if address.contains('@') {
            vec![Wanted::Word {
                text: &address,
                slips: 0,
            }]
        } else {
            let words = folded.split_whitespace().take(WORDS_MAX);
            words.map(Wanted::word).collect()
        };
        // Whoever has it as it was typed goes before all who have it but for a slip, so the slips are only looked for
        // where there is room behind.
        let exact: Vec<Wanted<'_>> = wanted.iter().map(Wanted::exact).collect();
        let mut found = self.matches(&folded, &exact);
        if found.len() < limit && wanted.iter().any(Wanted::forgives) {
            found = self.matches(&folded, &wanted);
        }
        found.sort_unstable_by_key(|found| (found.rank, found.id));
        found.truncate(limit);
        found
    }

    fn matches(&self, folded: &str, wanted: &[Wanted<'_>]) -> Vec<PersonMatch> {
        let places = self.candidates(wanted).unwrap_or_default();
        places
            .into_iter()
            .filter_map(|place| self.persons.get(place as usize)?.as_ref())
            .filter_map(|person| {
                let rank = person.rank(folded, wanted)?;
                let id = person.id;
                Some(PersonMatch { id, rank })
            })
            .collect()
    }

    /// Who may be meant, by the word that leaves the fewest; none when nothing was asked.
    fn candidates(&self, wanted: &[Wanted<'_>]) -> Option<Vec<u32>> {
        wanted
            .iter()
            .map(|wanted| match wanted {
                Wanted::Digits(digits) => self.digits.having(&grams(digits)),
                Wanted::Word { text, slips } => {
                    // One slip changes three groups, two letters in the wrong order four.
                    let mut places = match slips {
                        0 => self.names.having(&prefix_grams(text)),
                        slips => {
                            let grams = prefix_grams(text);
                            self.names
                                .having_most(&grams, 4 * slips, self.persons.len())
                        }
                    };
                    if text.len() >= DIGITS_MIN {
                        places.extend(self.emails.having(&grams(text)));
                    }
                    if let Some(Wanted::Digits(digits)) = Wanted::digits_in(text) {
                        places.extend(self.digits.having(&grams(&digits)));
                    }
                    places.sort_unstable();
                    places.dedup();
                    places
                }
            })
            .min_by_key(Vec::len)
    }
}

/// One thing that a person must have.
enum Wanted<'a> {
    Digits(String),
    Word { text: &'a str, slips: usize },
}

impl<'a> Wanted<'a> {
    /// Digits without the zeros that a country's code stands for; none for too few.
    fn digits(digits: &str) -> Option<Self> {
        let significant = digits.trim_start_matches('0');
        let wanted = if significant.len() >= DIGITS_MIN {
            significant
        } else {
            digits
        };
        (wanted.len() >= DIGITS_MIN).then(|| Self::Digits(wanted.to_owned()))
    }

    fn digits_in(word: &str) -> Option<Self> {
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| Self::digits(word)).flatten()
    }

    /// The same without any slip.
    fn exact(&self) -> Self {
        match self {
            Self::Digits(digits) => Self::Digits(digits.clone()),
            Self::Word { text, .. } => Self::Word { text, slips: 0 },
        }
    }

    fn forgives(&self) -> bool {
        matches!(self, Self::Word { slips: 1.., .. })
    }

    fn word(text: &'a str) -> Self {
        let slips = match text.chars().count() {
            0..=3 => 0,
            4..=7 => 1,
            _ => 2,
        };
        Self::Word { text, slips }
    }
}

impl Person {
    fn rank(&self, folded: &str, wanted: &[Wanted<'_>]) -> Option<u8> {
        let name = self.name.expose();
        if name == folded {
            return Some(0);
        }
        let mut worst = if name.starts_with(folded) { 1 } else { 2 };
        for wanted in wanted {
            let rank = match wanted {
                Wanted::Digits(digits) => self.digits.expose().contains(digits).then_some(1)?,
                Wanted::Word { text, slips } => self.rank_of_word(text, *slips)?,
            };
            worst = worst.max(rank);
        }
        Some(worst)
    }

    fn rank_of_word(&self, word: &str, slips: usize) -> Option<u8> {
        let name = self.name.expose();
        if name.split_whitespace().any(|part| part.starts_with(word)) {
            return Some(1);
        }
        if let Some(Wanted::Digits(digits)) = Wanted::digits_in(word) {
            return self.digits.expose().contains(&digits).then_some(2);
        }
        if word.len() >= DIGITS_MIN && self.email.expose().contains(word) {
            return Some(3);
        }
        let letters: Vec<char> = word.chars().collect();
        let nearest = name
            .split_whitespace()
            .filter_map(|part| slips_to_prefix(&letters, part, slips))
            .min()?;
        Some(PersonMatch::GUESS + u8::try_from(nearest).unwrap_or(u8::MAX - PersonMatch::GUESS))
    }
}

impl Grams {
    fn add(&mut self, place: u32, grams: Vec<u64>) {
        for gram in grams {
            self.0.entry(gram).or_default().push(place);
        }
    }

    fn take(&mut self, place: u32, grams: Vec<u64>) {
        for gram in grams {
            if let Some(places) = self.0.get_mut(&gram) {
                places.retain(|known| *known != place);
                if places.is_empty() {
                    self.0.remove(&gram);
                }
            }
        }
    }

    fn lists<'a>(&'a self, grams: &'a [u64]) -> impl Iterator<Item = &'a [u32]> {
        grams
            .iter()
            .map(|gram| self.0.get(gram).map_or(&[][..], Vec::as_slice))
    }

    /// Places that may have all of the groups: the shortest list holds all of them, and the comparison of the whole
    /// text does the rest.
    fn having(&self, grams: &[u64]) -> Vec<u32> {
        let shortest = self.lists(grams).min_by_key(|list| list.len());
        shortest.map_or_else(Vec::new, <[u32]>::to_vec)
    }

    /// Places that have all of the groups but `missing`, at least one, of `known` places.
    fn having_most(&self, grams: &[u64], missing: usize, known: usize) -> Vec<u32> {
        let least = grams.len().saturating_sub(missing).max(1);
        let mut counts = vec![0_u16; known];
        let mut places = Vec::new();
        for place in self.lists(grams).flatten() {
            if let Some(count) = counts.get_mut(*place as usize) {
                *count = count.saturating_add(1);
                if usize::from(*count) == least {
                    places.push(*place);
                }
            }
        }
        places
    }
}

fn gram(signs: [char; 3]) -> u64 {
    signs
        .iter()
        .fold(0, |gram, sign| gram << 21 | u64::from(u32::from(*sign)))
}

/// The groups of a text without its edges; a text shorter than three signs has none.
fn grams(text: &str) -> Vec<u64> {
    let signs: Vec<char> = text.chars().collect();
    let mut grams: Vec<u64> = signs
        .windows(3)
        .map(|window| gram([window[0], window[1], window[2]]))
        .collect();
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// The groups of a word's beginning, of which the first two hold the edge.
fn prefix_grams(word: &str) -> Vec<u64> {
    let edged: String = "\u{1}\u{1}".chars().chain(word.chars()).collect();
    grams(&edged)
}

fn name_grams(name: &str) -> Vec<u64> {
    let mut grams: Vec<u64> = name.split_whitespace().flat_map(prefix_grams).collect();
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// How many slips lead from `typed` to a beginning of `word`: a letter more, less, another one, or two letters in the
/// wrong order (Damerau's distance, letters next to each other only); none above `most`.
fn slips_to_prefix(typed: &[char], word: &str, most: usize) -> Option<usize> {
    const LONGEST: usize = 32;
    if most == 0 || typed.len() > LONGEST {
        return None;
    }
    let mut letters = ['\0'; LONGEST + 4];
    let mut length = 0;
    for (slot, letter) in letters
        .iter_mut()
        .zip(word.chars().take(typed.len() + most))
    {
        *slot = letter;
        length += 1;
    }
    if length + most < typed.len() {
        return None;
    }
    let mut before = [0_usize; LONGEST + 5];
    let mut last = [0_usize; LONGEST + 5];
    for (j, cell) in last.iter_mut().enumerate() {
        *cell = j;
    }
    for (i, letter) in typed.iter().enumerate() {
        let mut row = [0_usize; LONGEST + 5];
        row[0] = i + 1;
        let mut least = row[0];
        for j in 0..length {
            let changed = last[j] + usize::from(*letter != letters[j]);
            let mut best = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *letter == letters[j - 1] && typed[i - 1] == letters[j] {
                best = best.min(before[j - 1] + 1);
            }
            row[j + 1] = best;
            least = least.min(best);
        }
        if least > most {
            return None;
        }
        before = last;
        last = row;
    }
    last[..=length]
        .iter()
        .min()
        .copied()
        .filter(|slips| *slips <= most)
}

/// Lower case without the usual accents, so that `Muller` finds `Müller`.
fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars().flat_map(char::to_lowercase) {
        match c {
            'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ā' | 'ą' | 'ă' => out.push('a'),
            'é' | 'è' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' | 'ė' => out.push('e'),
            'í' | 'ì' | 'î' | 'ï' | 'ī' | 'ı' => out.push('i'),
            'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' | 'ō' | 'ő' => out.push('o'),
            'ú' | 'ù' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' => out.push('u'),
            'ç' | 'ć' | 'č' => out.push('c'),
            'ď' | 'đ' | 'ð' => out.push('d'),
            'ğ' | 'ģ' => out.push('g'),
            'ñ' | 'ń' | 'ň' => out.push('n'),
            'ś' | 'š' | 'ş' | 'ș' => out.push('s'),
            'ť' | 'ţ' | 'ț' => out.push('t'),
            'ź' | 'ż' | 'ž' => out.push('z'),
            'ý' | 'ÿ' => out.push('y'),
            'ł' | 'ľ' => out.push('l'),
            'ř' => out.push('r'),
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'þ' => out.push_str("th"),
            // An accent that stands by itself behind its letter.
            '\u{300}'..='\u{36f}' => {}
            '-' | '\'' | '’' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(people: &[(&str, &str, &str)]) -> PersonIndex {
        let mut index = PersonIndex::default();
        for (number, (name, phone, email)) in people.iter().enumerate() {
            let text = |value: &str| Some(Sensitive::new(value.to_owned()));
            let values = PersonValues {
                name: text(name),
                phone: text(phone),
                email: text(email),
                ..PersonValues::default()
            };
            index.insert(id(number), &values);
        }
        index
    }

    fn id(number: usize) -> DocumentId {
        DocumentId::from_bytes((number as u128 + 1).to_be_bytes())
    }

    fn found(index: &PersonIndex, typed: &str) -> Vec<usize> {
        let matches = index.search(typed, 10);
        matches
            .iter()
            .map(|found| u128::from_be_bytes(*found.id.as_bytes()) as usize - 1)
            .collect()
    }

    fn people() -> PersonIndex {
        index(&[
            (
                "Teodora Marković",
                "+49 176 0406 9017",
                "teodora@example.org",
            ),
            ("Markus Eibl", "+49 152 2881 7386", "m.eibl@example.com"),
            ("Jürgen Müller-Lüdenscheidt", "030 555 1234", ""),
            (
                "Łukasz Dąbrowski",
                "0048 22 123 45 67",
                "lukasz@przyklad.pl",
            ),
        ])
    }

    #[test]
    fn names_are_found_with_slips_and_without_accents() {
        let index = people();
        assert_eq!(
            found(&index, "mark"),
            [1, 0],
            "the name that begins so is first"
        );
        for typed in [
            "markovic",
            "Markowic",
            "makrovic",
            "teodroa",
            "Theodora",
            "marković teodora",
        ] {
            assert_eq!(found(&index, typed), [0], "{typed}");
        }
        for typed in [
            "muller",
            "mueller",
            "ludenscheidt",
            "Ludenscheit",
            "jurgen mul",
        ] {
            assert_eq!(found(&index, typed), [2], "{typed}");
        }
        assert_eq!(found(&index, "dabrowsky lukas"), [3]);
        for typed in ["", "  ", "xyz", "mrk", "m@x"] {
            assert_eq!(found(&index, typed), [0; 0], "{typed}");
        }
    }

    #[test]
    fn digits_and_addresses_are_found_as_people_write_them() {
        let index = people();
        for typed in [
            "9017",
            "0176 0406",
            "+49176",
            "49 176 04069017",
            "mark 9017",
        ] {
            assert_eq!(found(&index, typed), [0], "{typed}");
        }
        assert_eq!(found(&index, "(030) 555-12"), [2]);
        assert_eq!(found(&index, "eibl@example"), [1]);
        assert_eq!(found(&index, "12"), [0; 0], "two digits say nothing");
    }

    #[test]
    fn who_goes_is_gone_and_the_place_is_used_again() {
        let mut index = people();
        index.remove(id(0));
        assert_eq!((found(&index, "markovic"), index.len()), (vec![], 3));
        assert!(found(&index, "9017").is_empty());
        let values = PersonValues {
            name: Some(Sensitive::new("Ada Lovelace".to_owned())),
            ..PersonValues::default()
        };
        index.insert(id(7), &values);
        assert_eq!(found(&index, "lovelace"), [7]);
        assert_eq!(index.persons.len(), 4);
    }
}
