//! The suite tells a store that reads and then writes from one whose gate is atomic. A race is not lost at every attempt,
//! so there are several.

use serde_json::{Value, json};

use crate::revoked_tokens::revocation;
use crate::{NOW, PARALLEL, Store, digest};

const ATTEMPTS: usize = 20;

/// Whether the planted store breaks its promise in one of some attempts.
fn assert_found(is_broken: impl Fn(&Store) -> bool) {
    let store = Store::start("planted_store");
    assert!((0..ATTEMPTS).any(|_| is_broken(&store)), "the planted store passed");
}

/// How often 100 parallel calls were answered so.
fn winners(store: &Store, function: &str, arguments: &Value, answer: &Value) -> usize {
    let (answers, instances) = store.call_in_parallel(function, arguments);
    assert!(instances >= 4, "only {instances} instances took part");
    answers.iter().filter(|given| *given == answer).count()
}

#[test]
fn a_planted_get_then_set_store_redeems_a_code_twice() {
    assert_found(|store| {
        let code = json!({ "digest": store.code(), "now": NOW });
        winners(store, "/code-store/redeem", &code, &json!("redeemed")) > 1
    });
}

#[test]
fn a_planted_get_then_set_store_claims_an_identifier_twice() {
    assert_found(|store| {
        let claim = json!({ "digest": digest(), "expires_at": NOW + 60, "now": NOW });
        winners(store, "/replay-store/claim", &claim, &json!("fresh")) > 1
    });
}

#[test]
fn a_planted_get_then_set_store_accepts_a_nonce_twice() {
    assert_found(|store| {
        let nonce = json!({ "digest": store.nonce(), "now": NOW });
        winners(store, "/nonce-store/accept", &nonce, &json!(true)) > 1
    });
}

#[test]
fn a_planted_get_then_set_store_takes_a_pushed_request_twice() {
    assert_found(|store| {
        let request = json!({ "digest": store.pushed_request(), "now": NOW });
        winners(store, "/par-store/take", &request, &json!(true)) > 1
    });
}

#[test]
fn a_planted_get_then_set_store_loses_a_revocation() {
    assert_found(|store| {
        let jtis: Vec<_> = (0..PARALLEL).map(|_| digest()).collect();
        let revocations: Vec<_> = jtis.iter().map(|jti| revocation(jti, NOW + 900, NOW)).collect();
        store.calls_in_parallel("/revoked-token-store/revoke", &revocations);
        let (told, _) = store.revoked_since(NOW, NOW);
        jtis.iter().any(|jti| !told.contains(jti))
    });
}
