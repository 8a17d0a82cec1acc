//! Access tokens refused before they expire, and the list of them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::{NOW, PARALLEL, Store, digest, stores};

impl Store {
    pub(crate) fn revoke(&self, jti: &str, expires_at: u64, now: u64) {
        assert_eq!(self.call("/revoked-token-store/revoke", &revocation(jti, expires_at, now)), "ok");
    }

    fn is_revoked(&self, jti: &str, now: u64) -> Value {
        self.call("/revoked-token-store/is-revoked", &json!({ "jti": jti, "now": now }))
    }

    /// Follows the list from `since` to its end: what it tells, and where to go on.
    pub(crate) fn revoked_since(&self, mut since: u64, now: u64) -> (BTreeSet<String>, u64) {
        let (mut told, mut parts) = (BTreeSet::new(), 0);
        loop {
            parts += 1;
            assert!(parts <= 100, "the list does not end");
            let arguments = json!({ "since": since, "now": now });
            let answer = self.call("/revoked-token-store/revoked-since", &arguments);
            for token in answer["tokens"].as_array().expect("a list") {
                assert!(token[1].as_u64() > Some(now), "{token} has expired");
                told.insert(token[0].as_str().expect("a jti").to_owned());
            }
            since = answer["next"].as_u64().expect("a time");
            assert!(since <= now, "what is denied now comes later");
            if since + 600 > now {
                return (told, since);
            }
        }
    }
}

pub(crate) fn revocation(jti: &str, expires_at: u64, now: u64) -> Value {
    json!({ "jti": jti, "expires_at": expires_at, "now": now })
}

fn set(jtis: &[&str]) -> BTreeSet<String> {
    jtis.iter().map(|&jti| jti.to_owned()).collect()
}

#[test]
fn a_revoked_token_is_denied_until_it_expires() {
    for store in stores() {
        assert_eq!(store.is_revoked("a", NOW), false);
        store.revoke("a", NOW + 900, NOW);
        assert_eq!(store.is_revoked("a", NOW + 899), true);
        assert_eq!(store.is_revoked("a", NOW + 900), false);
        assert_eq!(store.is_revoked("b", NOW), false);
    }
}

#[test]
fn a_revoked_token_is_listed_until_it_expires() {
    for store in stores() {
        store.revoke("a", NOW + 900, NOW);
        store.revoke("b", NOW + 86_400, NOW);
        store.revoke("b", NOW + 86_400, NOW + 1);
        assert_eq!(store.revoked_since(NOW, NOW + 1).0, set(&["a", "b"]));
        assert_eq!(store.revoked_since(0, NOW + 899).0, set(&["a", "b"]));
        assert_eq!(store.revoked_since(NOW, NOW + 900).0, set(&["b"]));
        assert_eq!(store.revoked_since(0, NOW + 86_399).0, set(&["b"]));
        assert_eq!(store.revoked_since(NOW + 600, NOW + 900).0, set(&[]), "denied long before");
    }
}

#[test]
fn whoever_follows_the_list_misses_nothing() {
    for store in stores() {
        let (mut told, mut next) = store.revoked_since(NOW, NOW);
        let mut revoked = BTreeSet::new();
        for time in (NOW..NOW + 3_600).step_by(45) {
            let jti = digest();
            // What takes a while from its time to the store is told of, too.
            store.revoke(&jti, NOW + 7_200, time.saturating_sub(time % 60));
            revoked.insert(jti);
            if time % 7 == 0 {
                let (more, after) = store.revoked_since(next, time);
                told.extend(more);
                assert_eq!(told, revoked);
                next = after;
            }
        }
        told.extend(store.revoked_since(next, NOW + 3_600).0);
        assert_eq!(told, revoked);
    }
}

#[test]
fn who_reads_the_list_while_100_tokens_are_revoked_misses_none() {
    for store in stores() {
        let revocations: Vec<_> = (0..PARALLEL).map(|_| revocation(&digest(), NOW + 900, NOW)).collect();
        let ended = AtomicBool::new(false);
        let (mut told, next) = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let (mut told, mut next) = (BTreeSet::new(), NOW);
                for _ in 0..1_000 {
                    if ended.load(Ordering::Relaxed) {
                        break;
                    }
                    let (more, after) = store.revoked_since(next, NOW + 59);
                    told.extend(more);
                    next = after;
                }
                (told, next)
            });
            let (_, instances) = store.calls_in_parallel("/revoked-token-store/revoke", &revocations);
            ended.store(true, Ordering::Relaxed);
            assert!(instances >= 4, "only {instances} instances took part");
            reader.join().expect("answers")
        });
        told.extend(store.revoked_since(next, NOW + 59).0);
        assert_eq!(told.len(), PARALLEL);
    }
}

#[test]
fn a_sweep_leaves_the_list_as_it_is() {
    for store in stores() {
        store.revoke("dead", NOW + 60, NOW);
        store.revoke("live", NOW + 3_600, NOW);
        store.call("/maintenance/sweep", &json!({ "now": NOW + 60, "limit": 1000 }));
        assert_eq!(store.revoked_since(NOW, NOW + 60).0, set(&["live"]));
        assert_eq!(store.is_revoked("live", NOW + 60), true);
        store.revoke("later", NOW + 3_600, NOW);
        assert_eq!(store.revoked_since(NOW, NOW + 60).0, set(&["live", "later"]));
    }
}
