//! Languages, and catalogues of messages that are complete by construction.
//!
//! A message stands once, in all languages side by side; one that lacks a language does not compile. No template and
//! no use case of the pages holds a sentence.

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The language of a BCP 47 tag, whatever its region; `None` for one that the pages do not speak.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or(tag);
        Self::ALL
            .into_iter()
            .find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }

    /// Its tag, as `lang` of a page says it.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Its own name for itself.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }
}

/// Declares a catalogue: a struct of messages with one value for each language.
///
/// ```
/// web_kit::catalogue! {
///     /// Words of a page.
///     pub struct PageTexts {
///         title: "Orders" | "Aufträge",
///         waiting: "{n} wait" | "{n} warten",
///     }
/// }
/// # use web_kit::Language;
/// let t = PageTexts::of(Language::German);
/// assert_eq!(t.title, "Aufträge");
/// assert_eq!(web_kit::fill(t.waiting, &[("n", &4)]), "4 warten");
/// ```
#[macro_export]
macro_rules! catalogue {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident { $($field:ident: $english:literal | $german:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, dead_code, reason = "each field is named after the words it holds, some for templates only")]
        $visibility struct $name { $($visibility $field: &'static str,)* }

        #[allow(missing_docs, dead_code, reason = "a catalogue has the same parts everywhere")]
        impl $name {
            /// English.
            $visibility const ENGLISH: Self = Self { $($field: $english,)* };
            /// German.
            $visibility const GERMAN: Self = Self { $($field: $german,)* };

            /// The words of a language.
            $visibility const fn of(language: $crate::Language) -> &'static Self {
                match language {
                    $crate::Language::English => &Self::ENGLISH,
                    $crate::Language::German => &Self::GERMAN,
                }
            }

            /// Every message: its name, English, German.
            $visibility const ALL: &'static [(&'static str, &'static str, &'static str)] =
                &[$((stringify!($field), $english, $german),)*];
        }
    };
}

/// Puts values into a message: `{name}` becomes the value of that name. What has no value stays as it stands.
pub fn fill(message: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
    let mut filled = String::with_capacity(message.len() + 16);
    let mut rest = message;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let value = after.split_once('}').and_then(|(name, behind)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value, behind))
        });
        match value {
            Some((value, behind)) => {
                filled.push_str(&value.to_string());
                rest = behind;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// The message for one, or the message for another number, with `{n}` filled in.
pub fn plural(n: u64, one: &str, many: &str) -> String {
    fill(if n == 1 { one } else { many }, &[("n", &n)])
}

/// What is wrong with a catalogue: empty messages, and values that one language names and the other does not.
pub fn flaws(catalogue: &[(&'static str, &'static str, &'static str)]) -> Vec<String> {
    let names = |message: &str| {
        let mut names: Vec<String> = message
            .split('{')
            .skip(1)
            .filter_map(|after| after.split_once('}').map(|(name, _)| name.to_owned()))
            .collect();
        names.sort();
        names
    };
    let mut flaws = Vec::new();
    for (field, english, german) in catalogue {
        if english.trim().is_empty() || german.trim().is_empty() {
            flaws.push(format!("{field} is empty"));
        }
        if names(english) != names(german) {
            flaws.push(format!(
                "{field} does not name the same values in both languages"
            ));
        }
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::catalogue! {
        struct Words {
            good: "{a} and {b}" | "{b} und {a}",
            bad: "{a}" | "{b}",
        }
    }

    #[test]
    fn tags_are_read_whatever_their_region() {
        assert_eq!(Language::of_tag("de-AT"), Some(Language::German));
        assert_eq!(Language::of_tag("EN"), Some(Language::English));
        assert_eq!(Language::of_tag("fr"), None);
    }

    #[test]
    fn values_stand_where_the_language_wants_them() {
        let words = Words::of(Language::German);
        assert_eq!(fill(words.good, &[("a", &1), ("b", &"two")]), "two und 1");
        assert_eq!(fill("{unknown} {", &[]), "{unknown} {");
        assert_eq!(plural(1, "one", "{n}"), "one");
        assert_eq!(plural(7, "one", "{n}"), "7");
    }

    #[test]
    fn a_message_that_differs_between_languages_is_found() {
        assert_eq!(flaws(Words::ALL).len(), 1);
    }
}
