//! Transfers that would end shortages: the nearest branch that keeps more than it needs sends.
//!
//! What is asked for, approved or on its way already counts as if it had arrived, so nothing is proposed twice.

use domain::id::BranchId;

/// A part at one branch.
#[derive(Debug, Clone, PartialEq)]
pub struct Shelf {
    /// The branch.
    pub branch: BranchId,
    /// Free pieces, and those that are to come, less those that are to go.
    pub free: i64,
    /// At how many pieces the branch needs more.
    pub reorder_point: Option<i64>,
    /// Degrees north and east.
    pub location: Option<(f64, f64)>,
}

impl Shelf {
    fn lack(&self) -> i64 {
        self.reorder_point
            .map_or(0, |point| (point + 1 - self.free).max(0))
    }

    fn surplus(&self) -> i64 {
        (self.free - self.reorder_point.map_or(0, |point| point + 1)).max(0)
    }
}

/// A transfer that would help.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Where from.
    pub from: BranchId,
    /// Where to.
    pub to: BranchId,
    /// Pieces.
    pub quantity: i64,
    /// The way between them, where both places are known.
    pub metres: Option<f64>,
    /// What the source keeps.
    pub keeps: i64,
}

/// The transfers, the greatest lack first.
pub fn propose(shelves: &[Shelf]) -> Vec<Proposal> {
    let mut surplus: Vec<i64> = shelves.iter().map(Shelf::surplus).collect();
    let mut short: Vec<&Shelf> = shelves.iter().filter(|shelf| shelf.lack() > 0).collect();
    short.sort_by_key(|shelf| (std::cmp::Reverse(shelf.lack()), shelf.branch));
    let mut proposals = Vec::new();
    for to in short {
        let mut sources: Vec<(f64, usize)> = (0..shelves.len())
            .filter(|at| shelves[*at].branch != to.branch && surplus[*at] > 0)
            .map(|at| (way(&shelves[at], to).unwrap_or(f64::MAX), at))
            .collect();
        sources.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut lack = to.lack();
        for (_, at) in sources {
            if lack == 0 {
                break;
            }
            let quantity = lack.min(surplus[at]);
            surplus[at] -= quantity;
            lack -= quantity;
            let from = &shelves[at];
            proposals.push(Proposal {
                from: from.branch,
                to: to.branch,
                quantity,
                metres: way(from, to),
                keeps: surplus[at] + from.reorder_point.map_or(0, |point| point + 1),
            });
        }
    }
    proposals
}

/// The way over the globe, for choosing the nearer of two and for showing.
fn way(a: &Shelf, b: &Shelf) -> Option<f64> {
    const EARTH_M: f64 = 6_371_000.0;
    let (a, b) = (a.location?, b.location?);
    let (north_a, north_b) = (a.0.to_radians(), b.0.to_radians());
    let (south, east) = (
        ((b.0 - a.0).to_radians() / 2.0).sin(),
        ((b.1 - a.1).to_radians() / 2.0).sin(),
    );
    let h = south * south + north_a.cos() * north_b.cos() * east * east;
    Some(2.0 * EARTH_M * h.sqrt().min(1.0).asin())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(number: u8, free: i64, point: i64, east: f64) -> Shelf {
        Shelf {
            branch: BranchId::from_bytes([number; 16]),
            free,
            reorder_point: Some(point),
            location: Some((50.0, east)),
        }
    }

    #[test]
    fn the_nearest_surplus_sends_and_nobody_becomes_short() {
        let shelves = [
            shelf(1, 0, 2, 10.0),
            shelf(2, 5, 2, 11.0),
            shelf(3, 9, 2, 20.0),
        ];
        let found = propose(&shelves);
        let told: Vec<(u8, i64, i64)> = found
            .iter()
            .map(|proposal| {
                (
                    proposal.from.as_bytes()[0],
                    proposal.quantity,
                    proposal.keeps,
                )
            })
            .collect();
        assert_eq!(told, [(2, 2, 3), (3, 1, 8)]);
        assert!(found[0].metres < found[1].metres);
    }

    #[test]
    fn nothing_is_proposed_where_nobody_lacks_or_nobody_has() {
        assert_eq!(propose(&[shelf(1, 3, 2, 1.0), shelf(2, 9, 2, 2.0)]), []);
        assert_eq!(propose(&[shelf(1, 0, 2, 1.0), shelf(2, 3, 2, 2.0)]), []);
    }
}
