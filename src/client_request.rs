//! What the endpoints that clients call by themselves have in common: parameters in the body, an authenticated client,
//! and the errors of RFC 6749 §5.2.

use ::http::{StatusCode, header};
use rand_core::CryptoRng;
use serde::Serialize;

use crate::client::Client;
use crate::client_assertion::AssertionError;
use crate::client_auth::{self, Authenticated, ClientAuthError};
use crate::client_keys::ClientKeysError;
use crate::config::Config;
use crate::dpop::{self, DpopError, Proof};
use crate::event::{Event, EventName};
use crate::host::{Claim, Host};
use crate::http::{BodyError, Request, Response};
use crate::params::Params;
use crate::replay::ReplayClaim;
use crate::server::Context;

/// Why a request is refused whatever it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// The body can not be read.
    Body(BodyError),
    /// A parameter is there twice.
    Repeated,
    /// A credential stands in the query: "The parameters can only be transmitted in the request-body and MUST NOT be
    /// included in the request URI" (RFC 6749 §2.3.1; for codes RFC 9700 §4.3).
    CredentialInQuery,
    /// A required parameter is missing.
    Missing(&'static str),
    /// The client is not authenticated.
    ClientAuth(ClientAuthError),
    /// An internal fault, for the log.
    Fault(String),
}

/// An error on the wire: the status, the `error` code and a fixed `error_description`.
pub type Wire = (StatusCode, &'static str, &'static str);

impl RequestError {
    /// What the client is told.
    pub fn wire(&self) -> Wire {
        use ClientAuthError as Auth;
        const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;
        const INTERNAL: Wire =
            (StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the server could not complete the request");
        match self {
            // RFC 6749 §5.2: "invalid_request: The request is missing a required parameter, includes an unsupported
            // parameter value, repeats a parameter, includes multiple credentials, utilizes more than one mechanism
            // for authenticating the client, or is otherwise malformed." RFC 9110 §15.5.14 for the size.
            Self::Body(BodyError::TooLarge) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "the request body is too large")
            }
            Self::Body(BodyError::MediaType) => {
                (BAD_REQUEST, "invalid_request", "the request must be application/x-www-form-urlencoded")
            }
            Self::Body(BodyError::Malformed) => {
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
            Self::ClientAuth(Auth::MalformedCertificate(_)) => {
                (BAD_REQUEST, "invalid_request", "invalid client certificate")
            }
            // "If the client attempted to authenticate via the `Authorization` request header field, the
            // authorization server MUST respond with an HTTP 401 (Unauthorized) status code".
            Self::ClientAuth(Auth::NoCredential(true) | Auth::Failed(true)) => {
                (StatusCode::UNAUTHORIZED, "invalid_client", "client authentication failed")
            }
            // The keys of the client could not be looked up: nothing is known to be wrong with the client.
            Self::ClientAuth(
                Auth::Keys(ClientKeysError::Fault(_))
                | Auth::Assertion(AssertionError::Signature(ClientKeysError::Fault(_))),
            ) => INTERNAL,
            Self::ClientAuth(
                Auth::NoCredential(false)
                | Auth::Failed(false)
                | Auth::Assertion(_)
                | Auth::Keys(_)
                | Auth::Replayed
                | Auth::Certificate(_),
            ) => (BAD_REQUEST, "invalid_client", "client authentication failed"),
            Self::ClientAuth(Auth::Host(_)) | Self::Fault(_) => INTERNAL,
        }
    }

    /// The response.
    pub fn response(&self, config: &Config) -> Response {
        let response = error_response(self.wire());
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
            Self::ClientAuth(
                ClientAuthError::Assertion(AssertionError::Signature(ClientKeysError::Fault(cause)))
                | ClientAuthError::Keys(ClientKeysError::Fault(cause)),
            ) => Some(cause),
            _ => None,
        }
    }

    /// The code, and after it what the client is not told: for the operator.
    pub fn result(&self) -> String {
        let code = self.wire().1;
        match self {
            Self::ClientAuth(auth) => match auth.reason() {
                Some(reason) => format!("{code}: {reason}"),
                None => code.to_owned(),
            },
            _ => code.to_owned(),
        }
    }
}

impl From<ClientAuthError> for RequestError {
    fn from(error: ClientAuthError) -> Self {
        Self::ClientAuth(error)
    }
}

/// The response to an error (RFC 6749 §5.2).
pub(crate) fn error_response((status, error, error_description): Wire) -> Response {
    #[derive(Serialize)]
    struct Body {
        error: &'static str,
        error_description: &'static str,
    }
    Response::json(status, &Body { error, error_description }).header(header::PRAGMA, "no-cache")
}

/// The parameters of a request: of its body alone, each of them once.
pub(crate) fn parameters(http: &Request) -> Result<Params, RequestError> {
    refuse_query(http)?;
    let params = http.form_or_json().map_err(RequestError::Body)?;
    params.refuse_repeated().map_err(|_| RequestError::Repeated)?;
    Ok(params)
}

/// Whatever of such a request stands in the query is in somebody's access log.
fn refuse_query(http: &Request) -> Result<(), RequestError> {
    const CREDENTIALS: [&str; 10] = [
        "client_id",
        "client_secret",
        "client_assertion",
        "code",
        "code_verifier",
        "refresh_token",
        "username",
        "password",
        "grant_type",
        "token",
    ];
    match http.query_params() {
        Ok(query) if CREDENTIALS.iter().any(|name| query.has(name)) => Err(RequestError::CredentialInQuery),
        Ok(_) => Ok(()),
        Err(_) => Err(RequestError::CredentialInQuery),
    }
}

/// The parameter `name`, which must be there.
pub(crate) fn required<'p>(
    params: &'p Params,
    name: &str,
    description: &'static str,
) -> Result<&'p str, RequestError> {
    params.one(name).map_err(|_| RequestError::Repeated)?.ok_or(RequestError::Missing(description))
}

/// The client of a request, for endpoints that do nothing but ask who it is. What `read` makes of
/// the parameters comes before anything that is good once is used up.
pub(crate) async fn authenticated<T>(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
    read: impl FnOnce(&Client, &Params) -> Result<T, RequestError>,
) -> Result<(Client, T), RequestError> {
    let params = parameters(http)?;
    let Authenticated { client, claim, .. } = client_auth::authenticate(cx, http, &params).await?;
    let read = read(&client, &params)?;
    if let Some(claim) = claim {
        claim_assertion(cx, claim).await?;
    }
    Ok((client, read))
}

/// Claims the `jti` of a client's assertion, when nothing else can refuse the request any more.
async fn claim_assertion(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    ReplayClaim { key, expires_at }: ReplayClaim,
) -> Result<(), RequestError> {
    match cx.host.claim(&key, expires_at, cx.now).await {
        Ok(Claim::Fresh) => Ok(()),
        Ok(Claim::Replayed) => Err(ClientAuthError::Replayed.into()),
        Err(fault) => Err(RequestError::Fault(format!("stores: {fault}"))),
    }
}

/// Claims all that a request has shown and that is good once, when nothing else can refuse it any more: the nonce first, as
/// whoever loses the race for one is asked to come again.
pub(crate) async fn claim_once<E: From<RequestError> + From<DpopError>>(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    proof: Option<&Proof>,
    assertion: Option<ReplayClaim>,
) -> Result<(), E> {
    if let Some(proof) = proof {
        dpop::accept_nonce(cx, proof).await?;
    }
    if let Some(assertion) = assertion {
        claim_assertion(cx, assertion).await?;
    }
    if let Some(proof) = proof {
        dpop::claim(cx, proof).await?;
    }
    Ok(())
}

/// Answers a request that was refused at `endpoint`, and says so to the operator.
pub(crate) fn refuse(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    endpoint: &'static str,
    error: &RequestError,
) -> Response {
    if let Some(fault) = error.fault() {
        cx.host.log_fault(fault);
    }
    let mut event = Event::new(EventName::AuthDenied, cx.now);
    event.result = Some(error.result());
    event.metadata.insert("endpoint".to_owned(), endpoint.into());
    cx.events.push(event);
    error.response(&cx.server.config)
}
