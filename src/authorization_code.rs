//! What an authorization code stands for (RFC 6749 §4.1.2).

use serde::{Deserialize, Serialize};

use crate::authentication::Authentication;
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
    /// The PKCE challenge (RFC 7636 §4.4), where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_challenge: Option<CodeChallenge>,
    /// OIDC Core §3.1.2.1 `nonce`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The DPoP key the code is bound to (RFC 9449 §10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_jkt: Option<String>,
    /// The resources that were asked for (RFC 8707 §2.1); none is the default audience.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// How the resource owner had authenticated.
    #[serde(flatten)]
    pub authentication: Authentication,
}
