//! Many rows in one statement: the columns that `unnest` takes, and which rows may share a statement.
//!
//! A statement writes over no row of a table twice: Postgres refuses that, and what came later must not be overtaken by
//! what came before. Only what a statement leaves alone where it is there may come twice in it.

use std::collections::BTreeMap;

/// One column of these rows.
pub(crate) fn column<'a, T, V>(rows: &'a [T], field: impl Fn(&'a T) -> V) -> Vec<V> {
    rows.iter().map(field).collect()
}

/// The rows in rounds, each with one row of a key at most, so that the rows of a key keep their order. Rows of different
/// keys do not depend on each other, and mostly there is one round.
pub(crate) fn rounds<'a, T, K: Ord>(rows: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<Vec<&'a T>> {
    let mut taken: BTreeMap<K, usize> = BTreeMap::new();
    let mut rounds: Vec<Vec<&'a T>> = Vec::new();
    for row in rows {
        let turn = taken.entry(key(row)).or_default();
        match rounds.get_mut(*turn) {
            Some(round) => round.push(row),
            None => rounds.push(vec![row]),
        }
        *turn += 1;
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_has_a_key_once_and_a_key_keeps_its_order() {
        let rows = [(1, 'a'), (2, 'b'), (1, 'c'), (3, 'd'), (1, 'e'), (2, 'f')];
        let letters = |round: Vec<&(i32, char)>| round.iter().map(|row| row.1).collect::<String>();
        let found: Vec<String> = rounds(&rows, |row| row.0)
            .into_iter()
            .map(letters)
            .collect();
        assert_eq!(found, ["abd", "cf", "e"]);
        assert!(rounds(&rows[..0], |row| row.0).is_empty());
    }
}
