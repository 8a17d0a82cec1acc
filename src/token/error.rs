//! Token error responses (RFC 6749 §5.2).

use ::http::StatusCode;

use crate::client_request::{RequestError, Wire, error_response};
use crate::config::Config;
use crate::dpop::DpopError;
use crate::http::Response;
use crate::resource::ResourceError;
use crate::sender_constraint::SenderConstraintError;

/// Why a token request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It is not one of an authenticated client.
    Request(RequestError),
    /// `grant_type` is none this server has.
    UnsupportedGrantType,
    /// The client is not registered for this grant type, or may never use it.
    UnauthorizedClient,
    /// The grant is not good for this request.
    InvalidGrant(GrantRefusal),
    /// `scope` is malformed, more than was granted, or refused by the scope policy.
    InvalidScope,
    /// `resource` is not one the grant is for (RFC 8707 §2.2).
    InvalidTarget,
    /// The DPoP proof is not good (RFC 9449 §5).
    Dpop(DpopError),
    /// The token can not be bound as it must be.
    SenderConstraint(SenderConstraintError),
}

/// Why a grant is not honoured. The client is not told which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantRefusal {
    /// There is no such code, or it has expired.
    UnknownCode,
    /// There is no such refresh token, it has expired, or its family is revoked.
    UnknownRefreshToken,
    /// It was issued to another client.
    OtherClient,
    /// `redirect_uri` is not the one of the authorization request (RFC 6749 §4.1.3).
    RedirectUri,
    /// `code_verifier` does not meet the challenge (RFC 7636 §4.6), or there was none (RFC 9700 §2.1.1).
    CodeVerifier,
    /// The code had been redeemed before (RFC 6749 §4.1.2).
    Replayed,
    /// The refresh token had been rotated before (RFC 9700 §4.14.2).
    Reused,
    /// The code or refresh token is bound to another key (RFC 9449 §10, §5; RFC 8705 §4).
    ProofKey,
    /// A key is shown for a public client's refresh token that is bound to none.
    Unbound,
    /// The resource owner is no longer admitted.
    Principal,
    /// Nothing of the scope that was granted is granted any more.
    Scope,
}

impl TokenError {
    /// An internal fault, for the log.
    pub(super) fn fault_of(cause: impl Into<String>) -> Self {
        Self::Request(RequestError::Fault(cause.into()))
    }

    /// What the client is told. All but the authentication of a client in the header is 400 (§5.2).
    pub fn wire(&self) -> Wire {
        const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;
        match self {
            Self::Request(error) => error.wire(),
            Self::UnsupportedGrantType => {
                (BAD_REQUEST, "unsupported_grant_type", "the grant type is not supported")
            }
            Self::UnauthorizedClient => {
                (BAD_REQUEST, "unauthorized_client", "the client may not use this grant type")
            }
            Self::InvalidGrant(_) => (
                BAD_REQUEST,
                "invalid_grant",
                "the grant is invalid, expired, or not for this client and request",
            ),
            Self::InvalidScope => (BAD_REQUEST, "invalid_scope", "the scope is invalid or not permitted"),
            // RFC 8707 §2.2.
            Self::InvalidTarget => {
                (BAD_REQUEST, "invalid_target", "the resource is unknown or not permitted")
            }
            Self::Dpop(error) => error.wire(),
            Self::SenderConstraint(error) => error.wire(),
        }
    }

    /// The response.
    pub fn response(&self, config: &Config) -> Response {
        match self {
            Self::Request(error) => error.response(config),
            _ => error_response(self.wire()),
        }
    }

    /// The cause of an internal fault, for the log.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Request(error) => error.fault(),
            Self::Dpop(error) => error.fault(),
            _ => None,
        }
    }

    /// The code, and after it what the client is not told: for the operator.
    pub fn result(&self) -> String {
        let code = self.wire().1;
        match self {
            Self::Request(error) => error.result(),
            Self::InvalidGrant(refusal) => format!("{code}: {refusal:?}"),
            Self::Dpop(error) => format!("{code}: {error}"),
            Self::SenderConstraint(error) => format!("{code}: {error:?}"),
            _ => code.to_owned(),
        }
    }
}

impl From<RequestError> for TokenError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<DpopError> for TokenError {
    fn from(error: DpopError) -> Self {
        Self::Dpop(error)
    }
}

impl From<SenderConstraintError> for TokenError {
    fn from(error: SenderConstraintError) -> Self {
        Self::SenderConstraint(error)
    }
}

impl From<ResourceError> for TokenError {
    fn from(error: ResourceError) -> Self {
        match error {
            ResourceError::InvalidTarget => Self::InvalidTarget,
            ResourceError::Host(fault) => Self::fault_of(format!("rules: {fault}")),
        }
    }
}

impl From<GrantRefusal> for TokenError {
    fn from(refusal: GrantRefusal) -> Self {
        Self::InvalidGrant(refusal)
    }
}
