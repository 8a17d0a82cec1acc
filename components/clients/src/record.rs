//! A client as it is kept. Whoever adds clients writes these records.

use attesto::secret::Digest;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

/// What stands under a client's [`key`], as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRecord {
    /// The layout of this record; 1.
    pub version: u32,
    /// RFC 6749 §2.2.
    pub client_id: String,
    /// RFC 7591 §2.
    pub client_name: String,
    /// RFC 7591 §2: `none`, `client_secret_basic` or `client_secret_post`.
    pub token_endpoint_auth_method: AuthMethod,
    /// RFC 7591 §2.
    pub redirect_uris: Vec<String>,
    /// RFC 7591 §2.
    pub grant_types: Vec<String>,
    /// RFC 7591 §2, as a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<String>>,
    /// OIDC Registration §2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<String>,
    /// SHA-256 of the client secret, base64url. A secret is generated with full entropy, so one hash is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_sha256: Option<String>,
    /// The client is no longer admitted.
    #[serde(default)]
    pub revoked: bool,
}

/// RFC 7591 §2 `token_endpoint_auth_method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// `none`.
    None,
    /// `client_secret_basic`.
    ClientSecretBasic,
    /// `client_secret_post`.
    ClientSecretPost,
}

/// The key-value key of a client: a digest, so that no identifier can be made to look like another key.
pub fn key(client_id: &str) -> String {
    format!("clients/{}", Base64UrlUnpadded::encode_string(Digest::of(client_id.as_bytes()).as_bytes()))
}

/// The stored form of a client secret.
pub fn secret_sha256(secret: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(Digest::of(secret).as_bytes())
}

/// Whether `presented` is the secret of this client, taking the same steps where there is no client or no secret.
pub fn verify_secret(record: Option<&ClientRecord>, presented: &[u8]) -> bool {
    let stored =
        record.filter(|record| !record.revoked).and_then(|record| record.client_secret_sha256.as_deref());
    let presented = secret_sha256(presented);
    // Digests of digests of equal length are compared in constant time; no digest equals the absent one.
    let expected = stored.unwrap_or("-------------------------------------------");
    let equal = Digest::of(expected.as_bytes()) == Digest::of(presented.as_bytes());
    equal && stored.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(secret: Option<&str>, revoked: bool) -> ClientRecord {
        ClientRecord {
            version: 1,
            client_id: "c".into(),
            client_name: "C".into(),
            token_endpoint_auth_method: AuthMethod::ClientSecretBasic,
            redirect_uris: vec![],
            grant_types: vec![],
            scope: None,
            id_token_signed_response_alg: None,
            client_secret_sha256: secret.map(|secret| secret_sha256(secret.as_bytes())),
            revoked,
        }
    }

    #[test]
    fn only_the_secret_of_an_admitted_client_verifies() {
        assert!(verify_secret(Some(&record(Some("s3cret"), false)), b"s3cret"));
        assert!(!verify_secret(Some(&record(Some("s3cret"), false)), b"s3cret "));
        assert!(!verify_secret(Some(&record(Some("s3cret"), true)), b"s3cret"));
        assert!(!verify_secret(Some(&record(None, false)), b""));
        assert!(!verify_secret(None, b"s3cret"));
    }

    #[test]
    fn the_stored_digest_is_no_secret_itself() {
        let stored = record(Some("s3cret"), false);
        let digest = stored.client_secret_sha256.clone().expect("a digest");
        assert!(!verify_secret(Some(&stored), digest.as_bytes()));
    }

    #[test]
    fn the_authentication_method_is_spelled_as_registered() {
        let json = serde_json::to_value(record(None, false)).expect("serializes");
        assert_eq!(json["token_endpoint_auth_method"], "client_secret_basic");
        assert!(json.get("client_secret_sha256").is_none());
    }
}
