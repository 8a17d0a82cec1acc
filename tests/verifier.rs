//! The verifier on its own: the table of credentials that every door must agree on, then the precise reasons behind
//! the coarse answers.

#![expect(
    clippy::expect_used,
    reason = "clippy allows it in test functions, and their helpers are test code too"
)]

use std::time::Duration;

use attesto::jose::{Algorithm, ClaimError, JwkSet, JwsError, NumericDate, SelectError};
use attesto::scope::Scope;
use attesto::scope_catalog::Separator;
use attesto::verifier::{Policy, Reason, Refusal, Request, Seen, Verified, verify, verify_again};
use serde_json::{Value, json};
use test_support::bearer::{REQUIRED_SCOPE, Verdict, World};

fn policy(world: &World) -> Policy {
    Policy::new(world.issuer.clone(), vec![world.audience.clone()])
        .and_then(|policy| policy.with_resource_metadata(world.resource_metadata.clone()))
        .expect("a valid policy")
}

fn ask(world: &World, policy: &Policy, keys: &JwkSet, authorization: &[&[u8]]) -> Result<Verified, Refusal> {
    let request = Request { authorization, method: "GET", url: "https://api.example/orders" };
    let required = Scope::parse(REQUIRED_SCOPE).expect("a valid scope");
    verify(&request, &required, policy, keys, NumericDate::from_secs(world.now))
}

fn reason(world: &World, header: Value, claims: Value) -> Reason {
    let value = format!("Bearer {}", world.token(&world.ec, header, &world.claims(claims)));
    ask(world, &policy(world), &world.keys(), &[value.as_bytes()]).expect_err("a refusal").reason
}

#[test]
fn every_case_of_the_table_has_its_verdict() {
    let world = World::new();
    let (policy, keys) = (policy(&world), world.keys());
    for case in world.cases() {
        let authorization: Vec<&[u8]> = case.authorization.iter().map(Vec::as_slice).collect();
        let verdict = match ask(&world, &policy, &keys, &authorization) {
            Ok(_) => Verdict::Pass,
            Err(Refusal { challenge, .. }) => {
                Verdict::Refuse { status: challenge.status, www_authenticate: challenge.www_authenticate }
            }
        };
        assert_eq!(verdict, case.verdict, "{}", case.name);
    }
}

/// Three times each, so that good tokens come from memory, and among others, so that none is taken for another.
#[test]
fn a_door_that_remembers_tokens_gives_the_same_verdicts() {
    let world = World::new();
    let (policy, keys) = (policy(&world), world.keys());
    let required = Scope::parse(REQUIRED_SCOPE).unwrap();
    let mut seen = Seen::new(16);
    for case in [world.cases(), world.cases(), world.cases()].into_iter().flatten() {
        let authorization: Vec<&[u8]> = case.authorization.iter().map(Vec::as_slice).collect();
        let request =
            Request { authorization: &authorization, method: "GET", url: "https://api.example/orders" };
        let now = NumericDate::from_secs(world.now);
        let again = verify_again(&request, &required, &policy, &keys, now, &mut seen);
        let once = verify(&request, &required, &policy, &keys, now);
        assert_eq!(again.map(|verified| (*verified).clone()), once, "{}", case.name);
    }
}

#[test]
fn a_remembered_token_expires_and_covers_no_more_than_its_scope() {
    let world = World::new();
    let (policy, keys) = (policy(&world), world.keys());
    let value = format!("Bearer {}", world.good_token());
    let authorization = [value.as_bytes()];
    let request = Request { authorization: &authorization, method: "GET", url: "https://api.example/orders" };
    let mut seen = Seen::new(16);
    let mut ask = |scope: &str, now| {
        let required = Scope::parse(scope).unwrap();
        let verdict =
            verify_again(&request, &required, &policy, &keys, NumericDate::from_secs(now), &mut seen);
        verdict.map(|_| ()).map_err(|refusal| refusal.reason)
    };
    assert_eq!(ask("orders:read", world.now), Ok(()));
    assert_eq!(ask("orders:read", world.now + 299), Ok(()));
    assert_eq!(ask("admin", world.now), Err(Reason::InsufficientScope));
    assert_eq!(ask("orders:read", world.now + 300), Err(ClaimError::Expired.into()));
}

#[test]
fn a_verified_token_says_whom_it_speaks_for_and_what_it_opens() {
    let world = World::new();
    let value = format!("Bearer {}", world.good_token());
    let verified = ask(&world, &policy(&world), &world.keys(), &[value.as_bytes()]).unwrap();
    assert_eq!(verified.subject, "248289761001");
    assert_eq!(verified.client_id, "s6BhdRkqt3");
    assert_eq!(verified.scope.to_string(), "profile orders:read");
    assert_eq!(verified.audience, [world.audience.as_str()]);
    assert_eq!(verified.issued_at.as_secs(), world.now - 10);
    assert_eq!(verified.expires_at.as_secs(), world.now + 300);
    assert_eq!(verified.token_id, "dbe39bf3a3ba4238a513f51d6e1691c4");
    assert_eq!(Value::Object(verified.claims.into_map()), world.claims(json!({})));
}

#[test]
fn the_reason_for_the_log_is_precise() {
    let world = World::new();
    let reason = |header, claims| reason(&world, header, claims);
    assert_eq!(reason(json!({ "typ": "JWT" }), json!({})), JwsError::WrongType.into());
    assert_eq!(reason(json!({}), json!({ "exp": world.now })), ClaimError::Expired.into());
    assert_eq!(reason(json!({}), json!({ "nbf": world.now + 1 })), ClaimError::NotYetValid.into());
    assert_eq!(reason(json!({}), json!({ "iss": "x" })), ClaimError::WrongIssuer.into());
    assert_eq!(reason(json!({}), json!({ "aud": "x" })), ClaimError::WrongAudience.into());
    assert_eq!(reason(json!({}), json!({ "sub": null })), ClaimError::Missing("sub").into());
    assert_eq!(reason(json!({}), json!({ "scope": " " })), ClaimError::Malformed("scope").into());
    assert_eq!(reason(json!({}), json!({ "cnf": {} })), Reason::SenderConstrained);
    assert_eq!(reason(json!({}), json!({ "scope": "profile" })), Reason::InsufficientScope);
}

#[test]
fn only_an_unknown_key_asks_for_fresher_keys() {
    let world = World::new();
    let policy = policy(&world);
    let needs_key = |keys: &JwkSet, header| {
        let value = format!("Bearer {}", world.token(&world.ec, header, &world.claims(json!({}))));
        ask(&world, &policy, keys, &[value.as_bytes()]).is_err_and(|refusal| refusal.needs_key())
    };
    assert!(needs_key(&world.keys(), json!({ "kid": "ec-2" })));
    assert!(needs_key(&JwkSet::default(), json!({})));
    assert!(needs_key(&JwkSet::default(), json!({ "kid": null })));
    // What no key could make good is refused before keys are looked for.
    assert!(!needs_key(&world.keys(), json!({ "kid": "ec-2", "typ": "JWT" })));
    assert!(!needs_key(&world.keys(), json!({ "kid": "ec-2", "alg": "none" })));
    // Two keys that fit stay two after a refresh.
    let twins = JwkSet::new([world.ec.public_jwk(Some("ec-1")), world.stranger.public_jwk(Some("ec-1"))]);
    assert!(!needs_key(&twins, json!({})));
    let ambiguous = ask(&world, &policy, &twins, &[format!("Bearer {}", world.good_token()).as_bytes()]);
    assert_eq!(ambiguous.unwrap_err().reason, Reason::Token(SelectError::Ambiguous.into()));
}

#[test]
fn the_clock_skew_is_allowed_in_both_directions_and_no_further() {
    let world = World::new();
    let policy = policy(&world).with_clock_skew(Duration::from_secs(30)).unwrap();
    let passes = |claims| {
        let value = format!("Bearer {}", world.token(&world.ec, json!({}), &world.claims(claims)));
        ask(&world, &policy, &world.keys(), &[value.as_bytes()]).is_ok()
    };
    assert!(passes(json!({ "exp": world.now - 29 })));
    assert!(!passes(json!({ "exp": world.now - 30 })));
    assert!(passes(json!({ "nbf": world.now + 30 })));
    assert!(!passes(json!({ "nbf": world.now + 31 })));
}

#[test]
fn an_algorithm_outside_the_allow_list_is_refused() {
    let world = World::new();
    let policy = policy(&world).with_algorithms(vec![Algorithm::Rs256]).unwrap();
    let value = format!("Bearer {}", world.good_token());
    let refusal = ask(&world, &policy, &world.keys(), &[value.as_bytes()]).unwrap_err();
    assert_eq!(refusal.reason, JwsError::AlgorithmNotAllowed.into());
}

#[test]
fn a_challenge_without_parameters_is_the_scheme_alone() {
    let world = World::new();
    let bare = Policy::new("https://as.example", vec!["a".into()]).unwrap();
    let challenge = |policy: &Policy| ask(&world, policy, &world.keys(), &[]).unwrap_err().challenge;
    assert_eq!(challenge(&bare).www_authenticate, "Bearer");
    assert_eq!(challenge(&bare).error, None);
    let named = bare.with_realm("orders").unwrap();
    assert_eq!(challenge(&named).www_authenticate, r#"Bearer realm="orders""#);
}

#[test]
fn a_resources_wildcard_is_honoured_only_where_the_separator_is_known() {
    let world = World::new();
    let with = |policy: Policy, scope: &str| {
        let claims = world.claims(json!({ "scope": scope }));
        let value = format!("Bearer {}", world.token(&world.ec, json!({}), &claims));
        ask(&world, &policy, &world.keys(), &[value.as_bytes()]).map(drop).map_err(|refusal| refusal.reason)
    };
    let knowing = || policy(&world).with_scope_separator(Separator::Colon);
    assert_eq!(with(knowing(), "orders:*"), Ok(()));
    assert_eq!(with(policy(&world), "orders:*"), Err(Reason::InsufficientScope));
    for scope in ["*", "other:*", "orders.*", "*:read"] {
        assert_eq!(with(knowing(), scope), Err(Reason::InsufficientScope), "{scope}");
    }
}
