//! A client as it is kept. Whoever adds clients writes these records.

use std::fmt;
use std::ops::Not;

use attesto::secret::Digest;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::tls_client_auth::TlsClientAuth;

/// What stands under a client's [`key`], as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRecord {
    /// The layout of this record; 1.
    pub version: u32,
    /// RFC 6749 §2.2.
    pub client_id: String,
    /// RFC 7591 §2.
    pub client_name: String,
    /// RFC 7591 §2.
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
    /// RFC 7591 §2: the client's public keys, a JWK Set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Map<String, Value>>,
    /// RFC 7591 §2: where they are instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// OIDC Registration §2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<String>,
    /// RFC 8705 §2.1.2.
    #[serde(flatten)]
    pub tls_client_auth: TlsClientAuth,
    /// RFC 9449 §5.2.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub dpop_bound_access_tokens: bool,
    /// RFC 8705 §3.4.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// RFC 9126 §6.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub require_pushed_authorization_requests: bool,
    /// RFC 9101 §10.5.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub require_signed_request_object: bool,
    /// OIDC Registration §2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<String>,
    /// JARM §3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_signed_response_alg: Option<String>,
    /// RFC 9701 §6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<String>,
    /// The resources the client may ask tokens for (RFC 8707 §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<String>>,
    /// SHA-256 of the client secret, base64url. A secret is generated with full entropy, so one hash is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_sha256: Option<String>,
    /// The client is no longer admitted.
    #[serde(default)]
    pub revoked: bool,
}

/// How a record says two things where one is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// "The "jwks_uri" and "jwks" parameters MUST NOT both be present in the same request or response" (RFC 7591 §2).
    KeysTwice,
    /// "exactly one of the below metadata parameters" (RFC 8705 §2.1.2).
    SeveralSubjects,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeysTwice => "has both `jwks` and `jwks_uri`",
            Self::SeveralSubjects => {
                "has several members `tls_client_auth_…`, where one names the certificate"
            }
        })
    }
}

impl ClientRecord {
    /// The client's keys as text, where the record has them itself.
    pub fn jwks_text(&self) -> Result<Option<String>, Contradiction> {
        match (&self.jwks, &self.jwks_uri) {
            (Some(_), Some(_)) => Err(Contradiction::KeysTwice),
            (Some(jwks), None) => Ok(Some(Value::Object(jwks.clone()).to_string())),
            (None, _) => Ok(None),
        }
    }
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
    /// `private_key_jwt`.
    PrivateKeyJwt,
    /// `tls_client_auth`.
    TlsClientAuth,
    /// `self_signed_tls_client_auth`.
    SelfSignedTlsClientAuth,
}

impl AuthMethod {
    /// The registered name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
        }
    }

    /// Whether the client is given a secret.
    pub fn has_secret(self) -> bool {
        match self {
            Self::ClientSecretBasic | Self::ClientSecretPost => true,
            Self::None | Self::PrivateKeyJwt | Self::TlsClientAuth | Self::SelfSignedTlsClientAuth => false,
        }
    }
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
    use attesto::client::{ClientAuthMethod, TlsClientAuthSubject};
    use serde_json::json;

    fn record(members: Value) -> ClientRecord {
        let mut record = json!({
            "version": 1,
            "client_id": "c",
            "client_name": "C",
            "token_endpoint_auth_method": "client_secret_basic",
            "redirect_uris": [],
            "grant_types": [],
        });
        record.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        serde_json::from_value(record).expect("a record")
    }

    fn with_secret(secret: &str, revoked: bool) -> ClientRecord {
        record(json!({ "client_secret_sha256": secret_sha256(secret.as_bytes()), "revoked": revoked }))
    }

    #[test]
    fn only_the_secret_of_an_admitted_client_verifies() {
        assert!(verify_secret(Some(&with_secret("s3cret", false)), b"s3cret"));
        assert!(!verify_secret(Some(&with_secret("s3cret", false)), b"s3cret "));
        assert!(!verify_secret(Some(&with_secret("s3cret", true)), b"s3cret"));
        assert!(!verify_secret(Some(&record(json!({}))), b""));
        assert!(!verify_secret(None, b"s3cret"));
    }

    #[test]
    fn the_stored_digest_is_no_secret_itself() {
        let stored = with_secret("s3cret", false);
        let digest = stored.client_secret_sha256.clone().expect("a digest");
        assert!(!verify_secret(Some(&stored), digest.as_bytes()));
    }

    #[test]
    fn a_record_from_before_the_members_there_are_now_reads_and_is_written_as_it_was() {
        let old = json!({
            "version": 1,
            "client_id": "c",
            "client_name": "C",
            "token_endpoint_auth_method": "none",
            "redirect_uris": ["https://c.example/cb"],
            "grant_types": ["authorization_code"],
            "revoked": false,
        });
        let record: ClientRecord = serde_json::from_value(old.clone()).expect("a record");
        assert_eq!((record.jwks_text(), record.tls_client_auth.subject()), (Ok(None), Ok(None)));
        assert!(!record.dpop_bound_access_tokens && !record.require_signed_request_object);
        assert_eq!(serde_json::to_value(record).expect("serializes"), old);
    }

    #[test]
    fn every_member_is_kept_under_its_registered_name() {
        let members = json!({
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": { "keys": [] },
            "token_endpoint_auth_signing_alg": "PS256",
            "dpop_bound_access_tokens": true,
            "tls_client_certificate_bound_access_tokens": true,
            "require_pushed_authorization_requests": true,
            "require_signed_request_object": true,
            "request_object_signing_alg": "ES256",
            "authorization_signed_response_alg": "PS256",
            "introspection_signed_response_alg": "EdDSA",
            "resources": ["https://api.example"],
            "tls_client_auth_san_dns": "c.example",
        });
        let kept = serde_json::to_value(record(members.clone())).expect("serializes");
        for (name, value) in members.as_object().expect("an object") {
            assert_eq!(kept.get(name), Some(value), "{name}");
        }
    }

    #[test]
    fn the_authentication_methods_are_spelled_as_registered() {
        for (method, has_secret) in [
            (AuthMethod::None, false),
            (AuthMethod::ClientSecretBasic, true),
            (AuthMethod::ClientSecretPost, true),
            (AuthMethod::PrivateKeyJwt, false),
            (AuthMethod::TlsClientAuth, false),
            (AuthMethod::SelfSignedTlsClientAuth, false),
        ] {
            let name = method.as_str();
            assert_eq!(serde_json::to_value(method).expect("serializes"), name);
            assert_eq!(ClientAuthMethod::parse(name).map(ClientAuthMethod::as_str), Some(name));
            assert_eq!(method.has_secret(), has_secret, "{name}");
        }
    }

    /// RFC 7591 §2 `jwks`.
    #[test]
    fn keys_are_here_or_elsewhere_and_not_both() {
        let here = json!({ "jwks": { "keys": [] } });
        assert_eq!(record(here).jwks_text(), Ok(Some(r#"{"keys":[]}"#.to_owned())));
        assert_eq!(record(json!({ "jwks_uri": "https://c.example/jwks" })).jwks_text(), Ok(None));
        let both = json!({ "jwks": { "keys": [] }, "jwks_uri": "https://c.example/jwks" });
        assert_eq!(record(both).jwks_text(), Err(Contradiction::KeysTwice));
    }

    /// RFC 8705 §2.1.2.
    #[test]
    fn the_certificate_is_named_by_one_member() {
        let subject = |members| record(members).tls_client_auth.subject();
        for (member, expected) in [
            ("tls_client_auth_subject_dn", TlsClientAuthSubject::SubjectDn("x".into())),
            ("tls_client_auth_san_dns", TlsClientAuthSubject::SanDns("x".into())),
            ("tls_client_auth_san_uri", TlsClientAuthSubject::SanUri("x".into())),
            ("tls_client_auth_san_ip", TlsClientAuthSubject::SanIp("x".into())),
            ("tls_client_auth_san_email", TlsClientAuthSubject::SanEmail("x".into())),
        ] {
            assert_eq!(subject(json!({ member: "x" })), Ok(Some(expected.clone())));
            let kept = serde_json::to_value(TlsClientAuth::from(expected)).expect("serializes");
            assert_eq!(kept, json!({ member: "x" }));
        }
        let two = json!({ "tls_client_auth_subject_dn": "CN=c", "tls_client_auth_san_ip": "::1" });
        assert_eq!(subject(two), Err(Contradiction::SeveralSubjects));
    }
}
