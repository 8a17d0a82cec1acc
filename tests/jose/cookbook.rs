//! The JOSE cookbook (RFC 7520): what is done here verifies, what is not is refused by name.

use attesto::jose::jws::Policy;
use attesto::jose::{Algorithm, Jwk, JwkSet, JwsError, KeyError, SigningKey, UnverifiedJws, base64url};
use serde_json::{Map, Value};

/// §3.4, the private RSA key; §3.3 is its public half.
const RSA_KEY: &str = "{\"kty\":\"RSA\",\
    \"kid\":\"bilbo.baggins@hobbiton.example\",\
    \"use\":\"sig\",\
    \"n\":\"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmS\
    CpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6c\
    S6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mz\
    SnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw\",\
    \"e\":\"AQAB\",\
    \"d\":\"bWUC9B-EFRIo8kpGfh0ZuyGPvMNKvYWNtB_ikiH9k20eT-O1q_I78eiZkpXxXQ0UTEs2LsNRS-8uJbvQ-A1irkwMSMkK\
    1J3XTGgdrhCku9gRldY7sNA_AKZGh-Q661_42rINLRCe8W-nZ34ui_qOfkLnK9QWDDqpaIsA-bMwWWSDFu2MUBYwkHTMEzLYGqOe\
    04noqeq1hExBTHBOBdkMXiuFhUq1BU6l-DqEiWxqg82sXt2h-LMnT3046AOYJoRioz75tSUQfGCshWTBnP5uDjd18kKhyv07lhfS\
    JdrPdM5Plyl21hsFf4L_mHCuoFau7gdsPfHPxxjVOcOpBrQzwQ\",\
    \"p\":\"3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2TDjDAWU4Vupk8rw9JR0A\
    zZ0N2fvuIAmr_WCsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhEsrmndH6LxOrvRJlsPp6Zv8bUq0k\",\
    \"q\":\"uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdqDyI95HrUeq3MP15vMMON\
    8lHTeZu2lmKvwqW7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-hdqRxHlSqAZ192zB3pVFJ0s7pFc\",\
    \"dp\":\"B8PVvXkvJrj2L-GYQ7v3y9r6Kw5g9SahXBwsWUzp19TVlgI-YV85q1NIb1rxQtD-IsXXR3-TanevuRPRt5OBOdiMGQp\
    8pbt26gljYfKU_E9xn-RULHz0-ed9E9gXLKD4VGngpz-PfQ_q29pk5xWHoJp009Qf1HvChixRX59ehik\",\
    \"dq\":\"CLDmDGduhylc9o7r84rEUVn7pzQ6PF83Y-iBZx5NT-TpnOZKF1pErAMVeKzFEl41DlHHqqBLSM0W1sOFbwTxYWZDm6s\
    I6og5iTbwQGIC3gnJKbi_7k_vJgGHwHxgPaX2PnvP-zyEkDERuf-ry4c_Z11Cq9AqC2yeL6kdKT1cYF8\",\
    \"qi\":\"3PiqvXQN0zwMeE-sBvZgi289XP9XCQF3VWqPzMKnIgQp7_Tugo6-NZBKCQsMf3HaEGBjTVJs_jcK8-TRXvaKe-7ZMaQ\
    j8VfBdYkssbu0NKDDhjJ-GtiseaDVWt7dcH0cfwxgFUHpQh7FoCrjFJ6h6ZEpMF6xmujs4qMpPz8aaI4\"}";

/// §3.1, a key on P-521.
const EC_KEY: &str = "{\"kty\":\"EC\",\
    \"kid\":\"bilbo.baggins@hobbiton.example\",\
    \"use\":\"sig\",\
    \"crv\":\"P-521\",\
    \"x\":\"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt\",\
    \"y\":\"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1\"}";

/// §3.5, a symmetric key.
const SYMMETRIC_KEY: &str = "{\"kty\":\"oct\",\
    \"kid\":\"018c0ae5-4d9b-471b-bfd6-eef314bc7037\",\
    \"use\":\"sig\",\
    \"alg\":\"HS256\",\
    \"k\":\"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg\"}";

/// §4, Figure 7.
const PAYLOAD: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUg\
    cm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0\
    IGJlIHN3ZXB0IG9mZiB0by4";

/// §4.1, the protected header and the signature.
const RS256: [&str; 2] = [
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
    "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi8\
     4wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocS\
     adnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJu\
     shZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg",
];

/// §4.2, `PS384`.
const PS384: [&str; 2] = [
    "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
    "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItl\
     lVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0\
     TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0\
     uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw",
];

/// §4.3, `ES512`.
const ES512: [&str; 2] = [
    "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
    "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_\
     sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2",
];

/// §4.4, `HS256`.
const HS256: [&str; 2] = [
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9",
    "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0",
];

const ANY: Policy<'_> = Policy { algorithms: Algorithm::ALL, typ: None };

fn rsa_key() -> (SigningKey, String) {
    let (key, kid) = SigningKey::from_jwk(RSA_KEY.as_bytes()).unwrap();
    (key, kid.unwrap())
}

fn token([header, signature]: [&str; 2]) -> String {
    format!("{header}.{PAYLOAD}.{signature}")
}

#[test]
fn section_4_1_rs256_token_verifies() {
    let (key, kid) = rsa_key();
    let keys = JwkSet::new([key.public_jwk(Some(&kid))]);
    let verified = UnverifiedJws::parse(&token(RS256)).unwrap().verify(&keys, &ANY).unwrap();
    let text = String::from_utf8(verified.payload().to_vec()).unwrap();
    assert!(text.starts_with("It\u{2019}s a dangerous business, Frodo"), "{text}");
}

/// The scheme is deterministic, so signing reproduces the printed signature.
#[test]
fn section_4_1_signature_is_reproduced() {
    let (key, _) = rsa_key();
    let [header, signature] = RS256;
    let made = key.sign(&mut crate::rng(), format!("{header}.{PAYLOAD}").as_bytes()).unwrap();
    assert_eq!(base64url::encode(made), signature);
}

#[test]
fn sections_4_2_to_4_4_are_of_algorithms_not_done_here() {
    for other in [PS384, ES512, HS256] {
        assert_eq!(UnverifiedJws::parse(&token(other)).unwrap_err(), JwsError::UnknownAlgorithm);
    }
}

#[test]
fn section_3_4_key_is_written_as_it_was_read() {
    let (key, kid) = rsa_key();
    let Value::Object(mut written) = Jwk::new(key.verifying_key()).with_kid(kid).to_value() else {
        panic!("an object")
    };
    for (name, value) in key.private_jwk_members() {
        written.insert(name.to_owned(), value.as_str().into());
    }
    assert_eq!(written, serde_json::from_str::<Map<String, Value>>(RSA_KEY).unwrap());
}

#[test]
fn sections_3_1_and_3_5_are_keys_not_used_here() {
    assert_eq!(Jwk::from_json(EC_KEY.as_bytes()), Err(KeyError::UnknownCurve));
    // A symmetric key given as public is an accident.
    assert_eq!(Jwk::from_json(SYMMETRIC_KEY.as_bytes()), Err(KeyError::PrivateKey));
    assert_eq!(SigningKey::from_jwk(SYMMETRIC_KEY.as_bytes()).unwrap_err(), KeyError::UnknownKeyType);
}
