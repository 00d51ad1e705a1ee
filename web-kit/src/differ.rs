//! Which words of two texts differ: for showing versions side by side.
//!
//! Longest common subsequence over words (Wagner and Fischer 1974). Long texts are shown unmarked rather than slowly.

/// A run of words that both texts have, or that only this one has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The words with the spaces behind them.
    pub text: String,
    /// Whether only this text has them.
    pub is_own: bool,
}

/// Most words of a text that is compared.
const WORDS_MAX: usize = 400;

/// The runs of `text` against `other`.
pub fn runs(text: &str, other: &str) -> Vec<Run> {
    let own: Vec<&str> = text.split_inclusive(char::is_whitespace).collect();
    let theirs: Vec<&str> = other.split_whitespace().collect();
    if own.len() > WORDS_MAX || theirs.len() > WORDS_MAX {
        return vec![Run {
            text: text.to_owned(),
            is_own: false,
        }];
    }
    let common = common(&own, &theirs);
    let mut runs: Vec<Run> = Vec::new();
    for (word, is_common) in own.iter().zip(common) {
        // A space alone belongs to the run before it.
        let is_own = !is_common && !word.trim().is_empty();
        match runs.last_mut() {
            Some(run) if run.is_own == is_own || word.trim().is_empty() => run.text.push_str(word),
            _ => runs.push(Run {
                text: (*word).to_owned(),
                is_own,
            }),
        }
    }
    runs
}

/// For each word of `own` whether it belongs to a longest common subsequence.
fn common(own: &[&str], theirs: &[&str]) -> Vec<bool> {
    let (rows, columns) = (own.len(), theirs.len());
    let same = |row: usize, column: usize| own[row].trim() == theirs[column];
    let mut lengths = vec![vec![0_u16; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            lengths[row][column] = if same(row, column) {
                lengths[row + 1][column + 1] + 1
            } else {
                lengths[row + 1][column].max(lengths[row][column + 1])
            };
        }
    }
    let mut found = vec![false; rows];
    let (mut row, mut column) = (0, 0);
    while row < rows && column < columns {
        if same(row, column) {
            found[row] = true;
            row += 1;
            column += 1;
        } else if lengths[row + 1][column] >= lengths[row][column + 1] {
            row += 1;
        } else {
            column += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, other: &str) -> String {
        let show = |run: Run| {
            if run.is_own {
                format!("[{}]", run.text)
            } else {
                run.text
            }
        };
        runs(text, other).into_iter().map(show).collect()
    }

    #[test]
    fn words_of_one_text_alone_are_marked() {
        assert_eq!(
            marked("port loose, replaced today", "port loose, recalled"),
            "port loose, [replaced today]"
        );
        assert_eq!(marked("same", "same"), "same");
        assert_eq!(marked("a", ""), "[a]");
        assert_eq!(marked("", "a"), "");
    }

    #[test]
    fn long_texts_are_not_compared() {
        let long = "word ".repeat(WORDS_MAX + 1);
        assert_eq!(runs(&long, "word").len(), 1);
    }
}
