//! What an authorization code stands for (RFC 6749 §4.1.2).

use serde::{Deserialize, Serialize};

use crate::pkce::CodeChallenge;

/// The grant behind a code. A store keeps its encoding and need not understand it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeGrant {
    /// The redirect URI, where the authorization request named one: then the token request must repeat it
    /// (RFC 6749 §4.1.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// The resource owner.
    pub sub: String,
    /// The granted scope.
    pub scope: String,
    /// The PKCE challenge (RFC 7636 §4.4).
    pub code_challenge: CodeChallenge,
    /// OIDC Core §3.1.2.1 `nonce`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// OIDC Core §2 `auth_time`.
    pub auth_time: u64,
    /// OIDC Core §2 `acr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// OIDC Core §2 `amr`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub amr: Vec<String>,
    /// OIDC Back-Channel Logout §2.1 `sid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}
