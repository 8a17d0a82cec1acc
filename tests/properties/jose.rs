//! Tokens and keys.

use attesto::jose::jws::Policy;
use attesto::jose::{Algorithm, Jwk, JwkSet, SigningInput, UnverifiedJws, base64url};
use proptest::collection::vec;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::{Map, Value, json};

use crate::host::KEYS;

const ANY: Policy<'_> = Policy { algorithms: Algorithm::ALL, typ: None };

/// JSON of any shape, with members that keys and headers have.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        proptest::sample::select(["EC", "RSA", "P-256", "ES256", "none", "sig", "AQAB"].as_slice())
            .prop_map(Value::from),
        vec(any::<u8>(), 0..40).prop_map(|octets| base64url::encode(octets).into()),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let name = prop_oneof!["kty|crv|x|y|n|e|d|k|alg|use|key_ops|kid|typ|crit|keys", ".{0,5}"];
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((name, inner), 0..6).prop_map(|members| Value::from(Map::from_iter(members))),
        ]
    })
}

fn signed(payload: &[u8]) -> String {
    let input = SigningInput::new(Algorithm::Es256, Some("k"), None, payload);
    let signature = KEYS[0].sign(&mut ChaCha20Rng::seed_from_u64(7), input.as_bytes()).unwrap();
    input.join(&signature).unwrap()
}

fn keys() -> JwkSet {
    JwkSet::new([KEYS[0].public_jwk(Some("k"))])
}

proptest! {
    #[test]
    fn octets_survive_base64url(octets in vec(any::<u8>(), 0..100)) {
        prop_assert_eq!(base64url::decode(&base64url::encode(&octets)), Ok(octets));
    }

    #[test]
    fn octets_have_one_spelling(text in prop_oneof!["[A-Za-z0-9_=-]{0,20}", ".{0,20}"]) {
        if let Ok(octets) = base64url::decode(&text) {
            prop_assert_eq!(base64url::encode(octets), text);
        }
    }

    #[test]
    fn any_json_is_a_key_or_refused(value in value()) {
        for text in [value.to_string(), json!({ "keys": [value] }).to_string(), json!({ "keys": value }).to_string()] {
            if let Ok(jwk) = Jwk::from_json(text.as_bytes()) {
                let again = jwk.to_value().to_string();
                prop_assert_eq!(Jwk::from_json(again.as_bytes()), Ok(jwk));
            }
            let _ = JwkSet::from_json(text.as_bytes());
        }
    }

    #[test]
    fn any_text_is_a_token_or_refused(header in value(), payload in value(), tail in ".{0,30}", text in ".{0,60}") {
        let [header, payload] = [header, payload].map(|value| base64url::encode(value.to_string()));
        for text in [format!("{header}.{payload}.{tail}"), text] {
            if let Ok(token) = UnverifiedJws::parse(&text) {
                prop_assert!(token.verify(&keys(), &ANY).is_err());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_signed_payload_comes_back_and_no_other_text_does(
        payload in value(), index in any::<prop::sample::Index>(), octet in any::<char>(),
    ) {
        let payload = payload.to_string();
        let token = signed(payload.as_bytes());
        let verified = UnverifiedJws::parse(&token).unwrap().verify(&keys(), &ANY).unwrap();
        prop_assert_eq!(verified.payload(), payload.as_bytes());
        let _ = verified.into_claims();

        let place = index.index(token.len());
        let forged: String = token.chars().enumerate().map(|(i, c)| if i == place { octet } else { c }).collect();
        let accepted = UnverifiedJws::parse(&forged).is_ok_and(|forged| forged.verify(&keys(), &ANY).is_ok());
        prop_assert_eq!(accepted, forged == token);
    }

    #[test]
    fn claims_of_any_type_are_judged(claims in value(), now in any::<u64>()) {
        let token = signed(json!({
            "exp": claims, "nbf": claims, "iat": claims, "iss": claims, "aud": claims, "sub": claims,
        }).to_string().as_bytes());
        let claims = UnverifiedJws::parse(&token).unwrap().verify(&keys(), &ANY).unwrap().into_claims().unwrap();
        let (now, skew) = (attesto::jose::NumericDate::from_secs(now), std::time::Duration::from_secs(60));
        let _ = (claims.check_exp(now, skew), claims.check_nbf(now, skew), claims.check_iat(now, skew));
        let _ = (claims.check_iss("x"), claims.check_aud(&["x"]), claims.required_string("sub"));
    }
}
