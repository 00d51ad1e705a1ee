//! Signing in: only with the right password, only people of this branch, only for a while.

use domain::env::{Clock, SeededEntropy};
use domain::id::StaffId;
use domain::staff::Role;
use edge_node::app::staff::{IDLE_MS, PAGE_MS, SessionKind, TOKEN_MS, session, sign_in, sign_out};
use edge_node::env::Env;
use edge_node::error::AppError;
use edge_node::store::{Faults, Store, StoreConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use sync_protocol::feed::FeedId;
use sync_protocol::item::Item;

use crate::app_support::*;
use crate::support::*;

/// A clock that stands until it is moved.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Clock for Hand {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Hand {
    fn pass(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

fn open(branch: &Branch) -> (Store, Hand, HubFeed) {
    let hand = Hand(Arc::new(AtomicI64::new(NOW_MS)));
    let store = Store::open(StoreConfig {
        dir: branch.path().to_owned(),
        identity: identity(),
        env: Env::new(hand.clone(), SeededEntropy::new(5)),
        faults: Faults::default(),
    })
    .unwrap();
    let mut chain = HubFeed::new(FeedId::chain());
    let people = vec![
        person(1, "ada", Role::BranchManager, vec![BRANCH]),
        person(2, "mia", Role::Clerk, vec![MUNICH]),
        person(3, "gus", Role::Auditor, vec![]),
    ];
    apply(&store, chain.block(&[people]));
    let mut private = HubFeed::new(FeedId::private(BRANCH));
    let credentials = vec![
        credential(1, "correct horse"),
        credential(2, "tea"),
        credential(3, "coffee"),
    ];
    apply(&store, private.block(&[credentials]));
    (store, hand, chain)
}

#[test]
fn name_and_password_must_belong_together_here() {
    let branch = Branch::new();
    let (store, ..) = open(&branch);
    block_on(async {
        let grant = sign_in(&store, " Ada ", "correct horse", SessionKind::Api)
            .await
            .unwrap();
        assert_eq!(grant.person.actor.staff, staff_id(1));
        assert_eq!(
            (grant.person.actor.role, grant.expires_at.0),
            (Role::BranchManager, NOW_MS + TOKEN_MS)
        );
        let found = session(&store, &grant.token).await.unwrap().unwrap();
        assert_eq!(found, grant.person);
        for (username, password) in [
            ("ada", "correct horsf"),
            ("ada", ""),
            ("nobody", "correct horse"),
            ("mia", "tea"),
            ("", ""),
        ] {
            let refused = sign_in(&store, username, password, SessionKind::Page).await;
            assert!(
                matches!(refused, Err(AppError::WrongCredentials)),
                "{username}"
            );
        }
        sign_in(&store, "gus", "coffee", SessionKind::Page)
            .await
            .expect("works at every branch");
        assert!(sign_out(&store, &grant.token).await.unwrap());
        assert!(session(&store, &grant.token).await.unwrap().is_none());
        assert!(!sign_out(&store, &grant.token).await.unwrap());
    });
}

#[test]
fn sessions_end_by_time_and_by_the_hub() {
    let branch = Branch::new();
    let (store, hand, mut chain) = open(&branch);
    block_on(async {
        let page = sign_in(&store, "ada", "correct horse", SessionKind::Page)
            .await
            .unwrap()
            .token;
        let token = sign_in(&store, "ada", "correct horse", SessionKind::Api)
            .await
            .unwrap()
            .token;
        let is_open = async |token| session(&store, token).await.unwrap().is_some();
        for _ in 0..5 {
            hand.pass(IDLE_MS - 1);
            assert!(is_open(&page).await, "use keeps it alive");
        }
        assert!(
            !is_open(&token).await,
            "an API token lives an hour, used or not"
        );
        hand.pass(IDLE_MS);
        assert!(!is_open(&page).await);

        let page = sign_in(&store, "ada", "correct horse", SessionKind::Page)
            .await
            .unwrap()
            .token;
        for _ in 0..(PAGE_MS / (IDLE_MS - 1)) {
            hand.pass(IDLE_MS - 1);
            assert!(is_open(&page).await);
        }
        hand.pass(IDLE_MS - 1);
        assert!(!is_open(&page).await, "twelve hours at most");

        let page = sign_in(&store, "ada", "correct horse", SessionKind::Page)
            .await
            .unwrap()
            .token;
        let Item::Staff(mut row) = person(1, "ada", Role::Clerk, vec![BRANCH]) else {
            unreachable!()
        };
        row.version = 2;
        store
            .apply_feed_block(chain.block(&[vec![Item::Staff(row.clone())]]), None)
            .await
            .unwrap();
        assert_eq!(
            session(&store, &page).await.unwrap().unwrap().actor.role,
            Role::Clerk
        );
        row.version = 3;
        row.fields.active = false;
        store
            .apply_feed_block(chain.block(&[vec![Item::Staff(row)]]), None)
            .await
            .unwrap();
        assert!(
            !is_open(&page).await,
            "who no longer works here is out at once"
        );
    });
    assert_ne!(staff_id(1), StaffId::NIL);
}
