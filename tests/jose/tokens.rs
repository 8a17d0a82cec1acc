//! What a compact JWS must be to be believed.

use attesto::jose::jws::Policy;
use attesto::jose::{
    Algorithm, JwkSet, JwsError, SelectError, SignError, Signer, SigningInput, SigningKey, UnverifiedJws,
    VerifiedJws, base64url, sign_jwt,
};
use serde_json::json;

use crate::{ed25519_key, es256_key, ps256_key, public, rng, rs256_key, token, token_with_header};

const ANY: Policy<'_> = Policy { algorithms: Algorithm::ALL, typ: None };
const PAYLOAD: &[u8] = br#"{"sub":"alice"}"#;

fn keys() -> JwkSet {
    JwkSet::new([
        public(&es256_key(), "ec"),
        public(&ed25519_key(), "okp"),
        public(&ps256_key(), "pss").with_algorithm(Algorithm::Ps256),
        public(&rs256_key(), "rsa").with_algorithm(Algorithm::Rs256),
    ])
}

fn check(token: &str, policy: &Policy<'_>) -> Result<VerifiedJws, JwsError> {
    UnverifiedJws::parse(token)?.verify(&keys(), policy)
}

fn refused(token: &str, reason: JwsError) {
    assert_eq!(check(token, &ANY).unwrap_err(), reason, "{token:.120}");
}

fn invalid_signature() -> JwsError {
    attesto::jose::InvalidSignature.into()
}

#[test]
fn a_signed_token_verifies_and_gives_its_payload() {
    for (key, kid) in
        [(es256_key(), "ec"), (ed25519_key(), "okp"), (ps256_key(), "pss"), (rs256_key(), "rsa")]
    {
        let token = token(&key, Some(kid), Some("JWT"), PAYLOAD);
        let unverified = UnverifiedJws::parse(&token).unwrap();
        assert_eq!(unverified.header().kid.as_deref(), Some(kid));
        assert_eq!(unverified.header().alg, key.algorithm());
        let verified = unverified.verify(&keys(), &ANY).unwrap();
        assert_eq!(verified.payload(), PAYLOAD);
        assert_eq!(verified.into_claims().unwrap().get("sub"), Some(&json!("alice")));
    }
}

#[test]
fn a_token_of_other_than_three_segments_is_refused() {
    let good = token(&es256_key(), Some("ec"), None, PAYLOAD);
    let (two, _) = good.rsplit_once('.').unwrap();
    for token in
        ["", "a", "a.b", two, &format!("{good}."), &format!("{good}.{good}"), &format!(".{good}"), "...."]
    {
        refused(token, JwsError::NotThreeSegments);
    }
}

#[test]
fn a_token_over_16_kib_is_refused_before_it_is_decoded() {
    refused(&"!".repeat(16 * 1024 + 1), JwsError::TooLarge);
    refused(&"!".repeat(16 * 1024), JwsError::NotThreeSegments);
}

#[test]
fn segments_must_be_canonical_base64url() {
    let good = token(&es256_key(), Some("ec"), None, PAYLOAD);
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three") };
    for (header, payload, signature) in [
        (format!("{header}="), payload.to_owned(), signature.to_owned()),
        (format!(" {header}"), payload.to_owned(), signature.to_owned()),
        (header.to_owned(), payload.to_owned(), format!("{signature}=")),
        (header.to_owned(), payload.to_owned(), format!("{signature}\n")),
        (header.to_owned(), payload.to_owned(), signature.replace(|c: char| c.is_ascii_lowercase(), "+")),
    ] {
        refused(&format!("{header}.{payload}.{signature}"), JwsError::InvalidBase64Url);
    }
    // Signed as it stands, so only decoding can refuse it.
    let input = format!("{header}.{payload}=");
    let signature = base64url::encode(es256_key().sign(&mut rng(), input.as_bytes()).unwrap());
    refused(&format!("{input}.{signature}"), JwsError::InvalidBase64Url);
}

#[test]
fn every_changed_character_of_a_token_is_noticed() {
    let good = token(&es256_key(), Some("ec"), Some("JWT"), PAYLOAD);
    for at in 0..good.len() {
        let mut octets = good.clone().into_bytes();
        octets[at] = if octets[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(octets).unwrap();
        assert!(check(&changed, &ANY).is_err(), "at {at}");
    }
}

#[test]
fn none_and_hmac_are_unknown_algorithms() {
    for alg in ["none", "None", "nOnE", "NONE", "HS256", "HS384", "HS512"] {
        let header = json!({ "alg": alg, "kid": "ec" }).to_string();
        let input = format!("{}.{}", base64url::encode(header), base64url::encode(PAYLOAD));
        refused(&format!("{input}."), JwsError::UnknownAlgorithm);
        refused(&format!("{input}.{}", base64url::encode([0; 32])), JwsError::UnknownAlgorithm);
    }
}

#[test]
fn an_empty_signature_is_invalid() {
    for (key, kid) in
        [(es256_key(), "ec"), (ed25519_key(), "okp"), (ps256_key(), "pss"), (rs256_key(), "rsa")]
    {
        let good = token(&key, Some(kid), None, PAYLOAD);
        let (input, _) = good.rsplit_once('.').unwrap();
        refused(&format!("{input}."), invalid_signature());
    }
}

#[test]
fn malformed_headers_are_refused() {
    for header in [
        "",
        "[]",
        "null",
        "{}",
        r#"{"kid":"ec"}"#,
        r#"{"alg":null,"kid":"ec"}"#,
        r#"{"alg":["ES256"],"kid":"ec"}"#,
        r#"{"alg":"ES256","alg":"ES256","kid":"ec"}"#,
        r#"{"alg":"none","\u0061lg":"ES256","kid":"ec"}"#,
        r#"{"alg":"ES256","kid":1}"#,
        r#"{"alg":"ES256","kid":"ec","kid":"rsa"}"#,
        r#"{"alg":"ES256","kid":"ec","typ":{}}"#,
        r#"{"alg":"ES256","kid":"ec"}x"#,
    ] {
        refused(&token_with_header(&es256_key(), header, PAYLOAD), JwsError::MalformedHeader);
    }
}

#[test]
fn critical_extensions_are_refused_whatever_they_list() {
    for extension in
        [r#""crit":["exp"],"exp":1"#, r#""crit":[]"#, r#""crit":["b64"],"b64":false"#, r#""b64":true"#]
    {
        let header = format!(r#"{{"alg":"ES256","kid":"ec",{extension}}}"#);
        refused(&token_with_header(&es256_key(), &header, PAYLOAD), JwsError::CriticalExtension);
    }
}

#[test]
fn header_members_that_carry_keys_are_ignored() {
    let other = SigningKey::from_jwk(crate::vectors::RFC_7515_A3_KEY.as_bytes()).unwrap().0;
    let jwk = public(&other, "ec").to_value();
    let header = json!({ "alg": "ES256", "kid": "ec", "jwk": jwk, "jku": "https://attacker.example/jwks" });
    refused(&token_with_header(&other, &header.to_string(), PAYLOAD), invalid_signature());
}

#[test]
fn the_callers_allow_list_must_admit_the_algorithm() {
    let policy = Policy { algorithms: &[Algorithm::Es256], typ: None };
    let token = token(&rs256_key(), Some("rsa"), None, PAYLOAD);
    assert_eq!(check(&token, &policy).unwrap_err(), JwsError::AlgorithmNotAllowed);
}

#[test]
fn the_keys_type_and_own_alg_must_admit_the_algorithm() {
    // An EC key is never tried with an RSA algorithm, whatever the header says.
    let header = r#"{"alg":"RS256","kid":"ec"}"#;
    refused(&token_with_header(&es256_key(), header, PAYLOAD), SelectError::UnknownKey.into());
    let key = public(&es256_key(), "ec");
    let token = token_with_header(&es256_key(), header, PAYLOAD);
    let unverified = UnverifiedJws::parse(&token).unwrap();
    assert_eq!(unverified.verify_with(&key, &ANY).unwrap_err(), invalid_signature());
}

#[test]
fn an_unknown_kid_is_its_own_refusal() {
    refused(&token(&es256_key(), Some("new"), None, PAYLOAD), SelectError::UnknownKey.into());
}

#[test]
fn a_token_without_kid_uses_the_only_key_that_fits() {
    assert!(check(&token(&es256_key(), None, None, PAYLOAD), &ANY).is_ok());
    let other = SigningKey::from_jwk(crate::vectors::RFC_7515_A3_KEY.as_bytes()).unwrap().0;
    let two = JwkSet::new([public(&es256_key(), "a"), public(&other, "b")]);
    let token = token(&es256_key(), None, None, PAYLOAD);
    let refusal = UnverifiedJws::parse(&token).unwrap().verify(&two, &ANY).unwrap_err();
    assert_eq!(refusal, SelectError::Ambiguous.into());
}

#[test]
fn an_es256_signature_has_exactly_64_octets_within_the_groups_order() {
    let good = token(&es256_key(), Some("ec"), None, PAYLOAD);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let signature = base64url::decode(signature).unwrap();
    assert_eq!(signature.len(), 64);
    let (r, s) = signature.split_at(32);
    // The group's order n (SEC 2 §2.4.2).
    let order = base64url::decode("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE").unwrap();
    let der = [&[0x30, 0x44, 0x02, 0x20], r, &[0x02, 0x20], s].concat();
    for bad in [
        &signature[..63],
        &[&signature[..], &[0]].concat(),
        &[&[0], &signature[..]].concat(),
        &der,
        &[0; 64],
        &[r, &[0; 32]].concat(),
        &[&[0; 32], s].concat(),
        &[r, &order[..]].concat(),
        &[&order[..], s].concat(),
        &[s, r].concat(),
        &[0xff; 64],
    ] {
        refused(&format!("{input}.{}", base64url::encode(bad)), invalid_signature());
    }
}

#[test]
fn an_rs256_signature_is_as_long_as_the_modulus() {
    let good = token(&rs256_key(), Some("rsa"), None, PAYLOAD);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let signature = base64url::decode(signature).unwrap();
    assert_eq!(signature.len(), 256);
    for bad in [
        &signature[..255],
        &signature[1..],
        &[&signature[..], &[0]].concat(),
        &[&[0], &signature[..]].concat(),
        &[0; 256],
        &[0xff; 256],
    ] {
        refused(&format!("{input}.{}", base64url::encode(bad)), invalid_signature());
    }
}

#[test]
fn a_ps256_signature_is_as_long_as_the_modulus_and_salted_anew() {
    let input = || SigningInput::new(Algorithm::Ps256, Some("pss"), None, PAYLOAD);
    let mut rng = rng();
    let [one, two] = [(); 2].map(|()| ps256_key().sign(&mut rng, input().as_bytes()).unwrap());
    assert_ne!(one, two);
    for signature in [&one, &two] {
        assert_eq!(signature.len(), 256);
        assert!(check(&input().join(signature).unwrap(), &ANY).is_ok());
    }
    for bad in [&one[..255], &one[1..], &[&one[..], &[0]].concat(), &[&[0], &one[..]].concat(), &[0; 256]] {
        refused(&input().join(bad).unwrap(), invalid_signature());
    }
}

#[test]
fn an_rsa_signature_of_one_scheme_is_not_one_of_the_other() {
    let rsa = public(&rs256_key(), "any");
    for (signer, claimed) in [(rs256_key(), "PS256"), (ps256_key(), "RS256")] {
        let token = token_with_header(&signer, &json!({ "alg": claimed }).to_string(), PAYLOAD);
        let unverified = UnverifiedJws::parse(&token).unwrap();
        assert_eq!(unverified.verify_with(&rsa, &ANY).unwrap_err(), invalid_signature(), "{claimed}");
    }
    // A key that names one of them is not tried with the other at all.
    let header = r#"{"alg":"PS256","kid":"rsa"}"#;
    refused(&token_with_header(&ps256_key(), header, PAYLOAD), SelectError::UnknownKey.into());
}

#[test]
fn ed25519_goes_by_either_of_its_names() {
    for name in ["Ed25519", "EdDSA"] {
        let header = json!({ "alg": name, "kid": "okp" }).to_string();
        let token = token_with_header(&ed25519_key(), &header, PAYLOAD);
        assert_eq!(check(&token, &ANY).unwrap().header().alg.name(), name);
        let policy = Policy { algorithms: &[Algorithm::Es256, Algorithm::Rs256], typ: None };
        assert_eq!(check(&token, &policy).unwrap_err(), JwsError::AlgorithmNotAllowed);
    }
}

/// "Decode the first half as a point R, and the second half as an integer S, in the range 0 <= s < L"
/// (RFC 8032 §5.1.7).
#[test]
fn an_ed25519_signature_has_exactly_64_octets_and_one_form() {
    let good = token(&ed25519_key(), Some("okp"), None, PAYLOAD);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let signature = base64url::decode(signature).unwrap();
    let (r, s) = signature.split_at(32);
    // L in little endian.
    let mut order = [0; 32];
    order[..16].copy_from_slice(&0x14de_f9de_a2f7_9cd6_5812_631a_5cf5_d3ed_u128.to_le_bytes());
    order[31] = 0x10;
    let mut carry = 0;
    let mut add = |(a, b): (&u8, &u8)| {
        let sum = u16::from(*a) + u16::from(*b) + carry;
        carry = sum >> 8;
        sum.to_le_bytes()[0]
    };
    let malleable: Vec<u8> = s.iter().zip(&order).map(&mut add).collect();
    let identity = [&[1][..], &[0; 31]].concat();
    for bad in [
        &signature[..63],
        &[&signature[..], &[0]].concat(),
        &[r, &malleable].concat(),
        &[r, &order[..]].concat(),
        &[r, &[0; 32]].concat(),
        &[&identity[..], s].concat(),
        &[&identity[..], &[0; 32]].concat(),
        &[s, r].concat(),
        &[0; 64],
        &[0xff; 64],
    ] {
        refused(&format!("{input}.{}", base64url::encode(bad)), invalid_signature());
    }
}

#[test]
fn a_signature_of_another_token_or_key_is_invalid() {
    let other = SigningKey::from_jwk(crate::vectors::RFC_7515_A3_KEY.as_bytes()).unwrap().0;
    refused(&token(&other, Some("ec"), None, PAYLOAD), invalid_signature());
    let (one, two) =
        (token(&es256_key(), Some("ec"), None, PAYLOAD), token(&es256_key(), Some("ec"), None, b"{}"));
    let (input, _) = one.rsplit_once('.').unwrap();
    let (_, signature) = two.rsplit_once('.').unwrap();
    refused(&format!("{input}.{signature}"), invalid_signature());
}

#[test]
fn the_type_must_be_the_one_expected_with_or_without_its_prefix() {
    let policy = Policy { algorithms: Algorithm::ALL, typ: Some("at+jwt") };
    let typed = |typ| check(&token(&es256_key(), Some("ec"), typ, PAYLOAD), &policy).map(|_| ());
    for typ in ["at+jwt", "application/at+jwt", "AT+JWT", "Application/At+Jwt"] {
        assert_eq!(typed(Some(typ)), Ok(()), "{typ}");
    }
    let others =
        ["JWT", "", "at+jwt ", "application/", "application/application/at+jwt", "text/at+jwt", "dpop+jwt"];
    for typ in others.map(Some).into_iter().chain([None]) {
        assert_eq!(typed(typ), Err(JwsError::WrongType), "{typ:?}");
    }
    // A multi-byte character where the prefix would end.
    assert_eq!(typed(Some("applicatio\u{e9}\u{e9}")), Err(JwsError::WrongType));
}

#[test]
fn claims_must_be_an_object_with_unique_names() {
    for payload in ["", "1", "[]", "\"x\"", r#"{"sub":"a","sub":"b"}"#, r#"{"cnf":{"jkt":"a","jkt":"b"}}"#] {
        let verified = check(&token(&es256_key(), Some("ec"), None, payload.as_bytes()), &ANY).unwrap();
        assert_eq!(verified.into_claims().unwrap_err(), JwsError::MalformedClaims, "{payload}");
    }
}

/// A signer in memory, as the keystore is one behind an interface.
struct Memory(SigningKey, usize);

impl Signer for Memory {
    type Error = &'static str;

    async fn sign(&self, kid: &str, input: &[u8]) -> Result<Vec<u8>, &'static str> {
        if kid != "ec" {
            return Err("no such key");
        }
        let mut signature = self.0.sign(&mut rng(), input).ok_or("cannot sign")?;
        signature.truncate(self.1);
        Ok(signature)
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("nothing here waits"),
    }
}

#[test]
fn a_token_signed_elsewhere_verifies() {
    let claims = json!({ "sub": "alice" });
    let token = now(sign_jwt(&Memory(es256_key(), 64), "ec", Algorithm::Es256, "at+jwt", &claims)).unwrap();
    let policy = Policy { algorithms: &[Algorithm::Es256], typ: Some("at+jwt") };
    let verified = check(&token, &policy).unwrap();
    assert_eq!(verified.header().kid.as_deref(), Some("ec"));
    assert_eq!(verified.payload(), claims.to_string().as_bytes());
}

#[test]
fn a_signers_failures_do_not_make_tokens() {
    let sign =
        |kid, length| now(sign_jwt(&Memory(es256_key(), length), kid, Algorithm::Es256, "JWT", &json!({})));
    assert_eq!(sign("other", 64), Err(SignError::Signer("no such key")));
    assert_eq!(sign("ec", 63), Err(SignError::WrongLength));
    assert_eq!(SigningInput::new(Algorithm::Es256, None, None, b"").join(&[0; 72]), None);
}
