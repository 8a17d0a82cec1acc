//! RFC 9449, at UserInfo and as the endpoints of clients ask for it.

use std::sync::OnceLock;

use attesto::dpop::{self, DpopError, Proof, ProofError};
use attesto::event::EventName;
use attesto::http::{Request, Response};
use attesto::jose::{ClaimError, JwsError, SigningInput, SigningKey, base64url};
use attesto::request_facts::RequestFacts;
use attesto::server::{Context, Server};
use http::{HeaderName, Method, StatusCode, header};
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::{Value, json};

use crate::host::*;
use crate::proof::{jkt, key, proof, signed};

const DPOP: HeaderName = HeaderName::from_static("dpop");
const URL: &str = "https://auth.example/oauth/userinfo";
const METADATA: &str = "resource_metadata=\"https://api.example/.well-known/oauth-protected-resource\"";
const ALGS: &str = "algs=\"ES256 Ed25519 EdDSA PS256 RS256\"";

/// An access token of the server's, bound so.
fn bound(cnf: Value) -> String {
    let claims = json!({
        "iss": "https://auth.example", "aud": "https://api.example", "sub": ALICE, "client_id": "public",
        "scope": "openid", "iat": NOW, "exp": NOW + 900, "jti": "at-1", "cnf": cnf,
    });
    let input = SigningInput::new(
        KEYS[0].algorithm(),
        KEYS[0].public_jwk(None).kid(),
        Some("at+jwt"),
        claims.to_string().as_bytes(),
    );
    let signature = KEYS[0].sign(&mut ChaCha20Rng::seed_from_u64(0), input.as_bytes()).unwrap();
    input.join(&signature).unwrap()
}

fn bound_to(key: &SigningKey) -> String {
    bound(json!({ "jkt": jkt(key) }))
}

fn presenting(scheme: &str, token: &str, proofs: &[&str]) -> Request {
    let request =
        with_header(get("/oauth/userinfo", None), header::AUTHORIZATION, &format!("{scheme} {token}"));
    proofs.iter().fold(request, |request, proof| with_header(request, DPOP, proof))
}

/// The good request, its proof named `jti`.
fn good(jti: &str, nonce: Option<&str>, now: u64) -> Request {
    let token = bound_to(&key(1));
    let proof = proof(&key(1), "GET", URL, now, jti, nonce, Some(&token));
    presenting("DPoP", &token, &[&proof])
}

/// Refused with this error, which the DPoP challenge alone tells.
fn assert_refused(response: &Response, error: &str) {
    assert_eq!(response.status, StatusCode::UNAUTHORIZED);
    let challenge = response.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("DPoP ") && challenge.ends_with(ALGS), "{challenge}");
    assert!(
        challenge.contains(&format!("error=\"{error}\"")) && !challenge.contains("Bearer"),
        "{challenge}"
    );
    assert_eq!(json(response)["error"], error);
}

fn nonce_of(response: &Response) -> Option<String> {
    let mut values = response.headers.get_all("dpop-nonce").iter();
    let nonce = values.next().map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(values.next(), None, "\"there MUST NOT be more than one DPoP-Nonce header\" (§8)");
    nonce
}

#[test]
fn a_bound_token_opens_userinfo_to_whoever_proves_to_hold_its_key() {
    let host = TestHost::new();
    let response = host.send(good("1", None, NOW));
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(json(&response), json!({ "sub": ALICE }));
    assert_eq!(host.event_names(), [EventName::AuthSucceeded]);
    assert_eq!(nonce_of(&response), None);
    // The claim outlives the proof: its age, the skew, and the second in which both end (§11.1).
    assert_eq!(host.claimed.borrow().values().copied().collect::<Vec<_>>(), [NOW + 60 + 30 + 1]);
    // A proof from a clock ahead of ours is remembered until its own end.
    let ahead = TestHost::new();
    assert_eq!(ahead.send(good("1", None, NOW + 8)).status, StatusCode::OK);
    assert_eq!(ahead.claimed.borrow().values().copied().collect::<Vec<_>>(), [NOW + 8 + 60 + 30 + 1]);
}

#[test]
fn post_is_proven_as_post() {
    let token = bound_to(&key(1));
    for (htm, status) in [("POST", StatusCode::OK), ("GET", StatusCode::UNAUTHORIZED)] {
        let proof = proof(&key(1), htm, URL, NOW, "1", None, Some(&token));
        let request = Request { method: Method::POST, ..presenting("dpop", &token, &[&proof]) };
        assert_eq!(TestHost::new().send(request).status, status, "{htm}");
    }
}

/// §7.2: "such a protected resource MUST reject a DPoP-bound access token received as a bearer token".
#[test]
fn a_bound_token_is_no_bearer_token_with_or_without_a_proof() {
    let host = TestHost::new();
    let token = bound_to(&key(1));
    let proof = proof(&key(1), "GET", URL, NOW, "1", None, Some(&token));
    for proofs in [&[][..], &[proof.as_str()]] {
        let response = host.send(presenting("Bearer", &token, proofs));
        assert_eq!(response.status, StatusCode::UNAUTHORIZED);
        let challenge = response.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{challenge}");
        // Figure 15: and where to go.
        assert!(challenge.ends_with(&format!(", DPoP {METADATA}, {ALGS}")), "{challenge}");
    }
    assert!(host.claimed.borrow().is_empty());
}

/// §7.1: "check that the public key of the DPoP proof matches the public key to which the access token is bound".
#[test]
fn a_token_that_is_not_bound_to_the_proofs_key_is_invalid() {
    let host = TestHost::new();
    let unbound = json(&host.redeem(&host.code("openid")))["access_token"].as_str().unwrap().to_owned();
    let certificate = bound(json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }));
    let both =
        bound(json!({ "jkt": jkt(&key(1)), "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }));
    for token in [unbound, certificate, both, bound_to(&key(2)), bound(json!({})), bound(json!({ "jkt": 1 }))]
    {
        let proof = proof(&key(1), "GET", URL, NOW, "1", None, Some(&token));
        assert_refused(&host.send(presenting("DPoP", &token, &[&proof])), "invalid_token");
    }
    assert!(host.claimed.borrow().is_empty());
}

/// §4.3 and the FAPI 2.0 Security Profile's negative tests of DPoP at the resource.
#[test]
fn a_proof_that_is_none_for_this_request_is_refused() {
    let host = TestHost::new();
    let token = bound_to(&key(1));
    let good = proof(&key(1), "GET", URL, NOW, "1", None, Some(&token));
    let with = |htm, htu, iat, ath| proof(&key(1), htm, htu, iat, "1", None, ath);
    let jwk = key(1).public_jwk(None).to_value();
    let claims = json!({ "jti": "1", "htm": "GET", "htu": URL, "iat": NOW });
    let wrong = [
        ("another method", with("POST", URL, NOW, Some(&token))),
        ("another URI", with("GET", "https://auth.example/oauth/token", NOW, Some(&token))),
        ("http for https", with("GET", "http://auth.example/oauth/userinfo", NOW, Some(&token))),
        ("too old", with("GET", URL, NOW - 91, Some(&token))),
        ("from the future", with("GET", URL, NOW + 31, Some(&token))),
        ("no token hash", with("GET", URL, NOW, None)),
        ("another token's hash", with("GET", URL, NOW, Some("another"))),
        ("no jti", proof(&key(1), "GET", URL, NOW, "", None, Some(&token))),
        ("another typ", signed(&key(1), json!({ "typ": "JWT" }), claims.clone())),
        ("a symmetric algorithm", signed(&key(1), json!({ "alg": "HS256" }), claims.clone())),
        ("no algorithm", signed(&key(1), json!({ "alg": "none" }), claims.clone())),
        ("no key", signed(&key(1), json!({ "jwk": null }), claims.clone())),
        ("a symmetric key", signed(&key(1), json!({ "jwk": { "kty": "oct", "k": "AQAB" } }), claims.clone())),
        ("signed by another key", signed(&key(2), json!({ "jwk": jwk }), claims)),
        ("two proofs in one field", format!("{good}, {good}")),
        ("an empty field", String::new()),
    ];
    for (name, proof) in &wrong {
        let response = host.send(presenting("DPoP", &token, &[proof]));
        assert_refused(&response, "invalid_dpop_proof");
        assert_eq!(nonce_of(&response), None, "{name}");
    }
    assert_refused(&host.send(presenting("DPoP", &token, &[&good, &good])), "invalid_dpop_proof");
    assert_refused(&host.send(presenting("DPoP", &token, &[])), "invalid_dpop_proof");
    assert!(host.claimed.borrow().is_empty());
    assert_eq!(host.send(presenting("DPoP", &token, &[&good])).status, StatusCode::OK);
}

/// §11.1.
#[test]
fn a_proof_is_good_once() {
    let host = TestHost::new();
    assert_eq!(host.send(good("1", None, NOW)).status, StatusCode::OK);
    assert_refused(&host.send(good("1", None, NOW)), "invalid_dpop_proof");
    assert_refused(&host.send_to(server(), good("1", None, NOW), NOW + 60), "invalid_dpop_proof");
    assert_eq!(host.send(good("2", None, NOW)).status, StatusCode::OK);
}

#[test]
fn a_request_that_is_refused_leaves_its_proof_unused() {
    let host = TestHost::new();
    type Plant = fn(&TestHost);
    let planted: [(&str, Plant); 4] = [
        ("invalid_token", |host| host.disabled.borrow_mut().extend([ALICE.to_owned()])),
        ("invalid_token", |host| host.revoked.borrow_mut().extend([("at-1".to_owned(), NOW + 900)])),
        ("server_error", |host| host.fault.set("userinfo_claims")),
        ("server_error", |host| host.fault.set("claim")),
    ];
    for (error, plant) in planted {
        plant(&host);
        assert_eq!(json(&host.send(good("1", None, NOW)))["error"], error);
        host.disabled.take();
        host.revoked.take();
        host.fault.set("");
    }
    assert_eq!(host.send(good("1", None, NOW)).status, StatusCode::OK);
}

/// §7.2, Figures 14 and 16.
#[test]
fn challenges_name_both_schemes_where_none_was_chosen() {
    let host = TestHost::new();
    let response = host.send(get("/oauth/userinfo", None));
    let expected = format!("Bearer {METADATA}, DPoP {METADATA}, {ALGS}");
    assert_eq!(response.headers["www-authenticate"].to_str().unwrap(), expected);
    let ambiguous = with_header(good("1", None, NOW), header::AUTHORIZATION, "Bearer a.b.c");
    let response = host.send(ambiguous);
    assert_eq!(response.status, StatusCode::BAD_REQUEST);
    let challenge = response.headers["www-authenticate"].to_str().unwrap();
    assert_eq!(challenge.matches("error=\"invalid_request\"").count(), 2, "{challenge}");
}

#[test]
fn where_proofs_are_not_looked_at_the_scheme_is_unknown() {
    let off = server_with(|text| format!("{text}\ndpop_enabled = false"));
    let host = TestHost::new();
    let response = host.send_to(&off, good("1", None, NOW), NOW);
    assert_eq!(response.status, StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers["www-authenticate"].to_str().unwrap(), format!("Bearer {METADATA}"));
    let (proof, _) = prove(&off, &host, with_header(token(&[]), DPOP, "nonsense"), NOW);
    assert!(proof.unwrap().is_none());
}

#[test]
fn a_proof_is_for_the_canonical_url_and_its_mutual_tls_alias() {
    let server = server_with(|text| {
        format!(
            "{text}\ncanonical_url = \"https://public.example\"\nmtls_enabled = true\ntrusted_proxies = [\"loopback\"]\nmtls_origin = \"https://mtls.example\""
        )
    });
    let access_token = bound_to(&key(1));
    for (htu, status) in [
        ("https://public.example/oauth/userinfo", StatusCode::OK),
        ("https://PUBLIC.example:443/oauth/x/../userinfo?a=b#c", StatusCode::OK),
        ("https://mtls.example/oauth/userinfo", StatusCode::OK),
        ("https://auth.example/oauth/userinfo", StatusCode::UNAUTHORIZED),
        ("https://evil.example/oauth/userinfo", StatusCode::UNAUTHORIZED),
    ] {
        let proof = proof(&key(1), "GET", htu, NOW, "1", None, Some(&access_token));
        let request = presenting("DPoP", &access_token, &[&proof]);
        let request = with_header(request, header::HOST, "evil.example");
        assert_eq!(TestHost::new().send_to(&server, request, NOW).status, status, "{htu}");
    }
}

/// §6.2: nobody asks for a proof of whoever only wants to know about a token, or end it.
#[test]
fn a_bound_token_is_introspected_and_revoked_without_a_proof() {
    let host = TestHost::new();
    let token = bound_to(&key(1));
    let basic = "Basic Y29uZmlkZW50aWFsOnMzY3JldA==";
    let request = post("/oauth/introspect", &format!("token={token}"));
    let answer = json(&host.send(with_header(request, header::AUTHORIZATION, basic)));
    assert_eq!((&answer["active"], &answer["jti"]), (&json!(true), &json!("at-1")));
    let request = post("/oauth/revoke", &format!("token={token}&client_id=public"));
    assert_eq!(host.send(request).status, StatusCode::OK);
    assert!(host.revoked.borrow().contains_key("at-1"));
}

fn stateless() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        server_with(|text| format!("{text}\ndpop_nonce_required = true\ndpop_nonce_ttl = 80"))
    })
}

fn single_use() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let lines = "dpop_nonce_required = true\ndpop_nonces = \"single_use\"\ndpop_nonce_ttl = 80";
    SERVER.get_or_init(|| server_with(|text| format!("{text}\n{lines}")))
}

/// A nonce, as the server gives one to whoever has none.
fn challenged(server: &Server, host: &TestHost, now: u64) -> String {
    let response = host.send_to(server, good("challenged", None, now), now);
    assert_refused(&response, "use_dpop_nonce");
    nonce_of(&response).expect("a nonce")
}

/// §9.
#[test]
fn a_required_nonce_is_provided_and_then_accepted() {
    for server in [stateless(), single_use()] {
        let host = TestHost::new();
        let nonce = challenged(server, &host, NOW);
        assert!(host.claimed.borrow().is_empty());
        let response = host.send_to(server, good("1", Some(&nonce), NOW), NOW);
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(
            response.headers["cache-control"], "no-store",
            "§8.2: such responses should be uncacheable"
        );
    }
}

#[test]
fn a_nonce_of_somebody_elses_making_is_refused() {
    for server in [stateless(), single_use()] {
        let host = TestHost::new();
        let nonce = challenged(server, &host, NOW);
        let mut octets = base64url::decode(&nonce).unwrap();
        octets[7] ^= 1;
        let tampered = base64url::encode(&octets);
        octets[7] ^= 1;
        *octets.last_mut().unwrap() ^= 1;
        let forged = base64url::encode(&octets);
        let truncated = base64url::encode(&octets[..24]);
        for wrong in
            ["", "x", "eyJ7S_zG.eyJH0-Z.HX4w-7v", &tampered, &forged, &truncated, &format!("{nonce}=")]
        {
            let response = host.send_to(server, good("1", Some(wrong), NOW), NOW);
            assert_refused(&response, "use_dpop_nonce");
            assert!(nonce_of(&response).is_some(), "{wrong}");
        }
        assert!(host.claimed.borrow().is_empty());
        assert_eq!(host.send_to(server, good("1", Some(&nonce), NOW), NOW).status, StatusCode::OK);
    }
}

/// §8.2.
#[test]
fn a_stateless_nonce_is_replaced_before_it_dies() {
    let (host, server) = (TestHost::new(), stateless());
    let nonce = challenged(server, &host, NOW);
    let ask = |jti, nonce: &str, now| host.send_to(server, good(jti, Some(nonce), now), now);
    for (jti, later) in [("1", 0), ("2", 0), ("3", 39)] {
        let response = ask(jti, &nonce, NOW + later);
        assert_eq!((response.status, nonce_of(&response)), (StatusCode::OK, None), "{later}");
    }
    let response = ask("4", &nonce, NOW + 40);
    assert_eq!(response.status, StatusCode::OK);
    let next = nonce_of(&response).expect("a fresh nonce on success");
    assert_ne!(next, nonce);
    assert_eq!(ask("5", &nonce, NOW + 79).status, StatusCode::OK);
    let response = ask("6", &nonce, NOW + 80);
    assert_refused(&response, "use_dpop_nonce");
    assert_ne!(nonce_of(&response).expect("a fresh nonce"), next);
    let response = ask("7", &next, NOW + 79);
    assert_eq!((response.status, nonce_of(&response)), (StatusCode::OK, None));
}

#[test]
fn a_stateless_nonce_is_good_in_every_instance_whose_clock_is_near() {
    let host = TestHost::new();
    let another = server_with(|text| format!("{text}\ndpop_nonce_required = true\ndpop_nonce_ttl = 80"));
    let nonce = challenged(stateless(), &host, NOW);
    let ask = |jti, now| host.send_to(&another, good(jti, Some(&nonce), now), now);
    assert_eq!(ask("1", NOW).status, StatusCode::OK);
    assert_eq!(ask("2", NOW - 30).status, StatusCode::OK);
    assert_refused(&ask("3", NOW - 31), "use_dpop_nonce");
    let other_secret = TestHost::new();
    other_secret.mac_secret.set("another secret");
    let response = other_secret.send_to(
        &server_with(|text| format!("{text}\ndpop_nonce_required = true")),
        good("4", Some(&nonce), NOW),
        NOW,
    );
    assert_refused(&response, "use_dpop_nonce");
}

#[test]
fn a_single_use_nonce_is_good_once_and_every_answer_brings_the_next() {
    let (host, server) = (TestHost::new(), single_use());
    let mut nonce = challenged(server, &host, NOW);
    for jti in ["1", "2", "3"] {
        let response = host.send_to(server, good(jti, Some(&nonce), NOW), NOW);
        assert_eq!(response.status, StatusCode::OK);
        let next = nonce_of(&response).expect("the next nonce");
        assert_refused(&host.send_to(server, good("again", Some(&nonce), NOW), NOW), "use_dpop_nonce");
        nonce = next;
    }
    assert_refused(&host.send_to(server, good("late", Some(&nonce), NOW + 80), NOW + 80), "use_dpop_nonce");
}

#[test]
fn a_request_that_is_refused_leaves_its_nonce_unused() {
    let (host, server) = (TestHost::new(), single_use());
    let nonce = challenged(server, &host, NOW);
    host.disabled.borrow_mut().insert(ALICE.to_owned());
    assert_refused(&host.send_to(server, good("1", Some(&nonce), NOW), NOW), "invalid_token");
    host.disabled.take();
    assert_eq!(host.send_to(server, good("1", Some(&nonce), NOW), NOW).status, StatusCode::OK);
}

/// Two requests that have both found the nonce good.
#[test]
fn whoever_loses_the_race_for_a_nonce_is_told_to_use_another() {
    let (host, server) = (TestHost::new(), single_use());
    let nonce = challenged(server, &host, NOW);
    let request = |jti| token_request(&proof(&key(1), "POST", TOKEN_URL, NOW, jti, Some(&nonce), None));
    let (winner, loser) =
        (prove(server, &host, request("1"), NOW).0, prove(server, &host, request("2"), NOW).0);
    let accept = |proof: &Proof| {
        in_context(server, &host, &token(&[]), NOW, |cx| ready(dpop::accept_nonce(cx, proof)))
    };
    assert_eq!(accept(&winner.unwrap().unwrap()), Ok(()));
    assert_eq!(accept(&loser.unwrap().unwrap()), Err(DpopError::NonceNotLive));
}

#[test]
fn a_fault_of_the_keystore_or_the_stores_is_a_server_error() {
    let stateless = || server_with(|text| format!("{text}\ndpop_nonce_required = true"));
    for (server, fault, nonce) in [
        (&stateless(), "mac", None),
        (&stateless(), "mac", Some(base64url::encode([0; 40]))),
        (single_use(), "issue_nonce", None),
        (single_use(), "is_nonce_live", Some("x".to_owned())),
    ] {
        let host = TestHost::new();
        host.fault.set(fault);
        let response = host.send_to(server, good("1", nonce.as_deref(), NOW), NOW);
        assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR, "{fault}");
        assert_eq!(json(&response)["error"], "server_error");
        assert!(host.faults.take()[0].contains("is down"), "{fault}");
    }
    let host = TestHost::new();
    let nonce = challenged(single_use(), &host, NOW);
    host.fault.set("accept_nonce");
    let response = host.send_to(single_use(), good("1", Some(&nonce), NOW), NOW);
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
}

const TOKEN_URL: &str = "https://auth.example/oauth/token";

fn token_request(proof: &str) -> Request {
    with_header(token(&[]), DPOP, proof)
}

fn in_context<T>(
    server: &Server,
    host: &TestHost,
    request: &Request,
    now: u64,
    ask: impl FnOnce(&mut Context<'_, TestHost, ChaCha20Rng>) -> T,
) -> T {
    let mut rng = ChaCha20Rng::seed_from_u64(now);
    let facts = RequestFacts::of(&request.headers, &server.config.trusted_proxies).unwrap();
    ask(&mut Context { server, host, now, rng: &mut rng, facts, events: Vec::new(), dpop_nonce: None })
}

/// What an endpoint of clients makes of the request's proof, and the nonce it offers.
fn prove(
    server: &Server,
    host: &TestHost,
    request: Request,
    now: u64,
) -> (Result<Option<Proof>, DpopError>, Option<String>) {
    in_context(server, host, &request, now, |cx| {
        let proof = ready(dpop::verify(cx, &request, None));
        (proof, cx.dpop_nonce.take())
    })
}

/// §5.
#[test]
fn a_token_request_is_proven_without_an_access_token() {
    let host = TestHost::new();
    let verified = |request| prove(server(), &host, request, NOW).0;
    assert!(verified(token(&[])).unwrap().is_none());
    let good = proof(&key(1), "POST", TOKEN_URL, NOW, "1", None, None);
    let proof_of_key = verified(token_request(&good)).unwrap().unwrap();
    assert_eq!((proof_of_key.jkt, proof_of_key.nonce), (jkt(&key(1)), None));
    let twice = with_header(token_request(&good), DPOP, &good);
    assert_eq!(verified(twice).unwrap_err(), ProofError::Several.into());
    let no_jti = proof(&key(1), "POST", TOKEN_URL, NOW, "", None, None);
    assert_eq!(
        verified(token_request(&no_jti)).unwrap_err(),
        ProofError::Claim(ClaimError::Malformed("jti")).into()
    );
    let no_proof = ProofError::Jws(JwsError::NotThreeSegments);
    assert_eq!(verified(token_request("nonsense")).unwrap_err(), no_proof.into());
}

#[test]
fn a_proof_is_claimed_once_at_the_token_endpoint_too() {
    let host = TestHost::new();
    let good = proof(&key(1), "POST", TOKEN_URL, NOW, "1", None, None);
    let proof = prove(server(), &host, token_request(&good), NOW).0.unwrap().unwrap();
    let claim = || in_context(server(), &host, &token(&[]), NOW, |cx| ready(dpop::claim(cx, &proof)));
    assert_eq!(claim(), Ok(()));
    assert_eq!(claim(), Err(DpopError::Replayed));
}

/// §8: the first answer names a nonce, the second proof carries it.
#[test]
fn a_token_request_learns_its_nonce() {
    for server in [stateless(), single_use()] {
        let host = TestHost::new();
        let ask = |nonce: Option<&str>| {
            prove(
                server,
                &host,
                token_request(&proof(&key(1), "POST", TOKEN_URL, NOW, "1", nonce, None)),
                NOW,
            )
        };
        let (refused, nonce) = ask(None);
        assert_eq!(refused.unwrap_err(), DpopError::NonceMissing);
        let (proven, _) = ask(nonce.as_deref());
        assert_eq!(proven.unwrap().unwrap().jkt, jkt(&key(1)));
        let (refused, nonce) = ask(Some("stale"));
        assert_eq!(refused.unwrap_err(), DpopError::NonceNotLive);
        assert!(nonce.is_some());
    }
}

/// §5 and §8.
#[test]
fn every_refusal_has_its_code_for_clients() {
    for (error, status, code) in [
        (ProofError::OtherUri.into(), 400, "invalid_dpop_proof"),
        (DpopError::Replayed, 400, "invalid_dpop_proof"),
        (DpopError::NonceMissing, 400, "use_dpop_nonce"),
        (DpopError::NonceNotLive, 400, "use_dpop_nonce"),
        (DpopError::Fault("x".to_owned()), 500, "server_error"),
    ] {
        let wire = error.wire();
        assert_eq!((wire.0.as_u16(), wire.1), (status, code), "{error}");
    }
}
