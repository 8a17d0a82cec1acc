//! What is good once: identifiers and nonces.

use serde_json::{Value, json};

use crate::{NOW, Store, digest, stores};

impl Store {
    fn claim(&self, digest: &str, expires_at: u64, now: u64) -> Value {
        self.call("/replay-store/claim", &json!({ "digest": digest, "expires_at": expires_at, "now": now }))
    }

    /// Issues a nonce and returns the name it is found by.
    pub(crate) fn nonce(&self) -> String {
        let digest = digest();
        let nonce = json!({ "digest": digest, "expires_at": NOW + 60 });
        assert_eq!(self.call("/nonce-store/issue", &nonce), "ok");
        digest
    }

    fn check(&self, digest: &str, now: u64) -> Value {
        self.call("/nonce-store/check", &json!({ "digest": digest, "now": now }))
    }

    fn accept(&self, digest: &str, now: u64) -> Value {
        self.call("/nonce-store/accept", &json!({ "digest": digest, "now": now }))
    }
}

/// RFC 9449 §11.1, RFC 7523 §3: an identifier is accepted once while what carries it could be.
#[test]
fn an_identifier_is_claimed_once_until_it_expires() {
    for store in stores() {
        let (one, other) = (digest(), digest());
        assert_eq!(store.claim(&one, NOW + 3_600, NOW - 1), "fresh");
        for now in [NOW - 1, NOW, NOW + 60, NOW + 3_599] {
            assert_eq!(store.claim(&one, NOW + 3_600, now), "replayed");
        }
        assert_eq!(store.claim(&other, NOW + 3_600, NOW), "fresh");
    }
}

#[test]
fn an_identifier_is_replayed_under_any_other_expiry() {
    for store in stores() {
        let identifier = digest();
        assert_eq!(store.claim(&identifier, NOW + 300, NOW), "fresh");
        assert_eq!(store.claim(&identifier, NOW + 60, NOW), "replayed");
        assert_eq!(store.claim(&identifier, NOW + 3_600, NOW + 299), "replayed");
    }
}

#[test]
fn a_sweep_forgets_no_claim_before_it_expires() {
    for store in stores() {
        let identifier = digest();
        assert_eq!(store.claim(&identifier, NOW + 60, NOW - 60), "fresh");
        for now in [NOW - 1, NOW, NOW + 59] {
            store.call("/maintenance/sweep", &json!({ "now": now, "limit": 1000 }));
            assert_eq!(store.claim(&identifier, NOW + 60, now), "replayed");
        }
        let swept = store.call("/maintenance/sweep", &json!({ "now": NOW + 86_400, "limit": 1000 }));
        assert_eq!(swept[0][0], "replay", "nor is it kept for ever");
    }
}

/// At the turn of an hour, where a store that cuts time into spans has more than one gate.
#[test]
fn of_100_parallel_claims_one_is_fresh() {
    for store in stores() {
        for now in [NOW, NOW - 1] {
            let claim = json!({ "digest": digest(), "expires_at": NOW + 60, "now": now });
            let (answers, instances) = store.call_in_parallel("/replay-store/claim", &claim);
            assert!(instances >= 4, "only {instances} instances took part");
            assert_eq!(answers.iter().filter(|answer| **answer == "fresh").count(), 1);
            assert!(answers.iter().all(|answer| *answer == "fresh" || *answer == "replayed"));
        }
    }
}

#[test]
fn of_100_parallel_claims_with_as_many_expiries_one_is_fresh() {
    for store in stores() {
        let identifier = digest();
        let claims: Vec<_> = (1..=100)
            .map(|n| json!({ "digest": identifier, "expires_at": NOW + n * 100, "now": NOW }))
            .collect();
        let (answers, _) = store.calls_in_parallel("/replay-store/claim", &claims);
        assert_eq!(answers.iter().filter(|answer| **answer == "fresh").count(), 1);
        assert_eq!(
            store.claim(&identifier, NOW + 10_000, NOW + 9_999),
            "replayed",
            "the latest expiry counts"
        );
    }
}

/// RFC 9449 §8.
#[test]
fn a_nonce_is_accepted_once_and_not_at_its_expiry() {
    for store in stores() {
        let nonce = store.nonce();
        assert_eq!(store.check(&nonce, NOW + 59), true);
        assert_eq!(store.check(&nonce, NOW + 60), false);
        assert_eq!(store.accept(&nonce, NOW + 60), false);
        assert_eq!(store.accept(&nonce, NOW + 59), true, "neither looking nor a refusal consumes");
        assert_eq!(store.accept(&nonce, NOW + 59), false);
        assert_eq!(store.check(&nonce, NOW + 59), false);
    }
}

#[test]
fn a_nonce_nobody_issued_is_not_accepted() {
    for store in stores() {
        let nonce = digest();
        assert_eq!(store.check(&nonce, NOW), false);
        assert_eq!(store.accept(&nonce, NOW), false);
    }
}

#[test]
fn of_100_parallel_acceptances_of_a_nonce_one_is_true() {
    for store in stores() {
        let nonce = json!({ "digest": store.nonce(), "now": NOW });
        let (answers, instances) = store.call_in_parallel("/nonce-store/accept", &nonce);
        assert!(instances >= 4, "only {instances} instances took part");
        assert_eq!(answers.iter().filter(|answer| **answer == true).count(), 1);
    }
}

#[test]
fn a_sweep_makes_no_accepted_nonce_good_again() {
    for store in stores() {
        let (accepted, fresh) = (store.nonce(), store.nonce());
        assert_eq!(store.accept(&accepted, NOW), true);
        let sweep = |now| store.call("/maintenance/sweep", &json!({ "now": now, "limit": 1000 }));
        assert_eq!(sweep(NOW + 59), json!([]));
        assert_eq!(store.accept(&accepted, NOW + 59), false);
        assert_eq!(store.check(&fresh, NOW + 59), true);
        assert_eq!(sweep(NOW + 60), json!([["nonce", 2]]));
        assert_eq!(sweep(NOW + 60), json!([]));
    }
}
