//! OAuth clients (RFC 6749 §2).

use crate::scope::Scope;

/// How a client proves itself at the token endpoint (RFC 7591 §2 `token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuthMethod {
    /// `none`: a public client (RFC 6749 §2.1).
    #[default]
    None,
    /// `client_secret_basic` (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// `client_secret_post`: the secret in the request body (RFC 6749 §2.3.1).
    ClientSecretPost,
    /// `private_key_jwt`: an assertion signed with a key of the client (RFC 7523 §2.2, OIDC Core §9).
    PrivateKeyJwt,
    /// `tls_client_auth`: a certificate of a trusted authority, with the registered subject (RFC 8705 §2.1).
    TlsClientAuth,
    /// `self_signed_tls_client_auth`: a certificate whose key is among the client's (RFC 8705 §2.2).
    SelfSignedTlsClientAuth,
}

impl ClientAuthMethod {
    /// Every method there is, as metadata lists them.
    pub const ALL: [Self; 6] = [
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
        Self::None,
    ];

    /// The method of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }

    /// Whether the method is a certificate of the connection (RFC 8705 §2).
    pub fn is_mutual_tls(self) -> bool {
        matches!(self, Self::TlsClientAuth | Self::SelfSignedTlsClientAuth)
    }

    /// The spelling of the IANA registry "OAuth Token Endpoint Authentication Methods".
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

/// What the certificate of a `tls_client_auth` client must say (RFC 8705 §2.1.2): one of these, and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsClientAuthSubject {
    /// `tls_client_auth_subject_dn`: the subject's distinguished name as a string (RFC 4514).
    SubjectDn(String),
    /// `tls_client_auth_san_dns`: a `dNSName`.
    SanDns(String),
    /// `tls_client_auth_san_uri`: a `uniformResourceIdentifier`.
    SanUri(String),
    /// `tls_client_auth_san_ip`: an `iPAddress`, in its text form.
    SanIp(String),
    /// `tls_client_auth_san_email`: an `rfc822Name`.
    SanEmail(String),
}

/// A registered client, with everything the protocol reads of it.
#[derive(Clone, Debug, Default)]
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
    /// `jwks`: its public keys, a JWK Set as JSON text (RFC 7591 §2).
    pub jwks: Option<String>,
    /// `jwks_uri`: where they are instead (RFC 7591 §2; never both).
    pub jwks_uri: Option<String>,
    /// `token_endpoint_auth_signing_alg`: the one algorithm of its assertions (OIDC Registration §2).
    pub token_endpoint_auth_signing_alg: Option<String>,
    /// Whom its certificate must name, with `tls_client_auth`.
    pub tls_client_auth_subject: Option<TlsClientAuthSubject>,
    /// `dpop_bound_access_tokens` (RFC 9449 §5.2).
    pub dpop_bound_access_tokens: bool,
    /// `tls_client_certificate_bound_access_tokens` (RFC 8705 §3.4).
    pub tls_client_certificate_bound_access_tokens: bool,
    /// `require_pushed_authorization_requests` (RFC 9126 §6).
    pub require_pushed_authorization_requests: bool,
    /// `require_signed_request_object` (RFC 9101 §10.5).
    pub require_signed_request_object: bool,
    /// `request_object_signing_alg`: the one algorithm of its request objects (OIDC Registration §2).
    pub request_object_signing_alg: Option<String>,
    /// `authorization_signed_response_alg` (JARM §3); absent, the server's choice.
    pub authorization_signed_response_alg: Option<String>,
    /// `introspection_signed_response_alg` (RFC 9701 §6); absent, the server's choice.
    pub introspection_signed_response_alg: Option<String>,
    /// The resources it may ask tokens for (RFC 8707 §2), where that is limited.
    pub resources: Option<Vec<String>>,
}

impl Client {
    /// "Clients incapable of maintaining the confidentiality of their credentials" (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == ClientAuthMethod::None
    }

    /// Whether its access tokens must be bound to a key (RFC 9449 §5.2, RFC 8705 §3.4).
    pub fn requires_sender_constraint(&self) -> bool {
        self.dpop_bound_access_tokens || self.tls_client_certificate_bound_access_tokens
    }

    /// Whether the client is registered for this grant type (RFC 7591 §2 `grant_types`).
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.iter().any(|registered| registered == grant_type.as_str())
    }
}
