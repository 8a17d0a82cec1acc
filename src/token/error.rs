//! Token error responses (RFC 6749 §5.2).

use ::http::{StatusCode, header};
use serde::Serialize;

use crate::client_auth::ClientAuthError;
use crate::config::Config;
use crate::http::{FormError, Response};

/// Why a token request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// The body is no form.
    Form(FormError),
    /// A parameter is there twice.
    Repeated,
    /// A credential stands in the query: "The parameters can only be transmitted in the request-body and MUST NOT be
    /// included in the request URI" (RFC 6749 §2.3.1; for codes RFC 9700 §4.3).
    CredentialInQuery,
    /// A required parameter is missing.
    Missing(&'static str),
    /// The client is not authenticated.
    ClientAuth(ClientAuthError),
    /// `grant_type` is none this server has.
    UnsupportedGrantType,
    /// The client is not registered for this grant type.
    UnauthorizedClient,
    /// The grant is not good for this request.
    InvalidGrant(GrantRefusal),
    /// `resource` is not one the grant is for (RFC 8707 §2.2).
    InvalidTarget,
    /// An internal fault, for the log.
    Fault(String),
}

/// Why a grant is not honoured. The client is not told which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantRefusal {
    /// There is no such code, or it has expired.
    UnknownCode,
    /// It was issued to another client.
    OtherClient,
    /// `redirect_uri` is not the one of the authorization request (RFC 6749 §4.1.3).
    RedirectUri,
    /// `code_verifier` does not meet the challenge (RFC 7636 §4.6).
    CodeVerifier,
    /// It had been redeemed before (RFC 6749 §4.1.2).
    Replayed,
    /// The resource owner is no longer admitted.
    Principal,
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    error_description: &'static str,
}

impl TokenError {
    /// The status, the `error` code and a fixed `error_description`.
    pub fn wire(&self) -> (StatusCode, &'static str, &'static str) {
        use ClientAuthError as Auth;
        const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;
        match self {
            // RFC 6749 §5.2: "invalid_request: The request is missing a required parameter, includes an unsupported
            // parameter value, repeats a parameter, includes multiple credentials, utilizes more than one mechanism
            // for authenticating the client, or is otherwise malformed." RFC 9110 §15.5.14 for the size.
            Self::Form(FormError::TooLarge) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "the request body is too large")
            }
            Self::Form(FormError::MediaType) => {
                (BAD_REQUEST, "invalid_request", "the request must be application/x-www-form-urlencoded")
            }
            Self::Form(FormError::Malformed) => {
                (BAD_REQUEST, "invalid_request", "the request body is malformed")
            }
            Self::Repeated | Self::ClientAuth(Auth::Repeated) => {
                (BAD_REQUEST, "invalid_request", "a parameter is included more than once")
            }
            Self::CredentialInQuery => {
                (BAD_REQUEST, "invalid_request", "parameters must not be in the query of the request URI")
            }
            Self::Missing(description) => (BAD_REQUEST, "invalid_request", description),
            Self::ClientAuth(Auth::SeveralMethods) => {
                (BAD_REQUEST, "invalid_request", "more than one client authentication method")
            }
            Self::ClientAuth(Auth::ClientIdMismatch) => {
                (BAD_REQUEST, "invalid_request", "client_id is not the authenticated client")
            }
            // "If the client attempted to authenticate via the `Authorization` request header field, the
            // authorization server MUST respond with an HTTP 401 (Unauthorized) status code".
            Self::ClientAuth(Auth::NoCredential(true) | Auth::Failed(true)) => {
                (StatusCode::UNAUTHORIZED, "invalid_client", "client authentication failed")
            }
            Self::ClientAuth(Auth::NoCredential(false) | Auth::Failed(false)) => {
                (BAD_REQUEST, "invalid_client", "client authentication failed")
            }
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
            // RFC 8707 §2.2.
            Self::InvalidTarget => {
                (BAD_REQUEST, "invalid_target", "the resource is unknown or not permitted")
            }
            Self::ClientAuth(Auth::Host(_)) | Self::Fault(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "the server could not complete the request",
            ),
        }
    }

    /// The response.
    pub fn response(&self, config: &Config) -> Response {
        let (status, error, error_description) = self.wire();
        let response =
            Response::json(status, &Body { error, error_description }).header(header::PRAGMA, "no-cache");
        match self {
            // "and include the `WWW-Authenticate` response header field matching the authentication scheme used by
            // the client" (§5.2; RFC 7617 §2.1 for the charset).
            Self::ClientAuth(auth) if auth.in_header() => response.header(
                header::WWW_AUTHENTICATE,
                &format!("Basic realm=\"{}\", charset=\"UTF-8\"", config.basic_realm),
            ),
            _ => response,
        }
    }

    /// The cause of an internal fault, for the log.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Fault(cause) => Some(cause),
            Self::ClientAuth(ClientAuthError::Host(fault)) => Some(&fault.0),
            _ => None,
        }
    }
}

impl From<GrantRefusal> for TokenError {
    fn from(refusal: GrantRefusal) -> Self {
        Self::InvalidGrant(refusal)
    }
}
