//! Refusals, precise inside and coarse outside (RFC 6750 §3, RFC 9728 §5.1).

use crate::jose::{ClaimError, JwsError, SelectError};
use crate::scope::Scope;

use super::Policy;

/// Why a request is refused, for the log and for the tests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No `Authorization` header.
    #[error("no credentials")]
    NoCredentials,
    /// An `Authorization` header of another scheme than `Bearer`.
    #[error("unsupported authentication scheme")]
    UnsupportedScheme,
    /// More than one `Authorization` header.
    #[error("more than one Authorization header")]
    RepeatedAuthorization,
    /// An `Authorization` header outside the grammar.
    #[error("malformed Authorization header")]
    MalformedAuthorization,
    /// The token is no JWS, or not one to believe.
    #[error("token: {0}")]
    Token(#[from] JwsError),
    /// A claim is not what it must be.
    #[error("claims: {0}")]
    Claim(#[from] ClaimError),
    /// The token is bound to a key, and no proof of possession came with it.
    #[error("sender-constrained token without its proof")]
    SenderConstrained,
    /// The issuer has revoked the token.
    #[error("token revoked")]
    Revoked,
    /// The subject is no longer admitted.
    #[error("unknown subject")]
    UnknownSubject,
    /// The token is good, for less than this.
    #[error("insufficient scope")]
    InsufficientScope,
}

impl Reason {
    /// Whether a fresher copy of the issuer's keys could turn this refusal around.
    pub const fn needs_key(&self) -> bool {
        matches!(self, Self::Token(JwsError::Key(SelectError::UnknownKey)))
    }

    /// What the client is told. RFC 6750 §3.1: "If the request lacks any authentication information (e.g., the client
    /// was unaware that authentication is necessary or attempted using an unsupported authentication method), the
    /// resource server SHOULD NOT include an error code or other error information."
    const fn wire(&self) -> Option<BearerError> {
        match self {
            Self::NoCredentials | Self::UnsupportedScheme => None,
            // "uses more than one method for including an access token, or is otherwise malformed"
            Self::RepeatedAuthorization | Self::MalformedAuthorization => Some(BearerError::InvalidRequest),
            // "expired, revoked, malformed, or invalid for other reasons"
            Self::Token(_)
            | Self::Claim(_)
            | Self::SenderConstrained
            | Self::Revoked
            | Self::UnknownSubject => Some(BearerError::InvalidToken),
            // "requires higher privileges than provided by the access token"
            Self::InsufficientScope => Some(BearerError::InsufficientScope),
        }
    }
}

/// An error code of RFC 6750 §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerError {
    /// `invalid_request`: the request is malformed.
    InvalidRequest,
    /// `invalid_token`: the token does not open anything here.
    InvalidToken,
    /// `insufficient_scope`: the token opens less than this.
    InsufficientScope,
}

impl BearerError {
    /// The code, as `error` carries it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }

    /// A sentence for developers, as `error_description` carries it. One for each code: a finer one would tell whoever
    /// probes tokens which check they have passed.
    pub const fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request carries a malformed credential or more than one",
            Self::InvalidToken => "The access token is not valid for this resource",
            Self::InsufficientScope => "The access token lacks a scope that this resource requires",
        }
    }

    /// "The resource server SHOULD respond with the HTTP 400 … 401 … 403 … status code" (RFC 6750 §3.1).
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::InvalidToken => 401,
            Self::InsufficientScope => 403,
        }
    }
}

/// The answer to a refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The HTTP status.
    pub status: u16,
    /// The error code; none where the request carried no credentials at all.
    pub error: Option<BearerError>,
    /// The value of `WWW-Authenticate`.
    pub www_authenticate: String,
}

impl Challenge {
    pub(super) fn new(reason: &Reason, required: &Scope, policy: &Policy) -> Self {
        let error = reason.wire();
        let scope = (error == Some(BearerError::InsufficientScope)).then(|| required.to_string());
        let parameters = [
            ("realm", policy.realm()),
            ("error", error.map(BearerError::code)),
            ("error_description", error.map(BearerError::description)),
            ("scope", scope.as_deref()),
            ("resource_metadata", policy.resource_metadata()),
        ];
        // Each value is a constant, a `Scope` or a text the policy has checked: none needs an escape.
        let quoted = |(name, value): (&str, Option<&str>)| value.map(|value| format!(r#"{name}="{value}""#));
        let parameters = parameters.into_iter().filter_map(quoted).collect::<Vec<_>>().join(", ");
        Self {
            status: error.map_or(401, BearerError::status),
            error,
            www_authenticate: format!("Bearer {parameters}").trim_end().to_owned(),
        }
    }
}
