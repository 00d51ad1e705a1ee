//! Feed entries that a database lost: found, asked for, put back as they were, and applied no second time.

use domain::env::SeededEntropy;
use edge_node::store::{FeedStep, Store, incident, verify};
use sync_protocol::feed::{FeedBlock, FeedEntry, FeedId, FeedTip};
use sync_protocol::item::Item;
use sync_protocol::limits::WANT_TRANSACTIONS;
use sync_protocol::mending::feed::{FeedAnswer, FeedGap, ProvenFeed};

use crate::support::*;

type Row = (i64, i64, Vec<u8>, Vec<u8>);

/// What the hub published.
struct Published {
    feed: FeedId,
    entries: Vec<(FeedTip, FeedEntry)>,
}

impl Published {
    fn of(blocks: &[FeedBlock]) -> Self {
        let feed = blocks[0].feed;
        let mut running = feed.start();
        let mut entries: Vec<(FeedTip, FeedEntry)> = Vec::new();
        for entry in blocks.iter().flat_map(|block| &block.entries) {
            let n = entries.len() as u64 + 1;
            running = entry.running(&running, n);
            entries.push((FeedTip { n, running }, entry.clone()));
        }
        Self { feed, entries }
    }

    /// So many of the last entries of a gap, as an honest hub gives them.
    fn answer(&self, gap: &FeedGap, count: u64) -> ProvenFeed {
        let (first, last) = (gap.span.last - count + 1, gap.span.last);
        let before = match first {
            1 => self.feed.start(),
            first => self.entries[first as usize - 2].0.running,
        };
        let block = FeedBlock {
            feed: self.feed,
            first,
            before,
            entries: self.entries[first as usize - 1..last as usize]
                .iter()
                .map(|(_, entry)| entry.clone())
                .collect(),
        };
        let mut answer = FeedAnswer::to(*gap);
        assert!(answer.takes(&block));
        answer.add(block, 0).unwrap().expect("the whole answer")
    }
}

fn rows(branch: &Branch) -> Vec<Row> {
    let conn = rusqlite::Connection::open(branch.database()).unwrap();
    let mut statement = conn
        .prepare("select kind, n, bytes, running from feed_entry order by kind, n")
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

fn plant(branch: &Branch, damage: u64, kind: i64, n: i64) {
    let conn = rusqlite::Connection::open(branch.database()).unwrap();
    let done = match damage % 3 {
        0 => conn.execute(
            "delete from feed_entry where kind = ?1 and n = ?2",
            (kind, n),
        ),
        1 => flip(&conn, "bytes", kind, n),
        _ => flip(&conn, "running", kind, n),
    };
    assert_eq!(done.unwrap(), 1);
}

fn flip(conn: &rusqlite::Connection, column: &str, kind: i64, n: i64) -> rusqlite::Result<usize> {
    let read = format!("select {column} from feed_entry where kind = ?1 and n = ?2");
    let mut bytes: Vec<u8> = conn.query_row(&read, (kind, n), |row| row.get(0))?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    let write = format!("update feed_entry set {column} = ?3 where kind = ?1 and n = ?2");
    conn.execute(&write, (kind, n, bytes))
}

/// Asks until nothing is lost any more; gives how many entries were asked for.
fn mend(store: &Store, published: &[&Published], random: &mut SeededEntropy) -> u64 {
    let mut step = FeedStep::Begin;
    let mut asked = 0;
    while let Some(gap) = block_on(store.mend_feeds(step)).unwrap() {
        let count = gap.span.count();
        assert!(count <= WANT_TRANSACTIONS);
        let of = |known: &&&Published| known.feed == gap.feed;
        let count = 1 + random.next_u64() % count;
        asked += count;
        step = FeedStep::PutBack(published.iter().find(of).unwrap().answer(&gap, count));
    }
    asked
}

fn mended(store: &Store) -> Vec<String> {
    let found = store
        .read_blocking(|reader| incident::list(reader, None, 1_000))
        .unwrap();
    let mended = found.into_iter().filter(|one| one.kind == "mending");
    mended.map(|one| one.detail).collect()
}

fn catalogue(store: &Store, feed: FeedId, offset: u8) -> Published {
    let mut hub = HubFeed::new(feed);
    let mut blocks = Vec::new();
    for block in 0..8_u8 {
        let rows: Vec<Vec<Item>> = (0..6)
            .map(|number| {
                let number = offset + block * 6 + number;
                vec![part_item(part(number), &format!("P-{number}"), 1)]
            })
            .collect();
        blocks.push(hub.block(&rows));
    }
    for block in &blocks {
        apply(store, block.clone());
    }
    Published::of(&blocks)
}

/// Goal: whatever rows of the feeds are deleted or changed, they come back as they were, what is sound stays, nothing is
/// applied again, and the whole database agrees with its log (INV-3, INV-9, INV-15).
#[test]
fn whatever_is_lost_of_a_feed_comes_back_as_it_was() {
    let mut branch = Branch::new();
    let store = branch.open();
    let chain = catalogue(&store, FeedId::chain(), 1);
    let private = catalogue(&store, FeedId::private(BRANCH), 100);
    let both = [&chain, &private];
    let mut random = SeededEntropy::new(11);
    assert_eq!(mend(&store, &both, &mut random), 0, "all of it is there");
    drop(store);
    let sound = rows(&branch);
    assert_eq!(sound.len(), 96);
    for round in 0..10_u64 {
        let mut hurt = std::collections::BTreeSet::new();
        for _ in 0..=round {
            let (kind, n, ..) = sound[(random.next_u64() % 96) as usize];
            if hurt.insert((kind, n)) {
                plant(&branch, random.next_u64(), kind, n);
            }
        }
        assert!(!verify(branch.path()).unwrap().ok, "round {round}");
        let store = branch.open();
        let before = mended(&store).len();
        let asked = mend(&store, &both, &mut random);
        let most = 2 * hurt.len() as u64;
        assert!(
            (hurt.len() as u64..=most).contains(&asked),
            "round {round}: {asked} were asked for, {} lost",
            hurt.len()
        );
        assert!(mended(&store).len() > before, "it is noted");
        drop(store);
        assert_eq!(rows(&branch), sound, "round {round}");
        let report = verify(branch.path()).unwrap();
        assert!(report.ok, "round {round}: {report:#?}");
    }
}

/// Goal: what the hub does not have either is noted and asked for no more in this round; the other feeds are mended all the
/// same.
#[test]
fn what_does_not_come_back_is_noted_and_stops_nothing() {
    let mut branch = Branch::new();
    let store = branch.open();
    let chain = catalogue(&store, FeedId::chain(), 1);
    let private = catalogue(&store, FeedId::private(BRANCH), 100);
    drop(store);
    plant(&branch, 0, 1, 7);
    plant(&branch, 1, 2, 9);
    let store = branch.open();
    let gap = block_on(store.mend_feeds(FeedStep::Begin))
        .unwrap()
        .unwrap();
    assert_eq!(gap.feed, private.feed);
    assert_eq!((gap.span.first, gap.span.last), (7, 8));
    let refused = FeedStep::NotBack(gap.span, "the hub does not have them either".to_owned());
    let gap = block_on(store.mend_feeds(refused)).unwrap().unwrap();
    assert_eq!(
        (gap.feed, gap.span.first, gap.span.last),
        (chain.feed, 9, 9)
    );
    let back = FeedStep::PutBack(chain.answer(&gap, 1));
    assert_eq!(block_on(store.mend_feeds(back)).unwrap(), None);
    let noted = mended(&store);
    assert_eq!(noted.len(), 2, "{noted:?}");
    assert!(
        noted[1].contains("7 to 8 of the private feed") && noted[1].contains("did not come back"),
        "{noted:?}"
    );
    assert!(noted[0].contains("9 to 9 of the chain feed"), "{noted:?}");
}

/// Goal: a business day that ends has the feeds looked through, and so does whoever asks.
#[test]
fn a_day_that_ends_has_the_feeds_looked_through() {
    let mut branch = Branch::new();
    let store = branch.open();
    let checks = store.feed_checks();
    assert_eq!(*checks.borrow(), 1, "at the start");
    write_order(&store, "one");
    assert_eq!(*checks.borrow(), 1);
    let closed = domain::day::DayClosed {
        business_day: 20_000,
        currency: domain::money::Currency::EUR,
        feed: 0,
        documents: 0,
        documents_digest: [0; 32],
        parts: 0,
        stock_digest: [0; 32],
        balances: Vec::new(),
        numbers: Vec::new(),
        open_sessions: 0,
        open_orders: 0,
    };
    let done = block_on(store.write(move |tx| {
        tx.begin(
            sync_protocol::item::command::NIGHT,
            &edge_node::store::Actor::SYSTEM,
        )?;
        tx.fact(Item::DayClosed(closed))
    }));
    done.unwrap();
    assert_eq!(*checks.borrow(), 2);
    store.look_at_feeds();
    assert_eq!(*checks.borrow(), 3);
}
