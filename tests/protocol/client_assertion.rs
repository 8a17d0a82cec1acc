//! Client assertions (RFC 7523 §3), the FAPI 2.0 modules among their refusals.

use attesto::client::{Client, ClientAuthMethod};
use attesto::client_assertion::{AssertionError, claimed_client_id, verify};
use attesto::client_keys::ClientKeysError;
use attesto::jose::{Algorithm, ClaimError, InvalidSignature, JwsError, SelectError, SigningKey, base64url};
use attesto::replay::ReplayClaim;
use attesto::request_facts::RequestFacts;
use attesto::server::{Context, Server};
use http::HeaderMap;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::{Value, json};

use crate::host::{KEYS, NOW, TestHost, ready, server, server_with};

const ISSUER: &str = "https://auth.example";

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(11)
}

fn key() -> &'static SigningKey {
    &KEYS[0]
}

fn client() -> Client {
    client_with(key())
}

fn client_with(key: &SigningKey) -> Client {
    Client {
        client_id: "bank".to_owned(),
        token_endpoint_auth_method: ClientAuthMethod::PrivateKeyJwt,
        jwks: Some(json!({ "keys": [key.public_jwk(Some("k1")).to_value()] }).to_string()),
        ..Client::default()
    }
}

fn header(alg: &str) -> Value {
    json!({ "alg": alg, "kid": "k1" })
}

fn claims() -> Value {
    json!({
        "iss": "bank", "sub": "bank", "aud": ISSUER, "jti": "id-1",
        "iat": NOW, "nbf": NOW, "exp": NOW + 60,
    })
}

/// The claims with some changed or, by `null`, left out.
fn with(changes: Value) -> Value {
    let mut claims = claims();
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn signed_by(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let input = [header, claims].map(|part| base64url::encode(part.to_string())).join(".");
    let signature = key.sign(&mut rng(), input.as_bytes()).unwrap();
    format!("{input}.{}", base64url::encode(signature))
}

fn signed(claims: &Value) -> String {
    signed_by(key(), &header("ES256"), claims)
}

fn verify_at(server: &Server, client: &Client, assertion: &str) -> Result<ReplayClaim, AssertionError> {
    let host = TestHost::new();
    let facts = RequestFacts::of(&HeaderMap::new(), &server.config.trusted_proxies).unwrap();
    let cx = Context {
        server,
        host: &host,
        now: NOW,
        rng: &mut rng(),
        facts,
        events: Vec::new(),
        dpop_nonce: None,
    };
    ready(verify(&cx, client, assertion))
}

/// What becomes of this client's assertion with these claims.
fn outcome(claims: Value) -> Result<ReplayClaim, AssertionError> {
    verify_at(server(), &client(), &signed(&claims))
}

fn refused(changes: Value) -> AssertionError {
    outcome(with(changes.clone())).expect_err(&changes.to_string())
}

fn accepted(changes: Value) {
    assert!(outcome(with(changes.clone())).is_ok(), "{changes}");
}

fn signature_error(outcome: Result<ReplayClaim, AssertionError>) -> JwsError {
    match outcome {
        Err(AssertionError::Signature(ClientKeysError::Jws(error))) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_assertion_of_the_client_is_good_and_its_identifier_is_still_to_be_claimed() {
    // Kept until the assertion is refused anyway, by clocks as far from ours as is allowed.
    let expected = ReplayClaim::new("client_assertion", "bank", "id-1", NOW + 60 + 30 + 1);
    assert_eq!(outcome(claims()), Ok(expected));
}

#[test]
fn the_identifiers_of_two_clients_do_not_meet() {
    let claim = |client: &str| ReplayClaim::new("client_assertion", client, "id-1", 0).key;
    assert_ne!(claim("bank"), claim("other"));
}

#[test]
fn every_algorithm_of_fapi_2_0_section_5_4_1_is_accepted() {
    let ed25519 = SigningKey::generate(Algorithm::Ed25519, &mut rng()).unwrap();
    let ps256 = KEYS[1].clone().with_algorithm(Algorithm::Ps256).unwrap();
    for (key, alg) in [(key(), "ES256"), (&ps256, "PS256"), (&ed25519, "EdDSA"), (&ed25519, "Ed25519")] {
        let assertion = signed_by(key, &header(alg), &claims());
        assert!(verify_at(server(), &client_with(key), &assertion).is_ok(), "{alg}");
    }
}

#[test]
fn the_type_may_be_absent_or_one_of_two() {
    let typed = |typ: &str| {
        let header = json!({ "alg": "ES256", "kid": "k1", "typ": typ });
        verify_at(server(), &client(), &signed_by(key(), &header, &claims()))
    };
    for typ in ["JWT", "jwt", "client-authentication+jwt", "application/client-authentication+jwt"] {
        assert!(typed(typ).is_ok(), "{typ}");
    }
    for typ in ["", "dpop+jwt", "oauth-authz-req+jwt", "at+jwt", "JWS"] {
        assert_eq!(typed(typ), Err(AssertionError::Type), "{typ}");
    }
}

#[test]
fn a_claim_that_must_be_there_is_missed() {
    for name in ["iss", "sub", "aud", "exp", "jti"] {
        assert_eq!(refused(json!({ name: null })), ClaimError::Missing(name).into());
    }
}

#[test]
fn iat_and_nbf_may_be_left_out() {
    accepted(json!({ "iat": null, "nbf": null }));
}

/// FAPI 2.0: "invalid iss".
#[test]
fn another_issuer_is_refused() {
    assert_eq!(refused(json!({ "iss": "other" })), ClaimError::WrongIssuer.into());
    assert_eq!(refused(json!({ "iss": 1 })), ClaimError::Malformed("iss").into());
}

/// FAPI 2.0: "invalid sub".
#[test]
fn another_subject_is_refused() {
    assert_eq!(refused(json!({ "sub": "other" })), AssertionError::Subject);
    assert_eq!(refused(json!({ "sub": ["bank"] })), ClaimError::Malformed("sub").into());
}

/// FAPI 2.0: "invalid aud", "token endpoint as aud", "PAR endpoint as aud", "aud as array".
#[test]
fn only_the_issuer_as_a_string_is_an_audience() {
    for audience in [
        "https://other.example",
        "https://auth.example/",
        "https://AUTH.example",
        "https://auth.example/oauth/token",
        "https://auth.example/oauth/par",
        "https://auth.example/oauth/introspect",
        "",
    ] {
        assert_eq!(refused(json!({ "aud": audience })), ClaimError::WrongAudience.into(), "{audience}");
    }
    for list in [json!([ISSUER]), json!([ISSUER, "https://other.example"]), json!([])] {
        assert_eq!(refused(json!({ "aud": list })), AssertionError::AudienceList);
    }
    assert_eq!(refused(json!({ "aud": { "x": ISSUER } })), ClaimError::Malformed("aud").into());
}

#[test]
fn the_token_endpoint_and_lists_are_audiences_where_the_operator_says_so() {
    let server = server_with(|text| format!("{text}\nclient_assertion_token_endpoint_audience = true"));
    let outcome = |aud: Value| verify_at(&server, &client(), &signed(&with(json!({ "aud": aud }))));
    let endpoint = "https://auth.example/oauth/token";
    for aud in [json!(ISSUER), json!(endpoint), json!([endpoint]), json!(["https://other.example", ISSUER])] {
        assert!(outcome(aud.clone()).is_ok(), "{aud}");
    }
    for aud in [json!("https://auth.example/oauth/par"), json!(["https://other.example"])] {
        assert_eq!(outcome(aud), Err(ClaimError::WrongAudience.into()));
    }
    assert_eq!(outcome(json!([])), Err(ClaimError::Malformed("aud").into()));
}

/// FAPI 2.0: "expired".
#[test]
fn an_expired_assertion_is_refused_at_the_second_of_its_expiry() {
    accepted(json!({ "exp": NOW + 1 }));
    for exp in [NOW, NOW - 1, NOW - 3_600] {
        assert_eq!(refused(json!({ "exp": exp })), ClaimError::Expired.into());
    }
    for exp in [json!("1"), json!(-1), json!(1e30)] {
        assert_eq!(refused(json!({ "exp": exp })), ClaimError::Malformed("exp").into());
    }
}

/// FAPI 2.0: "exp too far in the future".
#[test]
fn a_long_life_is_refused() {
    accepted(json!({ "exp": NOW + 300 + 30 }));
    assert_eq!(refused(json!({ "exp": NOW + 300 + 31 })), AssertionError::Lifetime);
    assert_eq!(refused(json!({ "exp": (1u64 << 53) - 1 })), AssertionError::Lifetime);
}

/// FAPI 2.0 Security Profile §5.3.2.1: 10 seconds ahead are accepted and 60 are not; "nbf in the future".
#[test]
fn a_clock_may_be_ahead_a_little() {
    for name in ["nbf", "iat"] {
        for ahead in [8, 10, 30] {
            accepted(json!({ name: NOW + ahead }));
        }
    }
    for ahead in [31, 61, 3_600] {
        assert_eq!(refused(json!({ "nbf": NOW + ahead })), ClaimError::NotYetValid.into());
        assert_eq!(refused(json!({ "iat": NOW + ahead })), ClaimError::IssuedInFuture.into());
    }
}

#[test]
fn an_old_assertion_is_refused_however_long_it_lives() {
    accepted(json!({ "iat": NOW - 330, "nbf": NOW - 330 }));
    assert_eq!(refused(json!({ "iat": NOW - 331 })), AssertionError::Age);
}

#[test]
fn the_identifier_is_text_of_a_sensible_length() {
    accepted(json!({ "jti": "x".repeat(512) }));
    assert_eq!(refused(json!({ "jti": "x".repeat(513) })), AssertionError::IdentifierLength);
    for jti in [json!(""), json!(1), json!(["x"])] {
        assert_eq!(refused(json!({ "jti": jti })), ClaimError::Malformed("jti").into());
    }
}

/// FAPI 2.0: "alg none", "alg RS256", and the symmetric ones.
#[test]
fn an_algorithm_that_is_not_of_the_set_is_refused() {
    for alg in ["none", "HS256", "HS512", "ES384", "es256", ""] {
        let assertion = signed_by(key(), &header(alg), &claims());
        let error = signature_error(verify_at(server(), &client(), &assertion));
        assert_eq!(error, JwsError::UnknownAlgorithm, "{alg}");
    }
    let rs256 = &KEYS[1];
    let assertion = signed_by(rs256, &header("RS256"), &claims());
    let error = signature_error(verify_at(server(), &client_with(rs256), &assertion));
    assert_eq!(error, JwsError::AlgorithmNotAllowed);
}

#[test]
fn without_a_signature_nothing_is_proven() {
    let assertion = signed(&claims());
    let (input, _) = assertion.rsplit_once('.').unwrap();
    let error = signature_error(verify_at(server(), &client(), &format!("{input}.")));
    assert_eq!(error, JwsError::InvalidSignature(InvalidSignature));
}

#[test]
fn the_registered_algorithm_is_the_only_one() {
    let ed25519 = SigningKey::generate(Algorithm::Ed25519, &mut rng()).unwrap();
    let outcome = |registered: &str, alg: &str| {
        let client =
            Client { token_endpoint_auth_signing_alg: Some(registered.to_owned()), ..client_with(&ed25519) };
        verify_at(server(), &client, &signed_by(&ed25519, &header(alg), &claims()))
    };
    for (registered, alg) in [("Ed25519", "Ed25519"), ("Ed25519", "EdDSA"), ("EdDSA", "Ed25519")] {
        assert!(outcome(registered, alg).is_ok(), "{registered} {alg}");
    }
    for registered in ["ES256", "PS256", "RS256", "HS256", "none", ""] {
        let error = signature_error(outcome(registered, "Ed25519"));
        assert_eq!(error, JwsError::AlgorithmNotAllowed, "{registered}");
    }
}

/// FAPI 2.0: "signed with another key".
#[test]
fn another_key_is_refused() {
    let other = SigningKey::generate(Algorithm::Es256, &mut rng()).unwrap();
    let assertion = signed_by(&other, &header("ES256"), &claims());
    let error = signature_error(verify_at(server(), &client(), &assertion));
    assert_eq!(error, JwsError::InvalidSignature(InvalidSignature));
    let unknown = signed_by(key(), &json!({ "alg": "ES256", "kid": "k2" }), &claims());
    let error = signature_error(verify_at(server(), &client(), &unknown));
    assert_eq!(error, JwsError::Key(SelectError::UnknownKey));
}

#[test]
fn a_key_in_the_header_counts_for_nothing() {
    let other = SigningKey::generate(Algorithm::Es256, &mut rng()).unwrap();
    let header = json!({ "alg": "ES256", "kid": "k1", "jwk": other.public_jwk(Some("k1")).to_value() });
    let error = signature_error(verify_at(server(), &client(), &signed_by(&other, &header, &claims())));
    assert_eq!(error, JwsError::InvalidSignature(InvalidSignature));
}

#[test]
fn a_changed_claim_breaks_the_signature() {
    let assertion = signed(&with(json!({ "exp": NOW - 1 })));
    let [header, _, signature] = assertion.split('.').collect::<Vec<_>>().try_into().unwrap();
    let claims = base64url::encode(claims().to_string());
    let error = signature_error(verify_at(server(), &client(), &format!("{header}.{claims}.{signature}")));
    assert_eq!(error, JwsError::InvalidSignature(InvalidSignature));
}

#[test]
fn what_is_no_token_is_refused() {
    for (text, error) in [
        ("", JwsError::NotThreeSegments),
        ("a.b", JwsError::NotThreeSegments),
        ("a.b.c.d.e", JwsError::NotThreeSegments),
        ("!.b.c", JwsError::InvalidBase64Url),
        ("e30.e30.e30", JwsError::MalformedHeader),
    ] {
        assert_eq!(signature_error(verify_at(server(), &client(), text)), error, "{text}");
    }
    let long = "a".repeat(attesto::jose::jws::MAX_TOKEN_LEN + 1);
    assert_eq!(signature_error(verify_at(server(), &client(), &long)), JwsError::TooLarge);
}

#[test]
fn repeated_claims_are_refused() {
    let input = format!(
        "{}.{}",
        base64url::encode(header("ES256").to_string()),
        base64url::encode(claims().to_string().replacen('{', r#"{"iss":"other","#, 1))
    );
    let signature = base64url::encode(key().sign(&mut rng(), input.as_bytes()).unwrap());
    let error = signature_error(verify_at(server(), &client(), &format!("{input}.{signature}")));
    assert_eq!(error, JwsError::MalformedClaims);
}

#[test]
fn a_client_is_looked_for_by_the_subject() {
    let claimed = |changes| claimed_client_id(&signed(&with(changes)));
    assert_eq!(claimed(json!({ "iss": "other" })).as_deref(), Some("bank"));
    assert_eq!(claimed(json!({ "sub": "x".repeat(2_048) })).map(|sub| sub.len()), Some(2_048));
    for sub in [json!(null), json!(""), json!(7), json!("x".repeat(2_049))] {
        assert_eq!(claimed(json!({ "sub": sub })), None);
    }
    for text in ["", "a.b.c", "e30.e30.e30"] {
        assert_eq!(claimed_client_id(text), None, "{text}");
    }
}
