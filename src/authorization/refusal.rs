//! Why an authorization request is turned down, and what the client or the person is told of it.

use crate::host::HostError;
use crate::pkce::ChallengeError;
use crate::request_object::RequestObjectError;

/// Why there is nowhere to send an answer to. "The authorization server […] MUST NOT automatically redirect the user-agent
/// to the invalid redirection URI" (RFC 6749 §4.1.2.1): the person sees a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsettled {
    /// No `client_id`.
    MissingClientId,
    /// `client_id`, `redirect_uri` or `request_uri` is there twice.
    Repeated,
    /// The client is unknown or revoked.
    UnknownClient,
    /// No `redirect_uri`, and not exactly one is registered (RFC 6749 §3.1.2.3).
    MissingRedirectUri,
    /// The `redirect_uri` is not registered for the client.
    UnregisteredRedirectUri,
    /// A `request_uri` of this server that is unknown, expired or taken (RFC 9126 §4).
    UnknownRequestUri,
    /// A `request_uri` of this server, and another client's (RFC 9126 §2.2).
    ForeignRequestUri,
    /// The request object is not honoured, and nothing beside it says where to say so.
    RequestObject(RequestObjectError),
    /// A part did not answer.
    Host(HostError),
}

impl Unsettled {
    /// The error code, which is for whoever builds the client, and what the person is told. Neither names anything the
    /// request said.
    pub fn wire(&self) -> (&'static str, &'static str) {
        match self {
            // RFC 6749 §4.1.2.1.
            Self::MissingClientId => ("invalid_request", "The request does not say which app it is from."),
            Self::Repeated => ("invalid_request", "The request includes a parameter more than once."),
            Self::UnknownClient => ("invalid_client", "The app that sent you here is not known."),
            Self::MissingRedirectUri | Self::UnregisteredRedirectUri => (
                "invalid_request",
                "The app that sent you here asked for an answer at an address that is not registered.",
            ),
            // RFC 9101 §7: "The request_uri in the authorization request returns an error or contains invalid data."
            Self::UnknownRequestUri => (
                "invalid_request_uri",
                "The request has expired or has been answered. Please go back to the app and start again.",
            ),
            // RFC 9126 §2.2.
            Self::ForeignRequestUri => ("invalid_request", "The request is one of another app."),
            Self::RequestObject(error) => {
                (error.wire().0, "The app that sent you here signed its request wrongly.")
            }
            Self::Host(_) => ("server_error", "The request could not be completed."),
        }
    }

    /// The cause of an internal fault, for the log.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Host(fault) => Some(&fault.0),
            Self::RequestObject(error) => error.fault(),
            _ => None,
        }
    }
}

/// Why a request of a trusted pair is refused. The client learns of it by redirect, or where it has pushed the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A parameter is there twice.
    Repeated,
    /// The request must be pushed (RFC 9126 §5, §6), and was not.
    PushRequired,
    /// The request must be signed (RFC 9101 §10.5), and was not.
    SignatureRequired,
    /// `state` is too long to be given back.
    State,
    /// No `response_type`.
    MissingResponseType,
    /// A `response_type` other than `code`.
    UnsupportedResponseType,
    /// An unknown `response_mode`.
    UnsupportedResponseMode,
    /// The client is not registered for the authorization code grant.
    UnauthorizedClient,
    /// `request` is not honoured (OIDC Core §6.1, RFC 9101).
    RequestObject(RequestObjectError),
    /// A `request_uri` that is not of this server (OIDC Core §6.2).
    RequestUriNotSupported,
    /// Another has taken the pushed request (RFC 9126 §4).
    RequestUriTaken,
    /// `registration` (OIDC Core §7.2.1).
    RegistrationNotSupported,
    /// `scope` breaks its grammar.
    MalformedScope,
    /// An OpenID request without `redirect_uri` (OIDC Core §3.1.2.1).
    MissingRedirectUri,
    /// No usable `code_challenge`.
    CodeChallenge(ChallengeError),
    /// `dpop_jkt` is no SHA-256 thumbprint (RFC 9449 §10).
    DpopJkt,
    /// An OpenID request without `nonce`, which the operator requires.
    MissingNonce,
    /// `prompt` has an unknown value, or `none` beside another (OIDC Core §3.1.2.1).
    Prompt,
    /// `max_age` is not a number of seconds.
    MaxAge,
    /// `id_token_hint` is no ID token of this server for this client.
    IdTokenHint,
    /// A `resource` this server issues no tokens for (RFC 8707 §2).
    InvalidTarget,
    /// The scope policy refused.
    InvalidScope,
    /// Nobody is signed in, and `prompt=none`.
    LoginRequired,
    /// Consent is needed, and `prompt=none`.
    ConsentRequired,
    /// The person said no.
    AccessDenied,
    /// An internal fault, its cause for the log.
    ServerError(String),
}

impl Refusal {
    /// The `error` code and a fixed `error_description`.
    pub fn wire(&self) -> (&'static str, &'static str) {
        match self {
            // RFC 6749 §4.1.2.1: "The request is missing a required parameter, includes an invalid parameter value,
            // includes a parameter more than once, or is otherwise malformed."
            Self::Repeated => ("invalid_request", "a parameter is included more than once"),
            Self::MissingResponseType => ("invalid_request", "response_type is required"),
            Self::UnsupportedResponseMode => ("invalid_request", "response_mode is not supported"),
            Self::MissingRedirectUri => ("invalid_request", "redirect_uri is required"),
            Self::MissingNonce => ("invalid_request", "nonce is required"),
            Self::State => ("invalid_request", "state is too long"),
            Self::Prompt => ("invalid_request", "prompt is malformed"),
            Self::MaxAge => ("invalid_request", "max_age is malformed"),
            Self::IdTokenHint => {
                ("invalid_request", "id_token_hint is not an ID token of this server for this client")
            }
            // RFC 7636 §4.4.1.
            Self::CodeChallenge(ChallengeError::Malformed) => ("invalid_request", "code challenge required"),
            Self::CodeChallenge(ChallengeError::Method) => {
                ("invalid_request", "transform algorithm not supported: code_challenge_method must be S256")
            }
            // RFC 9449 §10.
            Self::DpopJkt => ("invalid_request", "dpop_jkt is not a SHA-256 JWK thumbprint"),
            // RFC 9126 §5.
            Self::PushRequired => ("invalid_request", "the authorization request must be pushed"),
            // RFC 9101 §10.5.
            Self::SignatureRequired => ("invalid_request", "a signed request object is required"),
            // RFC 6749 §4.1.2.1.
            Self::UnauthorizedClient => {
                ("unauthorized_client", "the client may not use the authorization code grant")
            }
            Self::UnsupportedResponseType => ("unsupported_response_type", "response_type must be code"),
            Self::MalformedScope | Self::InvalidScope => {
                ("invalid_scope", "the scope is invalid or not permitted")
            }
            Self::AccessDenied => ("access_denied", "the resource owner denied the request"),
            Self::ServerError(_) => ("server_error", "the server could not complete the request"),
            // OIDC Core §3.1.2.6.
            Self::LoginRequired => ("login_required", "the resource owner must sign in"),
            Self::ConsentRequired => ("consent_required", "the resource owner must consent"),
            Self::RequestUriNotSupported => ("request_uri_not_supported", "request_uri is not supported"),
            Self::RegistrationNotSupported => ("registration_not_supported", "registration is not supported"),
            // RFC 9101 §7.
            Self::RequestObject(error) => error.wire(),
            Self::RequestUriTaken => ("invalid_request_uri", "the request_uri has expired or has been used"),
            // RFC 8707 §2.
            Self::InvalidTarget => ("invalid_target", "the resource is unknown or not permitted"),
        }
    }

    /// The cause of an internal fault, for the log.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::ServerError(cause) => Some(cause),
            Self::RequestObject(error) => error.fault(),
            _ => None,
        }
    }
}
