//! The vectors printed in the RFCs.

use attesto::jose::jws::Policy;
use attesto::jose::{Algorithm, Jwk, JwkSet, JwsError, KeyError, NumericDate, SigningKey, UnverifiedJws};

/// RFC 7515 A.2.1, the private RSA key.
pub(crate) const RFC_7515_A2_KEY: &str = "{\"kty\":\"RSA\",\
    \"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR\
    T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB\
    dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia\
    GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\
    \"e\":\"AQAB\",\
    \"d\":\"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46su\
    i395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4\
    qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB\
    4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ\",\
    \"p\":\"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8\
    cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc\",\
    \"q\":\"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t\
    62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc\"}";

/// RFC 7515 A.2.1, the whole token.
const RFC_7515_A2_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19\
    yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt\
    _O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb\
    1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI\
    8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

/// RFC 7515 A.3.1, the private EC key.
pub(crate) const RFC_7515_A3_KEY: &str = "{\"kty\":\"EC\",\
    \"crv\":\"P-256\",\
    \"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\
    \"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\
    \"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}";

/// RFC 7515 A.3.1, the whole token.
const RFC_7515_A3_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19\
    yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU\
    1Q";

/// RFC 7515 A.4.1, signed with `ES512`.
const RFC_7515_A4_TOKEN: &str = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.\
    AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCA\
    PZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";

/// RFC 8037 A.1, the private Ed25519 key; A.2 is its public half.
pub(crate) const RFC_8037_A1_KEY: &str = "{\"kty\":\"OKP\",\
    \"crv\":\"Ed25519\",\
    \"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\",\
    \"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";

/// RFC 8037 A.2.
const RFC_8037_A2_KEY: &str = "{\"kty\":\"OKP\",\
    \"crv\":\"Ed25519\",\
    \"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";

/// RFC 8037 A.4, the whole token, under the older name of the algorithm.
const RFC_8037_A4_TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
    hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

/// RFC 7638 §3.1 and the second key of RFC 7517 A.1.
const RFC_7638_KEY: &str = "{\"kty\":\"RSA\",\
    \"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB\
    ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8\
    KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_\
    xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\",\
    \"e\":\"AQAB\",\
    \"alg\":\"RS256\",\
    \"kid\":\"2011-04-29\"}";

/// The first key of RFC 7517 A.1.
const RFC_7517_A1_EC_KEY: &str = "{\"kty\":\"EC\",\
    \"crv\":\"P-256\",\
    \"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\
    \"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\
    \"use\":\"enc\",\
    \"kid\":\"1\"}";

/// "{"iss":"joe",CRLF SP "exp":1300819380,CRLF SP "http://example.com/is_root":true}" (RFC 7515 A.1.1).
const PAYLOAD: &[u8] = b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

fn verifies(token: &str, key: &str) {
    let (key, _) = SigningKey::from_jwk(key.as_bytes()).unwrap();
    let keys = JwkSet::new([Jwk::new(key.verifying_key())]);
    let policy = Policy { algorithms: Algorithm::ALL, typ: None };
    let verified = UnverifiedJws::parse(token).unwrap().verify(&keys, &policy).unwrap();
    assert_eq!(verified.payload(), PAYLOAD);
    let claims = verified.into_claims().unwrap();
    assert_eq!(claims.string("iss"), Ok(Some("joe")));
    assert_eq!(claims.time("exp"), Ok(Some(NumericDate::from_secs(1_300_819_380))));
}

#[test]
fn rfc_7515_a2_rs256_token_verifies() {
    verifies(RFC_7515_A2_TOKEN, RFC_7515_A2_KEY);
}

#[test]
fn rfc_7515_a3_es256_token_verifies() {
    verifies(RFC_7515_A3_TOKEN, RFC_7515_A3_KEY);
}

#[test]
fn rfc_7515_a4_es512_is_not_done_here() {
    assert_eq!(UnverifiedJws::parse(RFC_7515_A4_TOKEN).unwrap_err(), JwsError::UnknownAlgorithm);
}

#[test]
fn rfc_8037_a1_and_a2_are_halves_of_one_key() {
    let (key, kid) = SigningKey::from_jwk(RFC_8037_A1_KEY.as_bytes()).unwrap();
    assert_eq!(kid, None);
    assert_eq!(Jwk::new(key.verifying_key()), Jwk::from_json(RFC_8037_A2_KEY.as_bytes()).unwrap());
    let [(name, d)] = &key.private_jwk_members()[..] else { panic!("one private member") };
    assert_eq!((*name, d.as_str()), ("d", "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"));
}

#[test]
fn rfc_8037_a3_thumbprint_is_reproduced() {
    let key = Jwk::from_json(RFC_8037_A2_KEY.as_bytes()).unwrap();
    assert_eq!(key.thumbprint().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

/// The scheme is deterministic, so signing reproduces the printed token.
#[test]
fn rfc_8037_a4_token_is_reproduced_by_its_key() {
    let (key, _) = SigningKey::from_jwk(RFC_8037_A1_KEY.as_bytes()).unwrap();
    let payload = b"Example of Ed25519 signing";
    assert_eq!(crate::token_with_header(&key, r#"{"alg":"EdDSA"}"#, payload), RFC_8037_A4_TOKEN);
}

#[test]
fn rfc_8037_a5_token_verifies() {
    let keys = JwkSet::new([Jwk::from_json(RFC_8037_A2_KEY.as_bytes()).unwrap()]);
    // Either name of the algorithm, allowed for a use, allows the other.
    for allowed in [Algorithm::EdDsa, Algorithm::Ed25519] {
        let policy = Policy { algorithms: &[allowed], typ: None };
        let verified = UnverifiedJws::parse(RFC_8037_A4_TOKEN).unwrap().verify(&keys, &policy).unwrap();
        assert_eq!(verified.payload(), b"Example of Ed25519 signing");
    }
}

/// RSASSA-PKCS1-v1_5 is deterministic, so signing reproduces the printed token.
#[test]
fn rfc_7515_a2_token_is_reproduced_by_its_key() {
    assert_eq!(crate::token(&crate::rs256_key(), None, None, PAYLOAD), RFC_7515_A2_TOKEN);
}

/// RFC 6979 A.2.5: with SHA-256, message = "sample".
#[test]
fn rfc_6979_es256_signature_is_reproduced() {
    let scalar = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
    let expected = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716\
        F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
    let key = attesto::jose::es256::SigningKey::from_scalar(&hex(scalar)).unwrap();
    assert_eq!(key.sign(b"sample"), hex(expected));
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn rfc_7638_thumbprint_is_reproduced() {
    let key = Jwk::from_json(RFC_7638_KEY.as_bytes()).unwrap();
    assert_eq!(key.thumbprint().to_string(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(key.thumbprint().to_string().parse(), Ok(key.thumbprint()));
}

/// Its EC key is `"use":"enc"`, so only the RSA key may check signatures.
#[test]
fn rfc_7517_a1_set_is_read_and_its_encryption_key_is_set_aside() {
    let text = format!("{{\"keys\":[{RFC_7517_A1_EC_KEY},{RFC_7638_KEY}]}}");
    let set = JwkSet::from_json(text.as_bytes()).unwrap();
    assert_eq!(set.skipped(), [KeyError::NotForSignatures]);
    let [key] = set.keys() else { panic!("one usable key") };
    assert_eq!((key.kid(), key.algorithm()), (Some("2011-04-29"), Some(Algorithm::Rs256)));
}
