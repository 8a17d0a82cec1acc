//! Pushed authorization requests (RFC 9126).

use serde_json::{Value, json};

use crate::{NOW, Store, digest, stores};

impl Store {
    /// Keeps a pushed request and returns the name it is found by.
    pub(crate) fn pushed_request(&self) -> String {
        let digest = digest();
        let request = json!({ "digest": digest, "client_id": "c", "expires_at": NOW + 60, "request": "AP8" });
        assert_eq!(self.call("/par-store/put", &request), "ok");
        digest
    }

    fn fetch(&self, digest: &str, now: u64) -> Value {
        self.call("/par-store/fetch", &json!({ "digest": digest, "now": now }))
    }

    fn take(&self, digest: &str, now: u64) -> Value {
        self.call("/par-store/take", &json!({ "digest": digest, "now": now }))
    }
}

#[test]
fn a_pushed_request_is_fetched_until_it_expires_and_given_back_octet_for_octet() {
    for store in stores() {
        let request = store.pushed_request();
        let seen = json!({ "client_id": "c", "expires_at": NOW + 60, "request": "AP8" });
        assert_eq!(store.fetch(&request, NOW), seen);
        assert_eq!(store.fetch(&request, NOW + 59), seen, "looking does not consume");
        assert_eq!(store.fetch(&request, NOW + 60), Value::Null);
        assert_eq!(store.fetch(&digest(), NOW), Value::Null);
    }
}

/// RFC 9126 §4, §7.3: a `request_uri` is for one use.
#[test]
fn a_pushed_request_is_taken_once_and_not_at_its_expiry() {
    for store in stores() {
        let request = store.pushed_request();
        assert_eq!(store.take(&request, NOW + 60), false);
        assert_eq!(store.take(&request, NOW + 59), true, "the refusal has taken nothing");
        assert_eq!(store.take(&request, NOW + 59), false);
        assert_eq!(store.take(&digest(), NOW), false);
    }
}

#[test]
fn a_pushed_request_that_was_taken_is_not_fetched() {
    for store in stores() {
        let (request, other) = (store.pushed_request(), store.pushed_request());
        assert_eq!(store.take(&request, NOW), true);
        assert_eq!(store.fetch(&request, NOW), Value::Null);
        assert_ne!(store.fetch(&other, NOW), Value::Null);
    }
}

#[test]
fn of_100_parallel_takings_of_a_pushed_request_one_is_true() {
    for store in stores() {
        let request = json!({ "digest": store.pushed_request(), "now": NOW });
        let (answers, instances) = store.call_in_parallel("/par-store/take", &request);
        assert!(instances >= 4, "only {instances} instances took part");
        assert_eq!(answers.iter().filter(|answer| **answer == true).count(), 1);
    }
}

#[test]
fn a_sweep_makes_no_taken_request_good_again() {
    for store in stores() {
        let (taken, live) = (store.pushed_request(), store.pushed_request());
        assert_eq!(store.take(&taken, NOW), true);
        let sweep = |now| store.call("/maintenance/sweep", &json!({ "now": now, "limit": 1000 }));
        assert_eq!(sweep(NOW + 59), json!([]));
        assert_eq!(store.take(&taken, NOW + 59), false);
        assert_eq!(store.fetch(&taken, NOW + 59), Value::Null);
        assert_ne!(store.fetch(&live, NOW + 59), Value::Null);
        assert_eq!(sweep(NOW + 60), json!([["par", 2]]));
        assert_eq!(sweep(NOW + 60), json!([]));
    }
}
