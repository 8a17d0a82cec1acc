//! `cnf`: the key that whoever presents a token must hold (RFC 7800 §3.1).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A confirmation method. Its encoding is the `cnf` claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confirmation {
    /// `jkt`: the SHA-256 JWK thumbprint of a DPoP key (RFC 9449 §6.1).
    #[serde(rename = "jkt")]
    Jkt(String),
    /// `x5t#S256`: the SHA-256 thumbprint of a client certificate (RFC 8705 §3.1).
    #[serde(rename = "x5t#S256")]
    CertificateThumbprint(String),
}

impl Confirmation {
    /// The `cnf` claim.
    pub fn to_value(&self) -> Value {
        let (name, value) = match self {
            Self::Jkt(jkt) => ("jkt", jkt),
            Self::CertificateThumbprint(thumbprint) => ("x5t#S256", thumbprint),
        };
        Value::Object([(name.to_owned(), value.as_str().into())].into_iter().collect())
    }

    /// `token_type` of a token bound so: "DPoP" (RFC 9449 §5), or "Bearer" with a certificate (RFC 8705 §3).
    pub const fn token_type(&self) -> &'static str {
        match self {
            Self::Jkt(_) => "DPoP",
            Self::CertificateThumbprint(_) => "Bearer",
        }
    }

    /// The kind, as audit events name it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Jkt(_) => "dpop",
            Self::CertificateThumbprint(_) => "mtls",
        }
    }
}
