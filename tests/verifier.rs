//! The verifier on its own: the table of credentials that every door must agree on, then the precise reasons behind
//! the coarse answers.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "clippy allows these in test functions, and their helpers are test code too"
)]

#[path = "protocol/proof.rs"]
mod proof;

use std::sync::Arc;
use std::time::Duration;

use attesto::dpop::{ProofError, ProofPolicy};
use attesto::jose::{Algorithm, ClaimError, JwkSet, JwsError, NumericDate, SelectError};
use attesto::scope::Scope;
use attesto::scope_catalog::Separator;
use attesto::verifier::{Access, Policy, Reason, Refusal, Request, Seen, Verified, verify, verify_again};
use serde_json::{Value, json};
use test_support::bearer::{REQUIRED_SCOPE, Verdict, World};

fn policy(world: &World) -> Policy {
    Policy::new(world.issuer.clone(), vec![world.audience.clone()])
        .and_then(|policy| policy.with_resource_metadata(world.resource_metadata.clone()))
        .expect("a valid policy")
}

fn ask(
    world: &World,
    policy: &Policy,
    keys: &JwkSet,
    authorization: &[&[u8]],
) -> Result<Arc<Verified>, Refusal> {
    let request = Request { authorization, method: "GET", ..Request::default() };
    let required = Scope::parse(REQUIRED_SCOPE).expect("a valid scope");
    let access = verify(&request, &required, policy, keys, NumericDate::from_secs(world.now))?;
    assert_eq!(access.proof, None);
    Ok(access.token)
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
        let request = Request { authorization: &authorization, method: "GET", ..Request::default() };
        let now = NumericDate::from_secs(world.now);
        let again = verify_again(&request, &required, &policy, &keys, now, &mut seen);
        let once = verify(&request, &required, &policy, &keys, now);
        assert_eq!(again, once, "{}", case.name);
    }
}

#[test]
fn a_remembered_token_expires_and_covers_no_more_than_its_scope() {
    let world = World::new();
    let (policy, keys) = (policy(&world), world.keys());
    let value = format!("Bearer {}", world.good_token());
    let authorization = [value.as_bytes()];
    let request = Request { authorization: &authorization, method: "GET", ..Request::default() };
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
    assert_eq!(Value::Object(verified.claims.as_map().clone()), world.claims(json!({})));
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

const ORDERS: &str = "https://api.example/orders";

/// Asks with a token bound so, presented by `scheme` with these `DPoP` headers and this certificate.
fn ask_bound(
    world: &World,
    cnf: Value,
    scheme: &str,
    proofs: &[&str],
    certificate: Option<&str>,
) -> Result<Access, Reason> {
    let value = format!("{scheme} {}", bound_token(world, cnf));
    let proofs: Vec<&[u8]> = proofs.iter().map(|proof| proof.as_bytes()).collect();
    let request = Request {
        authorization: &[value.as_bytes()],
        dpop: &proofs,
        method: "GET",
        urls: &[ORDERS],
        certificate,
    };
    let required = Scope::parse(REQUIRED_SCOPE).unwrap();
    let policy = policy(world).with_dpop(proofs_of(&[Algorithm::Es256]));
    let now = NumericDate::from_secs(world.now);
    let access = verify(&request, &required, &policy, &world.keys(), now);
    let again = verify_again(&request, &required, &policy, &world.keys(), now, &mut Seen::new(4));
    assert_eq!(access, again);
    access.map_err(|refusal| refusal.reason)
}

fn bound_token(world: &World, cnf: Value) -> String {
    world.token(&world.ec, json!({}), &world.claims(json!({ "cnf": cnf })))
}

fn proofs_of(algorithms: &[Algorithm]) -> ProofPolicy {
    ProofPolicy {
        algorithms: algorithms.to_vec(),
        max_age: Duration::from_secs(60),
        clock_skew: Duration::from_secs(10),
    }
}

/// RFC 9449 §7.1.
#[test]
fn a_token_bound_to_a_dpop_key_opens_to_its_proof_alone() {
    let world = World::new();
    let key = proof::key(1);
    let cnf = json!({ "jkt": proof::jkt(&key) });
    let token = bound_token(&world, cnf.clone());
    let prove = |key: &_, ath: Option<&str>| proof::proof(key, "GET", ORDERS, world.now, "1", Some("n"), ath);
    let good = prove(&key, Some(&token));
    let access = ask_bound(&world, cnf.clone(), "DPoP", &[&good], None).unwrap();
    let proven = access.proof.unwrap();
    assert_eq!((proven.jkt, proven.jti.as_str()), (proof::jkt(&key), "1"));
    assert_eq!((proven.nonce.as_deref(), proven.expires_at.as_secs()), (Some("n"), world.now + 71));

    let ask = |scheme, proofs: &[&str]| ask_bound(&world, cnf.clone(), scheme, proofs, None);
    assert_eq!(ask("Bearer", &[&good]), Err(Reason::SenderConstrained));
    assert_eq!(ask("DPoP", &[]), Err(Reason::ProofMissing));
    assert_eq!(ask("DPoP", &[&good, &good]), Err(ProofError::Several.into()));
    assert_eq!(ask("DPoP", &[&prove(&proof::key(2), Some(&token))]), Err(Reason::OtherKey));
    assert_eq!(ask("DPoP", &[&prove(&key, None)]), Err(ProofError::Claim(ClaimError::Missing("ath")).into()));
    assert_eq!(ask("DPoP", &[&prove(&key, Some("a.b.c"))]), Err(ProofError::OtherToken.into()));
    for cnf in [json!(null), json!({ "x5t#S256": "x" })] {
        let proof = prove(&key, Some(&bound_token(&world, cnf.clone())));
        assert_eq!(ask_bound(&world, cnf, "DPoP", &[&proof], Some("x")), Err(Reason::NotBound));
    }
}

/// RFC 8705 §3.
#[test]
fn a_token_bound_to_a_certificate_opens_to_that_certificate_alone() {
    let world = World::new();
    let thumbprint = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2";
    let ask = |certificate| ask_bound(&world, json!({ "x5t#S256": thumbprint }), "Bearer", &[], certificate);
    assert!(ask(Some(thumbprint)).is_ok());
    assert_eq!(ask(None), Err(Reason::SenderConstrained));
    assert_eq!(ask(Some("A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0")), Err(Reason::OtherKey));
    // An unbound token is a Bearer token, whatever else the request shows.
    assert!(ask_bound(&world, json!(null), "Bearer", &["nonsense"], Some(thumbprint)).is_ok());
}

/// RFC 7800 §3.1 would let it pass; then it would be anybody's.
#[test]
fn a_token_bound_in_a_way_nobody_knows_or_in_two_is_refused() {
    let world = World::new();
    for cnf in [
        json!({}),
        json!("x"),
        json!({ "kid": "x" }),
        json!({ "jkt": ["x"] }),
        json!({ "x5t#S256": "x", "jkt": "x" }),
        json!({ "x5t#S256": "x", "kid": "x" }),
    ] {
        for scheme in ["Bearer", "DPoP"] {
            let refused = ask_bound(&world, cnf.clone(), scheme, &[], Some("x"));
            assert_eq!(refused, Err(Reason::SenderConstrained), "{cnf}");
        }
    }
}

/// RFC 9449 §7.1 and §7.2.
#[test]
fn dpop_challenges_name_the_algorithms() {
    let world = World::new();
    let bare = Policy::new(world.issuer.clone(), vec![world.audience.clone()]).unwrap();
    let policy = bare.with_dpop(proofs_of(&[Algorithm::Es256, Algorithm::Ps256]));
    let challenge = |values: &[&[u8]]| ask(&world, &policy, &world.keys(), values).unwrap_err().challenge;
    let none = challenge(&[]);
    assert_eq!((none.status, none.www_authenticate.as_str()), (401, r#"Bearer, DPoP algs="ES256 PS256""#));
    let invalid = challenge(&[b"Bearer INVALID_TOKEN"]).www_authenticate;
    assert!(invalid.starts_with(r#"Bearer error="invalid_token", "#), "{invalid}");
    assert!(invalid.ends_with(r#", DPoP algs="ES256 PS256""#), "{invalid}");
    let invalid = challenge(&[b"DPoP INVALID_TOKEN"]).www_authenticate;
    assert!(invalid.starts_with(r#"DPoP error="invalid_token", "#), "{invalid}");
    assert!(invalid.ends_with(r#", algs="ES256 PS256""#) && !invalid.contains("Bearer"), "{invalid}");
    let ambiguous = challenge(&[b"Bearer a", b"DPoP a"]);
    assert_eq!(ambiguous.status, 400);
    assert_eq!(ambiguous.www_authenticate.matches(r#"error="invalid_request""#).count(), 2);
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

/// The header and claims of RFC 9068 §3, signed here: the RFC shows them decoded, without a signature or its key.
#[test]
fn the_access_token_of_rfc_9068_section_3_is_verified_as_it_stands() {
    let world = World::new();
    let header = json!({ "typ": "at+JWT", "alg": "RS256", "kid": "RjEwOwOA" });
    let claims = json!({
        "iss": "https://authorization-server.example.com/",
        "sub": "5ba552d67",
        "aud": "https://rs.example.com/",
        "exp": 1_639_528_912,
        "iat": 1_618_354_090,
        "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
        "client_id": "s6BhdRkqt3",
        "scope": "openid profile reademail",
    });
    let value = format!("Bearer {}", world.token(&world.rsa, header, &claims));
    let keys = JwkSet::new([world.rsa.public_jwk(Some("RjEwOwOA"))]);
    let issuer = "https://authorization-server.example.com/".to_owned();
    let policy = Policy::new(issuer, vec!["https://rs.example.com/".to_owned()]).unwrap();
    let required = Scope::parse("reademail").unwrap();
    let at = |now: u64| {
        let authorization = [value.as_bytes()];
        let request = Request { authorization: &authorization, method: "GET", ..Request::default() };
        verify(&request, &required, &policy, &keys, NumericDate::from_secs(now))
    };
    let verified = at(1_618_354_091).unwrap().token;
    assert_eq!((verified.subject.as_str(), verified.client_id.as_str()), ("5ba552d67", "s6BhdRkqt3"));
    assert_eq!(verified.scope.to_string(), "openid profile reademail");
    assert_eq!(at(1_639_528_912).unwrap_err().reason, ClaimError::Expired.into());
}
