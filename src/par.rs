//! The pushed authorization request endpoint (RFC 9126).

use ::http::StatusCode;
use rand_core::CryptoRng;
use serde::Serialize;

use crate::authorization::{AuthorizationRequest, Channel, Refusal, Settled, Unsettled};
use crate::client::Client;
use crate::client_auth::{self, Authenticated};
use crate::client_request::{self, RequestError, Wire, claim_once, error_response, parameters};
use crate::dpop::{self, DpopError};
use crate::event::{Event, EventName};
use crate::host::{Host, HostError};
use crate::http::{Request, Response};
use crate::params::Params;
use crate::pushed_request::{PushedRequest, Reference};
use crate::request_object::{self, RequestObjectError};
use crate::server::Context;

/// What proves the client, and is no part of its authorization request.
const CREDENTIALS: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// A successful response (§2.2).
#[derive(Serialize)]
struct PushResponse<'a> {
    request_uri: &'a str,
    /// Seconds.
    expires_in: u64,
}

/// Why a request is not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushError {
    /// It is not one of an authenticated client.
    Request(RequestError),
    /// The client has no credential, and such clients may not push.
    PublicClient,
    /// The DPoP proof is not good (RFC 9449 §5).
    Dpop(DpopError),
    /// The DPoP proof is of another key than `dpop_jkt` names (RFC 9449 §10.1).
    ProofKey,
    /// `request_uri` is there.
    RequestUri,
    /// `client_id` is another client.
    ClientId,
    /// The request object is not honoured.
    RequestObject(RequestObjectError),
    /// There is nowhere to send an answer to.
    Unsettled(Unsettled),
    /// The authorization endpoint would refuse it.
    Refused(Refusal),
}

impl PushError {
    /// What the client is told: "an error response with the same format as is specified for error responses from the token
    /// endpoint in Section 5.2 of [RFC 6749] using the appropriate error code from therein or from Section 4.1.2.1" (§2.3).
    pub fn wire(&self) -> Wire {
        const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;
        match self {
            Self::Request(error) => error.wire(),
            // RFC 6749 §5.2.
            Self::PublicClient => (BAD_REQUEST, "invalid_client", "client authentication required"),
            Self::Dpop(error) => error.wire(),
            // RFC 9449 §10.1: "the authorization server MUST reject the request if the JWK Thumbprint in dpop_jkt does not
            // match".
            Self::ProofKey => {
                (BAD_REQUEST, "invalid_dpop_proof", "the DPoP proof is not of the key that dpop_jkt names")
            }
            // §2.1: "The `request_uri` authorization request parameter is one exception, and it MUST NOT be provided."
            Self::RequestUri => (BAD_REQUEST, "invalid_request", "request_uri must not be pushed"),
            Self::ClientId => (BAD_REQUEST, "invalid_request", "client_id is not the authenticated client"),
            Self::RequestObject(error) => told(error.wire()),
            Self::Unsettled(Unsettled::MissingRedirectUri) => {
                (BAD_REQUEST, "invalid_request", "redirect_uri is required")
            }
            // §2.4 leaves it to the server whether clients may name others. Here they may not.
            Self::Unsettled(Unsettled::UnregisteredRedirectUri) => {
                (BAD_REQUEST, "invalid_request", "redirect_uri is not registered for the client")
            }
            Self::Unsettled(reason) => told(reason.wire()),
            Self::Refused(refusal) => told(refusal.wire()),
        }
    }

    fn fault(&self) -> Option<&str> {
        match self {
            Self::Request(error) => error.fault(),
            Self::Dpop(error) => error.fault(),
            Self::RequestObject(error) => error.fault(),
            Self::Unsettled(reason) => reason.fault(),
            Self::Refused(refusal) => refusal.fault(),
            Self::PublicClient | Self::ProofKey | Self::RequestUri | Self::ClientId => None,
        }
    }
}

/// An error of the authorization endpoint, told to the client itself.
fn told((code, description): (&'static str, &'static str)) -> Wire {
    match code {
        "server_error" => (StatusCode::INTERNAL_SERVER_ERROR, code, description),
        _ => (StatusCode::BAD_REQUEST, code, description),
    }
}

impl From<RequestError> for PushError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<DpopError> for PushError {
    fn from(error: DpopError) -> Self {
        Self::Dpop(error)
    }
}

/// `POST` at the pushed authorization request endpoint.
pub async fn push(cx: &mut Context<'_, impl Host, impl CryptoRng>, http: &Request) -> Response {
    let mut client_id = None;
    match pushed(cx, http, &mut client_id).await {
        Ok(reference) => {
            let expires_in = cx.server.config.pushed_requests.ttl;
            let body = PushResponse { request_uri: reference.request_uri(), expires_in };
            Response::json(StatusCode::CREATED, &body)
        }
        Err(PushError::Request(error)) => client_request::refuse(cx, "pushed_authorization_request", &error),
        Err(error) => refuse(cx, client_id, &error),
    }
}

/// From the request to what is stored of it. What can be used once is claimed last, when nothing can refuse the request any
/// more.
async fn pushed(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
    client_id: &mut Option<String>,
) -> Result<Reference, PushError> {
    let params = parameters(http)?;
    // A proof without the nonce it needs is refused before it costs the client its assertion (RFC 9449 §8).
    let proof = dpop::verify(cx, http, None).await?;
    let Authenticated { client, claim, .. } =
        client_auth::authenticate(cx, http, &params).await.map_err(RequestError::ClientAuth)?;
    *client_id = Some(client.client_id.clone());
    // Whatever becomes of the parameters below, this is what was sent.
    if params.has("request_uri") {
        return Err(PushError::RequestUri);
    }
    let request = authorization_request(cx, client, params).await?;
    let jkt = proof.as_ref().map(|proof| &proof.jkt);
    if jkt.zip(request.dpop_jkt.as_ref()).is_some_and(|(proven, named)| proven != named) {
        return Err(PushError::ProofKey);
    }
    let Settled { client, channel, params, .. } = request.settled;
    let stored = PushedRequest {
        parameters: params.encode(),
        pushed_at: cx.now,
        signed: channel.is_signed(),
        dpop_jkt: jkt.cloned().or(request.dpop_jkt),
    };
    claim_once::<PushError>(cx, proof.as_ref(), claim).await?;
    let ttl = cx.server.config.pushed_requests.ttl;
    Reference::keep(cx, &client, stored, ttl).await.map_err(stores)
}

/// The authorization request of this, authenticated, client: "Validate the pushed request as it would an authorization
/// request sent to the authorization endpoint" (§2.1).
async fn authorization_request(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    client: Client,
    params: Params,
) -> Result<AuthorizationRequest, PushError> {
    if client.is_public() && !cx.server.config.pushed_requests.public_clients {
        return Err(PushError::PublicClient);
    }
    if params.one("client_id").map_err(|_| RequestError::Repeated)?.is_some_and(|id| id != client.client_id) {
        return Err(PushError::ClientId);
    }
    let request = params.one("request").map_err(|_| RequestError::Repeated)?;
    let signed = request.is_some();
    let params = match request {
        Some(jwt) => request_object::verify(cx, &client, jwt).await.map_err(PushError::RequestObject)?,
        None => params,
    };
    let params = params
        .without(&CREDENTIALS)
        .with("client_id", &client.client_id)
        .map_err(|_| RequestError::Body(crate::http::BodyError::Malformed))?;
    let settled = Settled::new(client, params, Channel::Client { signed }).map_err(PushError::Unsettled)?;
    AuthorizationRequest::validate(cx, settled).await.map_err(|refused| PushError::Refused(refused.1))
}

fn stores(fault: HostError) -> PushError {
    RequestError::Fault(format!("stores: {fault}")).into()
}

fn refuse(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    client_id: Option<String>,
    error: &PushError,
) -> Response {
    if let Some(fault) = error.fault() {
        cx.host.log_fault(fault);
    }
    let wire = error.wire();
    let mut event = Event { client_id, ..Event::new(EventName::AuthorizationFailed, cx.now) };
    event.result = Some(format!("{}: {error:?}", wire.1));
    event.metadata.insert("endpoint".to_owned(), "pushed_authorization_request".into());
    cx.events.push(event);
    error_response(wire)
}
