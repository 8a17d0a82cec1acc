//! What a key must be to be used.

use attesto::jose::{Algorithm, Jwk, JwkSet, KeyError, SelectError, SigningKey, VerifyingKey, base64url};
use serde_json::{Value, json};

use crate::{ed25519_key, es256_key, ps256_key, public, rng, rs256_key, vectors};

fn ec() -> Value {
    Jwk::new(es256_key().verifying_key()).to_value()
}

fn rsa() -> Value {
    Jwk::new(rs256_key().verifying_key()).to_value()
}

fn okp() -> Value {
    Jwk::new(ed25519_key().verifying_key()).to_value()
}

/// The key with some members replaced, or removed by `null`.
fn with(mut key: Value, changes: Value) -> Value {
    let members = key.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    key
}

fn parse(key: &Value) -> Result<Jwk, KeyError> {
    Jwk::from_json(key.to_string().as_bytes())
}

fn refused(key: Value, changes: Value, reason: KeyError) {
    let key = with(key, changes.clone());
    assert_eq!(parse(&key), Err(reason), "{changes}");
}

#[test]
fn a_public_key_round_trips_through_its_jwk() {
    for key in [es256_key(), ed25519_key(), ps256_key(), rs256_key()] {
        let jwk = key.public_jwk(Some("a"));
        assert_eq!(parse(&jwk.to_value()), Ok(jwk.clone()));
        // The curve says it, and a name would hide the key from tokens that bear the other one.
        let named = (key.algorithm() != Algorithm::Ed25519).then(|| key.algorithm());
        assert_eq!(jwk.algorithm(), named);
        assert_eq!(jwk.kid(), Some("a"));
        let text = serde_json::to_string(&JwkSet::new([jwk.clone()])).unwrap();
        assert_eq!(JwkSet::from_json(text.as_bytes()).unwrap().keys(), [jwk]);
    }
}

#[test]
fn a_key_without_a_name_is_published_under_its_thumbprint() {
    let key = es256_key();
    let jwk = key.public_jwk(None);
    assert_eq!(jwk.kid(), Some(jwk.thumbprint().to_string().as_str()));
}

#[test]
fn metadata_does_not_change_the_thumbprint() {
    let key = parse(&ec()).unwrap();
    assert_eq!(key.thumbprint(), key.clone().with_kid("x").with_algorithm(Algorithm::Es256).thumbprint());
}

#[test]
fn private_and_symmetric_members_are_refused_in_a_public_key() {
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
        refused(ec(), json!({ name: "AQAB" }), KeyError::PrivateKey);
        refused(rsa(), json!({ name: "AQAB" }), KeyError::PrivateKey);
    }
    refused(ec(), json!({ "d": 1 }), KeyError::PrivateKey);
}

#[test]
fn keys_of_other_kinds_are_unsupported() {
    refused(ec(), json!({ "kty": "oct" }), KeyError::UnknownKeyType);
    refused(ec(), json!({ "kty": "ec" }), KeyError::UnknownKeyType);
    refused(ec(), json!({ "kty": "OKP" }), KeyError::UnknownCurve);
    refused(ec(), json!({ "kty": "AKP" }), KeyError::UnknownKeyType);
    for crv in ["Ed448", "X25519", "X448", "ed25519", "P-256"] {
        refused(okp(), json!({ "crv": crv }), KeyError::UnknownCurve);
    }
    refused(ec(), json!({ "crv": "P-384" }), KeyError::UnknownCurve);
    refused(ec(), json!({ "crv": "secp256k1" }), KeyError::UnknownCurve);
    refused(ec(), json!({ "alg": "none" }), KeyError::UnknownAlgorithm);
    refused(rsa(), json!({ "alg": "HS256" }), KeyError::UnknownAlgorithm);
}

#[test]
fn required_members_must_be_there_and_of_their_type() {
    for name in ["kty", "crv", "x", "y"] {
        let reason = KeyError::Missing(name);
        refused(ec(), json!({ name: null }), reason.clone());
        refused(ec(), json!({ name: 1 }), KeyError::Malformed);
        if name != "y" {
            refused(okp(), json!({ name: null }), reason);
            refused(okp(), json!({ name: 1 }), KeyError::Malformed);
        }
    }
    for name in ["n", "e"] {
        refused(rsa(), json!({ name: null }), KeyError::Missing(name));
        refused(rsa(), json!({ name: 65537 }), KeyError::Malformed);
        refused(rsa(), json!({ name: "AQAB=" }), KeyError::Malformed);
    }
    for name in ["kid", "alg", "use"] {
        refused(ec(), json!({ name: 1 }), KeyError::Malformed);
    }
    assert_eq!(Jwk::from_json(b"[]"), Err(KeyError::Malformed));
    let repeated = ec().to_string().replacen('{', "{\"kty\":\"EC\",", 1);
    assert_eq!(Jwk::from_json(repeated.as_bytes()), Err(KeyError::Malformed));
}

#[test]
fn an_algorithm_of_another_kind_of_key_is_refused() {
    refused(ec(), json!({ "alg": "RS256" }), KeyError::AlgorithmMismatch);
    refused(rsa(), json!({ "alg": "ES256" }), KeyError::AlgorithmMismatch);
    refused(rsa(), json!({ "alg": "EdDSA" }), KeyError::AlgorithmMismatch);
    refused(okp(), json!({ "alg": "ES256" }), KeyError::AlgorithmMismatch);
    refused(okp(), json!({ "alg": "PS256" }), KeyError::AlgorithmMismatch);
    refused(okp(), json!({ "alg": "Ed448" }), KeyError::UnknownAlgorithm);
}

#[test]
fn an_rsa_key_is_for_both_its_algorithms_until_it_names_one() {
    let admitted = |alg: Value| {
        let key = parse(&with(rsa(), json!({ "alg": alg }))).unwrap();
        Algorithm::ALL.iter().copied().filter(|alg| key.admits(*alg)).collect::<Vec<_>>()
    };
    assert_eq!(admitted(Value::Null), [Algorithm::Ps256, Algorithm::Rs256]);
    assert_eq!(admitted("PS256".into()), [Algorithm::Ps256]);
    assert_eq!(admitted("RS256".into()), [Algorithm::Rs256]);
}

#[test]
fn either_name_of_ed25519_admits_the_other() {
    for alg in [Value::Null, "Ed25519".into(), "EdDSA".into()] {
        let key = parse(&with(okp(), json!({ "alg": alg, "kid": "a" }))).unwrap();
        let set = JwkSet::new([key.clone()]);
        for name in [Algorithm::Ed25519, Algorithm::EdDsa] {
            assert_eq!(set.select(Some("a"), name), Ok(&key), "{alg} {name}");
        }
        assert_eq!(set.select(Some("a"), Algorithm::Es256), Err(SelectError::UnknownKey));
    }
}

#[test]
fn an_ed25519_point_has_32_octets_in_canonical_form_and_a_large_order() {
    let x = base64url::decode(okp()["x"].as_str().unwrap()).unwrap();
    refused(okp(), json!({ "x": base64url::encode(&x[..31]) }), KeyError::WrongCoordinateLength);
    refused(
        okp(),
        json!({ "x": base64url::encode([&x[..], &[0]].concat()) }),
        KeyError::WrongCoordinateLength,
    );
    refused(okp(), json!({ "x": base64url::encode([0; 32]) }), KeyError::SmallOrder);
    refused(okp(), json!({ "x": base64url::encode([0xff; 32]) }), KeyError::NotOnCurve);
    // y = 2 gives no square.
    let y = [&[2][..], &[0; 31]].concat();
    refused(okp(), json!({ "x": base64url::encode(y) }), KeyError::NotOnCurve);
}

#[test]
fn use_and_key_ops_are_honoured() {
    refused(ec(), json!({ "use": "enc" }), KeyError::NotForSignatures);
    refused(ec(), json!({ "use": "SIG" }), KeyError::NotForSignatures);
    refused(ec(), json!({ "key_ops": [] }), KeyError::NotForSignatures);
    refused(ec(), json!({ "key_ops": ["sign"] }), KeyError::NotForSignatures);
    refused(ec(), json!({ "use": null, "key_ops": ["encrypt"] }), KeyError::NotForSignatures);
    // The two contradict each other.
    refused(ec(), json!({ "use": "sig", "key_ops": ["verify", "encrypt"] }), KeyError::NotForSignatures);
    refused(ec(), json!({ "key_ops": ["verify", "verify"] }), KeyError::Malformed);
    refused(ec(), json!({ "key_ops": "verify" }), KeyError::Malformed);
    refused(ec(), json!({ "key_ops": [1] }), KeyError::Malformed);
    for changes in
        [json!({ "use": null }), json!({ "key_ops": ["verify"] }), json!({ "key_ops": ["sign", "verify"] })]
    {
        assert!(parse(&with(ec(), changes.clone())).is_ok(), "{changes}");
    }
}

#[test]
fn a_point_must_be_on_the_curve_and_of_full_length() {
    let coordinate = |name: &str| base64url::decode(ec()[name].as_str().unwrap()).unwrap();
    let mut y = coordinate("y");
    y[31] ^= 1;
    refused(ec(), json!({ "y": base64url::encode(&y) }), KeyError::NotOnCurve);
    refused(ec(), json!({ "x": ec()["y"], "y": ec()["x"] }), KeyError::NotOnCurve);
    // The point at infinity has no coordinates, and (0, 0) is no stand-in for it.
    let zero = base64url::encode([0; 32]);
    refused(ec(), json!({ "x": zero, "y": zero }), KeyError::NotOnCurve);
    // Not below the field's prime.
    refused(ec(), json!({ "x": base64url::encode([0xff; 32]) }), KeyError::NotOnCurve);
    let x = coordinate("x");
    refused(ec(), json!({ "x": base64url::encode(&x[..31]) }), KeyError::WrongCoordinateLength);
    refused(
        ec(),
        json!({ "x": base64url::encode([&[0], &x[..]].concat()) }),
        KeyError::WrongCoordinateLength,
    );
    refused(ec(), json!({ "x": "" }), KeyError::WrongCoordinateLength);
}

#[test]
fn an_rsa_modulus_must_have_2048_to_8192_bits_and_be_odd() {
    // Odd, with the top bit of the first octet set.
    let modulus = |octets: usize| base64url::encode([&[0x80][..], &vec![0; octets - 2], &[1]].concat());
    assert!(parse(&with(rsa(), json!({ "n": modulus(256) }))).is_ok());
    assert!(parse(&with(rsa(), json!({ "n": modulus(1024) }))).is_ok());
    refused(rsa(), json!({ "n": modulus(255) }), KeyError::ModulusTooSmall);
    refused(rsa(), json!({ "n": modulus(128) }), KeyError::ModulusTooSmall);
    refused(rsa(), json!({ "n": modulus(64) }), KeyError::ModulusTooSmall);
    refused(rsa(), json!({ "n": modulus(1025) }), KeyError::ModulusTooLarge);
    // 2047 bits in 256 octets.
    let n = [&[0x40][..], &vec![0; 254], &[1]].concat();
    refused(rsa(), json!({ "n": base64url::encode(n) }), KeyError::ModulusTooSmall);
    let n = [&[0x80][..], &vec![0; 255]].concat();
    refused(rsa(), json!({ "n": base64url::encode(n) }), KeyError::InvalidModulus);
}

#[test]
fn an_rsa_integer_must_be_in_its_shortest_form() {
    let n = base64url::decode(rsa()["n"].as_str().unwrap()).unwrap();
    refused(rsa(), json!({ "n": base64url::encode([&[0], &n[..]].concat()) }), KeyError::NotMinimalInteger);
    refused(rsa(), json!({ "e": base64url::encode([0, 1, 0, 1]) }), KeyError::NotMinimalInteger);
    refused(rsa(), json!({ "n": "" }), KeyError::NotMinimalInteger);
    refused(rsa(), json!({ "e": "" }), KeyError::NotMinimalInteger);
}

#[test]
fn small_even_and_huge_rsa_exponents_are_refused() {
    for e in [
        &[1_u8][..],
        &[3],
        &[17],
        &[0xff, 0xff],
        &[1, 0, 0],
        &[1, 0, 2],
        &[2, 0, 0, 0, 1],
        &[0xff; 9],
        &[1; 300],
    ] {
        refused(rsa(), json!({ "e": base64url::encode(e) }), KeyError::UnacceptableExponent);
    }
    assert!(parse(&with(rsa(), json!({ "e": base64url::encode([1, 0, 3]) }))).is_ok());
}

#[test]
fn a_set_skips_what_it_does_not_understand() {
    let good = public(&es256_key(), "good").to_value();
    let set = json!({ "keys": [
        { "kty": "AKP", "alg": "ML-DSA-44", "pub": "AQAB" },
        { "kty": "EC", "crv": "P-521" },
        { "kty": "RSA", "n": "AQAB", "e": "AQAB" },
        { "alg": "ES256" },
        good,
    ], "more": 1 });
    let set = JwkSet::from_json(set.to_string().as_bytes()).unwrap();
    assert_eq!(set.keys().len(), 1);
    assert_eq!(
        set.skipped(),
        [
            KeyError::UnknownKeyType,
            KeyError::UnknownCurve,
            KeyError::ModulusTooSmall,
            KeyError::Missing("kty")
        ]
    );
}

#[test]
fn a_private_key_in_a_set_refuses_the_whole_set() {
    let good = public(&es256_key(), "good").to_value();
    let set = json!({ "keys": [good, with(ec(), json!({ "d": "AQAB" }))] });
    assert_eq!(JwkSet::from_json(set.to_string().as_bytes()), Err(KeyError::PrivateKey));
    // A symmetric key has `k`, and publishing it is the same accident.
    let set = json!({ "keys": [{ "kty": "oct", "k": "AQAB" }] });
    assert_eq!(JwkSet::from_json(set.to_string().as_bytes()), Err(KeyError::PrivateKey));
}

#[test]
fn what_is_not_a_key_set_is_refused() {
    for (text, reason) in [
        ("{}", KeyError::Missing("keys")),
        (r#"{"keys":{}}"#, KeyError::Malformed),
        (r#"{"keys":[1]}"#, KeyError::Malformed),
        (r#"{"keys":[],"keys":[]}"#, KeyError::Malformed),
        ("<html>", KeyError::Malformed),
    ] {
        assert_eq!(JwkSet::from_json(text.as_bytes()), Err(reason), "{text}");
    }
    let many = json!({ "keys": vec![json!({ "kty": "oct" }); 65] });
    assert_eq!(JwkSet::from_json(many.to_string().as_bytes()), Err(KeyError::SetTooLarge));
    assert_eq!(JwkSet::from_json(&vec![b' '; 256 * 1024 + 1]), Err(KeyError::SetTooLarge));
    assert_eq!(JwkSet::from_json(br#"{"keys":[]}"#), Ok(JwkSet::default()));
}

#[test]
fn the_key_is_selected_by_its_exact_name_and_algorithm() {
    let (ec, rsa) = (public(&es256_key(), "a"), public(&rs256_key(), "b"));
    let set = JwkSet::new([ec.clone(), rsa.clone()]);
    assert_eq!(set.select(Some("a"), Algorithm::Es256), Ok(&ec));
    assert_eq!(set.select(Some("b"), Algorithm::Rs256), Ok(&rsa));
    assert_eq!(set.select(Some("a"), Algorithm::Rs256), Err(SelectError::UnknownKey));
    assert_eq!(set.select(Some("A"), Algorithm::Es256), Err(SelectError::UnknownKey));
    assert_eq!(set.select(Some(""), Algorithm::Es256), Err(SelectError::UnknownKey));
    // Without a name, the only key of the kind.
    assert_eq!(set.select(None, Algorithm::Es256), Ok(&ec));
    assert_eq!(JwkSet::default().select(None, Algorithm::Es256), Err(SelectError::UnknownKey));
}

#[test]
fn keys_that_share_a_name_are_told_apart_by_type_and_otherwise_ambiguous() {
    let other = SigningKey::from_jwk(vectors::RFC_7515_A3_KEY.as_bytes()).unwrap().0;
    let (ec, rsa) = (public(&es256_key(), "a"), public(&rs256_key(), "a"));
    let set = JwkSet::new([ec.clone(), rsa]);
    assert_eq!(set.select(Some("a"), Algorithm::Es256), Ok(&ec));
    let set = JwkSet::new([ec, public(&other, "a")]);
    assert_eq!(set.select(Some("a"), Algorithm::Es256), Err(SelectError::Ambiguous));
    assert_eq!(set.select(None, Algorithm::Es256), Err(SelectError::Ambiguous));
}

#[test]
fn a_private_key_round_trips_through_pkcs8() {
    for key in [es256_key(), rs256_key()] {
        let pem = key.to_pkcs8_pem().unwrap();
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        let again = SigningKey::from_pkcs8_pem(&pem).unwrap();
        assert_eq!((again.algorithm(), again.verifying_key()), (key.algorithm(), key.verifying_key()));
    }
    assert_eq!(
        SigningKey::from_pkcs8_pem("-----BEGIN PRIVATE KEY-----\n").unwrap_err(),
        KeyError::InvalidPrivateKey
    );
    assert_eq!(SigningKey::from_pkcs8_der(&[]).unwrap_err(), KeyError::InvalidPrivateKey);
}

#[test]
fn a_private_jwk_must_hold_together() {
    let refused = |changes: Value, reason: KeyError| {
        let ec: Value = serde_json::from_str(vectors::RFC_7515_A3_KEY).unwrap();
        let key = with(ec, changes).to_string();
        assert_eq!(SigningKey::from_jwk(key.as_bytes()).unwrap_err(), reason);
    };
    refused(json!({ "d": null }), KeyError::Missing("d"));
    refused(json!({ "d": 1 }), KeyError::InvalidPrivateKey);
    refused(json!({ "d": "A A" }), KeyError::Malformed);
    refused(json!({ "d": base64url::encode([0; 32]) }), KeyError::InvalidPrivateKey);
    refused(json!({ "d": base64url::encode([0xff; 32]) }), KeyError::InvalidPrivateKey);
    refused(json!({ "use": "enc" }), KeyError::NotForSignatures);
    refused(json!({ "key_ops": ["verify"] }), KeyError::NotForSignatures);
    // Somebody else's public half.
    refused(json!({ "x": ec()["x"], "y": ec()["y"] }), KeyError::InvalidPrivateKey);

    let rsa = |changes: Value| {
        let rsa: Value = serde_json::from_str(vectors::RFC_7515_A2_KEY).unwrap();
        SigningKey::from_jwk(with(rsa, changes).to_string().as_bytes()).map(|(key, _)| key.verifying_key())
    };
    // The factors can be found again from n, e and d.
    assert_eq!(rsa(json!({ "p": null, "q": null })), Ok(rs256_key().verifying_key()));
    assert_eq!(rsa(json!({ "q": null })), Err(KeyError::InvalidPrivateKey));
    assert_eq!(rsa(json!({ "oth": [] })), Err(KeyError::InvalidPrivateKey));
    assert_eq!(rsa(json!({ "d": "AQAB" })), Err(KeyError::InvalidPrivateKey));
    assert_eq!(rsa(json!({ "p": "AQAB" })), Err(KeyError::InvalidPrivateKey));
}

#[test]
fn a_private_jwk_keeps_its_name() {
    let key = with(serde_json::from_str(vectors::RFC_7515_A3_KEY).unwrap(), json!({ "kid": "mine" }));
    assert_eq!(SigningKey::from_jwk(key.to_string().as_bytes()).unwrap().1.as_deref(), Some("mine"));
}

#[test]
fn private_keys_round_trip_through_pem_and_jwk() {
    for key in [es256_key(), ed25519_key(), ps256_key(), rs256_key()] {
        let from_pem = SigningKey::from_pkcs8_pem(&key.to_pkcs8_pem().unwrap()).unwrap();
        // PEM does not know of PS256.
        let from_pem = from_pem.with_algorithm(key.algorithm()).unwrap();
        let mut jwk = key.public_jwk(Some("mine")).to_value();
        for (name, value) in key.private_jwk_members() {
            jwk[name] = value.as_str().into();
        }
        let (from_jwk, kid) = SigningKey::from_jwk(jwk.to_string().as_bytes()).unwrap();
        assert_eq!(kid.as_deref(), Some("mine"));
        for read in [from_pem, from_jwk] {
            assert_eq!(read.algorithm(), key.algorithm());
            assert_eq!(read.verifying_key(), key.verifying_key());
        }
    }
}

#[test]
fn public_keys_round_trip_through_pem() {
    for key in [es256_key(), ed25519_key(), rs256_key()].map(|key| key.verifying_key()) {
        let pem = key.to_spki_pem().unwrap();
        assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n"), "{pem}");
        assert_eq!(VerifyingKey::from_spki_pem(&pem), Ok(key));
    }
    let private = es256_key().to_pkcs8_pem().unwrap();
    assert_eq!(VerifyingKey::from_spki_pem(&private), Err(KeyError::Malformed));
    assert_eq!(VerifyingKey::from_spki_pem(""), Err(KeyError::Malformed));
    assert_eq!(VerifyingKey::from_spki_der(&[]), Err(KeyError::Malformed));
}

#[test]
fn an_rsa_key_signs_with_rs256_unless_it_is_told_otherwise() {
    assert_eq!(rs256_key().algorithm(), Algorithm::Rs256);
    let with_alg = |alg: Value| {
        let rsa: Value = serde_json::from_str(vectors::RFC_7515_A2_KEY).unwrap();
        let jwk = with(rsa, json!({ "alg": alg })).to_string();
        SigningKey::from_jwk(jwk.as_bytes()).map(|(key, _)| key.algorithm())
    };
    assert_eq!(with_alg(Value::Null), Ok(Algorithm::Rs256));
    assert_eq!(with_alg("RS256".into()), Ok(Algorithm::Rs256));
    assert_eq!(with_alg("PS256".into()), Ok(Algorithm::Ps256));
    assert_eq!(with_alg("PS384".into()), Err(KeyError::UnknownAlgorithm));
    assert_eq!(ps256_key().with_algorithm(Algorithm::Rs256).unwrap().algorithm(), Algorithm::Rs256);
    for (key, other) in [
        (rs256_key(), Algorithm::Es256),
        (rs256_key(), Algorithm::EdDsa),
        (es256_key(), Algorithm::Rs256),
        (ed25519_key(), Algorithm::Ps256),
    ] {
        assert_eq!(key.with_algorithm(other).unwrap_err(), KeyError::AlgorithmMismatch);
    }
    assert_eq!(ed25519_key().with_algorithm(Algorithm::EdDsa).unwrap().algorithm(), Algorithm::Ed25519);
}

#[test]
fn an_ed25519_private_jwk_must_hold_together() {
    let refused = |changes: Value, reason: KeyError| {
        let okp: Value = serde_json::from_str(vectors::RFC_8037_A1_KEY).unwrap();
        let key = with(okp, changes).to_string();
        assert_eq!(SigningKey::from_jwk(key.as_bytes()).unwrap_err(), reason);
    };
    refused(json!({ "d": null }), KeyError::Missing("d"));
    refused(json!({ "d": base64url::encode([1; 31]) }), KeyError::InvalidPrivateKey);
    refused(json!({ "d": base64url::encode([1; 33]) }), KeyError::InvalidPrivateKey);
    // Another key's private half.
    refused(json!({ "d": base64url::encode([1; 32]) }), KeyError::InvalidPrivateKey);
    refused(json!({ "crv": "X25519" }), KeyError::UnknownCurve);
    refused(json!({ "alg": "ES256" }), KeyError::AlgorithmMismatch);
}

#[test]
fn small_rsa_keys_are_neither_made_nor_read() {
    let make = attesto::jose::rs256::SigningKey::generate;
    assert_eq!(make(&mut rng(), 1024).unwrap_err(), KeyError::ModulusTooSmall);
    assert_eq!(make(&mut rng(), 16_384).unwrap_err(), KeyError::ModulusTooLarge);
}

#[test]
fn debug_output_shows_no_number_of_a_private_key() {
    assert_eq!(format!("{:?}", es256_key()), "Es256(es256::SigningKey { .. })");
    assert_eq!(format!("{:?}", ed25519_key()), "Ed25519(ed25519::SigningKey { .. })");
    assert_eq!(format!("{:?}", rs256_key()), "Rs256(rsa_key::PrivateKey { .. })");
}
