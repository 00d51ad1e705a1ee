//! Words of faults and devices in the languages that people write them: what one person calls a screen, another calls
//! a display, a Bildschirm, an écran or a pantalla.
//!
//! A small table, grown from what is written on orders. It widens a question and never narrows it.

use crate::store::order::find::Wanted;

/// Words of one question that count.
const WORDS_MAX: usize = 8;

/// Beginnings of words that mean one thing: English, German, French, Spanish. Lower case, without accents.
const SAME: &[&[&str]] = &[
    &[
        "screen",
        "display",
        "bildschirm",
        "anzeige",
        "ecran",
        "affichage",
        "pantalla",
    ],
    &["battery", "batterie", "akku", "accu", "bateria", "pila"],
    &[
        "charg",
        "ladegerat",
        "ladebuchse",
        "ladt",
        "laden",
        "cargad",
        "carga",
    ],
    &["keyboard", "tastatur", "clavier", "teclado"],
    &["key", "taste", "touche", "tecla"],
    &["fan", "lufter", "ventilateur", "ventilador"],
    &[
        "noise", "loud", "laut", "gerausch", "bruit", "bruyant", "ruido", "ruidos",
    ],
    &[
        "hot",
        "overheat",
        "heiss",
        "uberhitz",
        "chaud",
        "surchauffe",
        "caliente",
        "sobrecalent",
    ],
    &[
        "water", "liquid", "spill", "wasser", "flussig", "feucht", "eau", "liquide", "agua",
        "liquido",
    ],
    &[
        "crack",
        "broken",
        "gesprungen",
        "gebrochen",
        "zerbrochen",
        "kaputt",
        "defekt",
        "casse",
        "fissure",
        "roto",
        "rota",
        "grieta",
    ],
    &[
        "start",
        "boot",
        "startet",
        "demarre",
        "demarrage",
        "allume",
        "arranca",
        "enciende",
    ],
    &[
        "power",
        "strom",
        "netzteil",
        "alimentation",
        "courant",
        "corriente",
        "alimentacion",
    ],
    &["slow", "langsam", "lent", "lento", "lenta"],
    &["camera", "kamera", "appareil photo", "camara"],
    &[
        "speaker",
        "sound",
        "lautsprecher",
        "ton",
        "klang",
        "haut-parleur",
        "son",
        "altavoz",
        "sonido",
    ],
    &["microphone", "mikrofon", "micro", "microfono"],
    &[
        "port",
        "buchse",
        "anschluss",
        "prise",
        "connecteur",
        "puerto",
        "conector",
    ],
    &["hinge", "scharnier", "charniere", "bisagra"],
    &[
        "memory",
        "ram",
        "speicher",
        "arbeitsspeicher",
        "memoire",
        "memoria",
    ],
    &["disk", "drive", "ssd", "festplatte", "disque", "disco"],
    &["data", "daten", "donnees", "datos"],
    &["virus", "malware", "schadsoftware", "trojan"],
    &["network", "wifi", "wlan", "netzwerk", "reseau", "red"],
    &["laptop", "notebook", "ordinateur portable", "portatil"],
    &[
        "phone",
        "mobile",
        "smartphone",
        "handy",
        "telefon",
        "telephone",
        "portable",
        "telefono",
        "movil",
    ],
    &["tablet", "tablette", "tableta"],
    &["printer", "drucker", "imprimante", "impresora"],
    &[
        "glass", "glas", "scheibe", "verre", "vitre", "cristal", "vidrio",
    ],
    &["button", "knopf", "bouton", "boton"],
    &["cable", "kabel"],
    &["motor", "moteur"],
    &[
        "leak", "undicht", "tropft", "fuite", "fuit", "fuga", "gotea",
    ],
];

/// What an order must have for each word that was typed.
pub fn wanted(typed: &str) -> Wanted {
    typed
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(WORDS_MAX)
        .map(with_same)
        .collect()
}

/// The word and those that mean the same. A word of four letters may still be in the making.
fn with_same(word: &str) -> Vec<String> {
    let plain = fold(word);
    let mut words = vec![word.to_lowercase()];
    for same in SAME {
        if same.iter().any(|known| means(&plain, known)) {
            words.extend(same.iter().map(|&other| other.to_owned()));
        }
    }
    words
}

/// Whether two texts share a word of one meaning: `Screen replaced` and `Display for Dell`.
pub fn have_same_meaning(a: &str, b: &str) -> bool {
    let (a, b) = (folded_words(a), folded_words(b));
    SAME.iter().any(|same| {
        let has = |words: &[String]| {
            words
                .iter()
                .any(|word| same.iter().any(|known| means(word, known)))
        };
        has(&a) && has(&b)
    })
}

/// The words of a text, folded.
pub fn folded_words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(fold)
        .collect()
}

/// A longer word has its ending, a shorter one must be at least four letters of the known one.
fn means(word: &str, known: &str) -> bool {
    let short = known.len() <= 3;
    (short && word == known)
        || (!short && word.starts_with(known))
        || (word.len() >= 4 && known.starts_with(word))
}

fn fold(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for c in word.chars().flat_map(char::to_lowercase) {
        match c {
            'ä' | 'á' | 'à' | 'â' => plain.push('a'),
            'é' | 'è' | 'ê' | 'ë' => plain.push('e'),
            'í' | 'î' | 'ï' => plain.push('i'),
            'ö' | 'ó' | 'ô' => plain.push('o'),
            'ü' | 'ú' | 'ù' | 'û' => plain.push('u'),
            'ç' => plain.push('c'),
            'ñ' => plain.push('n'),
            'ß' => plain.push_str("ss"),
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_brings_those_of_other_languages() {
        for typed in ["screen", "Bildschirm", "écrans", "pantalla", "scre"] {
            let wanted = wanted(typed);
            assert!(
                wanted[0].contains(&"display".to_owned()),
                "{typed}: {wanted:?}"
            );
        }
        assert_eq!(wanted("X1 xyz"), [["x1"], ["xyz"]]);
        assert!(!wanted("key")[0].contains(&"clavier".to_owned()));
        assert!(wanted("...").is_empty());
    }

    #[test]
    fn a_fault_and_a_part_meet_by_their_meaning() {
        assert!(have_same_meaning(
            "Screen replaced",
            "Display for Dell, type 3"
        ));
        assert!(have_same_meaning("Akku getauscht", "Battery for HP"));
        assert!(!have_same_meaning("Battery", "Display for Dell"));
    }
}
