//! The examples of RFC 9449, and every way to miss them.

use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::{Value, json};

use super::*;
use crate::jose::{InvalidSignature, SigningKey};

/// The proof of RFC 9449 §4.1 and §5 (Figures 1 and 4), for a token request with a code.
const TOKEN_REQUEST: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0Vj\
    NoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydi\
    I6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva\
    2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";

/// §5 (Figure 6), for one with a refresh token.
const REFRESH_REQUEST: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0\
    VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNy\
    diI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3R\
    va2VuIiwiaWF0IjoxNTYyMjY1Mjk2fQ.pAqut2IRDm_De6PR93SYmGBPXpwrAk90e8cP2hjiaG5QsGSuKDYW7_X620BxqhvYC8ynrrvZLTk41mSRroap\
    UA";

/// §7.1 (Figure 12), for a protected resource, with the access token below.
const RESOURCE_REQUEST: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR\
    0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImN\
    ydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy\
    9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFby\
    J9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";

const ACCESS_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

/// §6.1 (Figure 8).
const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

const NOW: u64 = 1_800_000_000;

const RESOURCE: ProofTarget<'static> = ProofTarget {
    method: "GET",
    urls: &["https://api.example/orders", "https://mtls.api.example/orders"],
    access_token: Some(ACCESS_TOKEN),
};

fn policy() -> ProofPolicy {
    ProofPolicy {
        algorithms: vec![Algorithm::Es256, Algorithm::Ed25519],
        max_age: Duration::from_secs(60),
        clock_skew: Duration::from_secs(10),
    }
}

fn key(algorithm: Algorithm, seed: u64) -> SigningKey {
    SigningKey::generate(algorithm, &mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

fn changed(base: Value, changes: &Value) -> Value {
    let mut members = base.as_object().unwrap().clone();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(members.remove(name)),
            _ => drop(members.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(members)
}

/// A proof for [`RESOURCE`], header and claims changed; `null` leaves a member out.
fn proof_of(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let jwk = json!({ "typ": "dpop+jwt", "alg": key.algorithm(), "jwk": key.public_jwk(None).to_value() });
    let ath = base64url::encode(Sha256::digest(ACCESS_TOKEN));
    let base =
        json!({ "jti": "1", "htm": "GET", "htu": "https://api.example/orders", "iat": NOW, "ath": ath });
    let part = |value: Value| base64url::encode(value.to_string());
    let input = format!("{}.{}", part(changed(jwk, header)), part(changed(base, claims)));
    let signature = key.sign(&mut ChaCha20Rng::seed_from_u64(0), input.as_bytes()).unwrap();
    format!("{input}.{}", base64url::encode(signature))
}

fn check(proof: &str) -> Result<VerifiedProof, ProofError> {
    verify(proof, &RESOURCE, &policy(), NumericDate::from_secs(NOW))
}

fn with_header(changes: Value) -> Result<VerifiedProof, ProofError> {
    check(&proof_of(&key(Algorithm::Es256, 1), &changes, &json!({})))
}

fn with_claims(changes: Value) -> Result<VerifiedProof, ProofError> {
    check(&proof_of(&key(Algorithm::Es256, 1), &json!({}), &changes))
}

#[test]
fn the_examples_of_rfc_9449_are_verified() {
    let token =
        ProofTarget { method: "POST", urls: &["https://server.example.com/token"], access_token: None };
    let resource = ProofTarget {
        method: "GET",
        urls: &["https://resource.example.org/protectedresource"],
        access_token: Some(ACCESS_TOKEN),
    };
    for (proof, target, jti, iat) in [
        (TOKEN_REQUEST, token, "-BwC3ESc6acc2lTc", 1_562_262_616),
        (REFRESH_REQUEST, token, "-BwC3ESc6acc2lTc", 1_562_265_296),
        (RESOURCE_REQUEST, resource, "e1j3V_bKic8-LAEB", 1_562_262_618),
    ] {
        let verified = verify(proof, &target, &policy(), NumericDate::from_secs(iat)).unwrap();
        let expires_at = NumericDate::from_secs(iat + 71);
        let expected = VerifiedProof { jkt: JKT.to_owned(), jti: jti.to_owned(), nonce: None, expires_at };
        assert_eq!(verified, expected);
        let later = verify(proof, &target, &policy(), NumericDate::from_secs(iat + 71));
        assert_eq!(later, Err(ProofError::TooOld));
    }
}

#[test]
fn a_proof_for_this_request_is_verified_under_every_acceptable_algorithm() {
    let key_pairs = [key(Algorithm::Es256, 1), key(Algorithm::Ed25519, 2)];
    for key in &key_pairs {
        let verified = check(&proof_of(key, &json!({}), &json!({ "nonce": "n" }))).unwrap();
        assert_eq!(verified.jkt, key.public_jwk(None).thumbprint().to_string());
        assert_eq!((verified.jti.as_str(), verified.nonce.as_deref()), ("1", Some("n")));
    }
    // The older name of Ed25519.
    assert!(check(&proof_of(&key_pairs[1], &json!({ "alg": "EdDSA" }), &json!({}))).is_ok());
    assert!(with_header(json!({ "x": 1 })).is_ok());
    assert!(with_claims(json!({ "x": 1, "aud": "any" })).is_ok());
}

#[test]
fn what_is_no_single_compact_jws_is_refused() {
    let good = proof_of(&key(Algorithm::Es256, 1), &json!({}), &json!({}));
    let encrypted = "a.b.c.d.e";
    for text in ["", "a", "a.b", encrypted, &format!("{good}, {good}"), &format!("{good},{good}")] {
        assert_eq!(check(text), Err(JwsError::NotThreeSegments.into()), "{text}");
    }
    for text in [format!(" {good}"), format!("{good} "), format!("{good}=="), format!("{good},")] {
        assert_eq!(check(&text), Err(JwsError::InvalidBase64Url.into()), "{text}");
    }
    assert_eq!(check(&"a".repeat(20_000)), Err(JwsError::TooLarge.into()));
}

/// §4.3, 1; FAPI: two headers.
#[test]
fn more_than_one_header_field_is_refused() {
    assert_eq!(the_one(&[]), Ok(None));
    assert_eq!(the_one(&[b"a.b.c"]), Ok(Some("a.b.c")));
    assert_eq!(the_one(&[b"a.b.c", b"a.b.c"]), Err(ProofError::Several));
    assert_eq!(the_one(&[b"", b"a.b.c", b""]), Err(ProofError::Several));
    assert!(the_one(&[b"\xff"]).is_err());
}

/// §4.3, 4; FAPI: wrong `typ`.
#[test]
fn another_type_of_token_is_refused() {
    for typ in [json!("JWT"), json!("at+jwt"), json!("dpop"), json!(""), json!(null)] {
        assert_eq!(with_header(json!({ "typ": typ })), Err(JwsError::WrongType.into()), "{typ}");
    }
    assert_eq!(with_header(json!({ "typ": 1 })), Err(JwsError::MalformedHeader.into()));
}

/// §4.3, 5; FAPI: wrong `alg`.
#[test]
fn an_algorithm_that_is_symmetric_unknown_or_not_acceptable_is_refused() {
    for alg in ["none", "HS256", "HS512", "ES384", "Ed448"] {
        assert_eq!(with_header(json!({ "alg": alg })), Err(JwsError::UnknownAlgorithm.into()), "{alg}");
    }
    for alg in ["RS256", "PS256"] {
        assert_eq!(with_header(json!({ "alg": alg })), Err(JwsError::AlgorithmNotAllowed.into()), "{alg}");
    }
    assert_eq!(with_header(json!({ "alg": null })), Err(JwsError::MalformedHeader.into()));
    assert_eq!(
        with_header(json!({ "alg": "Ed25519" })),
        Err(JwsError::InvalidSignature(InvalidSignature).into())
    );
    assert_eq!(with_header(json!({ "crit": ["exp"] })), Err(JwsError::CriticalExtension.into()));
}

/// §4.2: "MUST NOT contain a private key", "MUST NOT be […] an identifier for a symmetric algorithm"; FAPI: private key in the
/// header, symmetric key.
#[test]
fn a_key_that_is_not_public_is_refused() {
    let key = key(Algorithm::Es256, 1);
    let public = key.public_jwk(None).to_value();
    for member in ["d", "p", "k", "oth", "priv"] {
        let private = changed(public.clone(), &json!({ member: "AQAB" }));
        assert_eq!(with_header(json!({ "jwk": private })), Err(KeyError::PrivateKey.into()), "{member}");
    }
    let (_, d) = key.private_jwk_members().remove(0);
    let private = changed(public.clone(), &json!({ "d": *d }));
    assert_eq!(with_header(json!({ "jwk": private })), Err(KeyError::PrivateKey.into()));
    let symmetric = json!({ "kty": "oct", "k": "AQAB" });
    assert_eq!(with_header(json!({ "jwk": symmetric })), Err(KeyError::PrivateKey.into()));
    assert_eq!(with_header(json!({ "jwk": { "kty": "oct" } })), Err(KeyError::UnknownKeyType.into()));
    let for_encryption = changed(public, &json!({ "use": "enc" }));
    assert_eq!(with_header(json!({ "jwk": for_encryption })), Err(KeyError::NotForSignatures.into()));
    for jwk in [json!(null), json!("a"), json!([]), json!(1)] {
        assert_eq!(with_header(json!({ "jwk": jwk })), Err(ProofError::NoKey), "{jwk}");
    }
}

/// §4.3, 6; FAPI: signature by another key.
#[test]
fn a_signature_by_another_key_is_refused() {
    let other = key(Algorithm::Es256, 2).public_jwk(None).to_value();
    let refused = Err(JwsError::InvalidSignature(InvalidSignature).into());
    assert_eq!(with_header(json!({ "jwk": other })), refused);
    let good = proof_of(&key(Algorithm::Es256, 1), &json!({}), &json!({}));
    let (input, _) = good.rsplit_once('.').unwrap();
    assert_eq!(check(&format!("{input}.{}", base64url::encode([0; 64]))), refused);
    assert_eq!(check(&format!("{input}.")), refused);
}

/// §4.3, 3; FAPI: wrong `jti`.
#[test]
fn a_jti_that_is_missing_empty_or_too_long_is_refused() {
    assert_eq!(with_claims(json!({ "jti": null })), Err(ClaimError::Missing("jti").into()));
    for jti in [json!(""), json!(1), json!(["1"])] {
        assert_eq!(with_claims(json!({ "jti": jti })), Err(ClaimError::Malformed("jti").into()), "{jti}");
    }
    assert!(with_claims(json!({ "jti": "a".repeat(512) })).is_ok());
    assert_eq!(with_claims(json!({ "jti": "a".repeat(513) })), Err(ProofError::JtiTooLong));
}

/// §4.3, 8; FAPI: wrong `htm`.
#[test]
fn a_proof_for_another_method_is_refused() {
    for htm in ["POST", "get", "GET ", "*"] {
        assert_eq!(with_claims(json!({ "htm": htm })), Err(ProofError::OtherMethod), "{htm}");
    }
    assert_eq!(with_claims(json!({ "htm": null })), Err(ClaimError::Missing("htm").into()));
    assert_eq!(with_claims(json!({ "htm": 1 })), Err(ClaimError::Malformed("htm").into()));
}

/// §4.3, 9; FAPI: wrong `htu`.
#[test]
fn a_proof_for_another_uri_is_refused() {
    for htu in [
        "https://api.example/orders?x#y",
        "HTTPS://API.example:443/orders",
        "https://mtls.api.example/orders",
    ] {
        assert!(with_claims(json!({ "htu": htu })).is_ok(), "{htu}");
    }
    for htu in ["https://api.example/", "http://api.example/orders", "https://evil.example/orders"] {
        assert_eq!(with_claims(json!({ "htu": htu })), Err(ProofError::OtherUri), "{htu}");
    }
    for htu in ["/orders", "api.example/orders", "https://u@api.example/orders"] {
        assert_eq!(with_claims(json!({ "htu": htu })), Err(MalformedHtu.into()), "{htu}");
    }
    assert_eq!(with_claims(json!({ "htu": null })), Err(ClaimError::Missing("htu").into()));
    assert_eq!(
        with_claims(json!({ "htu": ["https://api.example/orders"] })),
        Err(ClaimError::Malformed("htu").into())
    );
}

/// §4.3, 11 and §11.1; FAPI: wrong `iat`, and a proof 8 s ahead passes.
#[test]
fn a_proof_from_outside_the_window_is_refused() {
    for iat in [NOW - 70, NOW, NOW + 8, NOW + 10] {
        let verified = with_claims(json!({ "iat": iat })).unwrap();
        assert_eq!(verified.expires_at.as_secs(), iat + 71, "also where it lies ahead");
    }
    assert_eq!(with_claims(json!({ "iat": NOW - 71 })), Err(ProofError::TooOld));
    assert_eq!(with_claims(json!({ "iat": NOW + 11 })), Err(ClaimError::IssuedInFuture.into()));
    assert_eq!(with_claims(json!({ "iat": null })), Err(ClaimError::Missing("iat").into()));
    for iat in [json!("1800000000"), json!(-1), json!(1e300)] {
        assert_eq!(with_claims(json!({ "iat": iat })), Err(ClaimError::Malformed("iat").into()), "{iat}");
    }
}

#[test]
fn nbf_and_exp_are_honoured_where_they_are_there() {
    assert!(with_claims(json!({ "nbf": NOW + 10, "exp": NOW - 9 })).is_ok());
    assert_eq!(with_claims(json!({ "nbf": NOW + 11 })), Err(ClaimError::NotYetValid.into()));
    assert_eq!(with_claims(json!({ "exp": NOW - 10 })), Err(ClaimError::Expired.into()));
    assert_eq!(with_claims(json!({ "exp": "never" })), Err(ClaimError::Malformed("exp").into()));
    assert_eq!(with_claims(json!({ "nbf": [] })), Err(ClaimError::Malformed("nbf").into()));
}

/// §4.3, 12; FAPI: wrong `ath`.
#[test]
fn a_proof_for_another_access_token_is_refused() {
    let other = base64url::encode(Sha256::digest("another"));
    assert_eq!(with_claims(json!({ "ath": other })), Err(ProofError::OtherToken));
    assert_eq!(with_claims(json!({ "ath": ACCESS_TOKEN })), Err(ProofError::OtherToken));
    assert_eq!(with_claims(json!({ "ath": null })), Err(ClaimError::Missing("ath").into()));
    assert_eq!(with_claims(json!({ "ath": 1 })), Err(ClaimError::Malformed("ath").into()));
}

#[test]
fn a_nonce_that_is_no_string_and_claims_that_are_no_object_are_refused() {
    assert_eq!(with_claims(json!({ "nonce": 1 })), Err(ClaimError::Malformed("nonce").into()));
    let key = key(Algorithm::Es256, 1);
    let good = proof_of(&key, &json!({}), &json!({}));
    let (header, _) = good.split_once('.').unwrap();
    for payload in ["[]", "", "{", r#"{"jti":"1","jti":"2"}"#] {
        let input = format!("{header}.{}", base64url::encode(payload));
        let signature = key.sign(&mut ChaCha20Rng::seed_from_u64(0), input.as_bytes()).unwrap();
        let proof = format!("{input}.{}", base64url::encode(signature));
        assert_eq!(check(&proof), Err(JwsError::MalformedClaims.into()), "{payload}");
    }
}

#[test]
fn the_same_jti_under_another_key_is_another_identifier() {
    let claim =
        |seed| check(&proof_of(&key(Algorithm::Es256, seed), &json!({}), &json!({}))).unwrap().claim();
    assert_eq!(claim(1), claim(1));
    assert_ne!(claim(1).key, claim(2).key);
}
