//! OAuth clients (RFC 6749 §2).

use crate::scope::Scope;

/// How a client proves itself at the token endpoint (RFC 7591 §2 `token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthMethod {
    /// `none`: a public client (RFC 6749 §2.1).
    None,
    /// `client_secret_basic` (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// `client_secret_post`: the secret in the request body (RFC 6749 §2.3.1).
    ClientSecretPost,
}

impl ClientAuthMethod {
    /// Every method there is, as metadata lists them.
    pub const ALL: [Self; 3] = [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];

    /// The method of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }

    /// The spelling of the IANA registry "OAuth Token Endpoint Authentication Methods".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
        }
    }
}

/// A grant type the token endpoint serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    /// `authorization_code` (RFC 6749 §4.1.3).
    AuthorizationCode,
    /// `refresh_token` (RFC 6749 §6).
    RefreshToken,
    /// `client_credentials` (RFC 6749 §4.4).
    ClientCredentials,
}

impl GrantType {
    /// Every grant type there is.
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// The value of `grant_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// The grant type of a token request.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant_type| grant_type.as_str() == text)
    }
}

/// A registered client, with everything the protocol reads of it.
#[derive(Clone, Debug)]
pub struct Client {
    /// The client identifier (RFC 6749 §2.2).
    pub client_id: String,
    /// The name people are shown.
    pub client_name: String,
    /// The one method it authenticates with.
    pub token_endpoint_auth_method: ClientAuthMethod,
    /// Its redirection endpoints, as registered.
    pub redirect_uris: Vec<String>,
    /// The grant types it may use, as registered.
    pub grant_types: Vec<String>,
    /// The scope it may ask for, where that is limited.
    pub scope: Option<Scope>,
    /// The algorithm its ID tokens are signed with; absent, `RS256` (OIDC Registration §2).
    pub id_token_signed_response_alg: Option<String>,
}

impl Client {
    /// Whether the client is registered for this grant type (RFC 7591 §2 `grant_types`).
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.iter().any(|registered| registered == grant_type.as_str())
    }
}
