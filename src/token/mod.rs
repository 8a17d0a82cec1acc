//! The token endpoint (RFC 6749 §3.2).

mod authorization_code;
mod client_credentials;
mod error;
mod issue;
mod refresh_token;

use ::http::{StatusCode, header};
use rand_core::CryptoRng;
use serde::Serialize;
use serde_json::{Map, Value};

pub use error::{GrantRefusal, TokenError};

use crate::client::{Client, GrantType};
use crate::client_auth::{self, Authenticated};
use crate::client_request::{RequestError, parameters, required};
use crate::event::{Event, EventName};
use crate::host::{Host, HostError};
use crate::http::{Request, Response};
use crate::params::Params;
use crate::server::Context;

/// A successful response (RFC 6749 §5.1).
#[derive(Serialize)]
struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    /// OIDC Core §3.1.3.3.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

/// What a grant led to, for response and event.
struct Issued {
    response: TokenResponse,
    sub: String,
    jti: String,
    /// What happened to refresh tokens on the way.
    refresh: Option<EventName>,
}

/// How far a request got, for its event.
#[derive(Default)]
struct Progress {
    client_id: Option<String>,
    grant_type: Option<GrantType>,
}

/// `POST` at the token endpoint.
pub async fn token(cx: &mut Context<'_, impl Host, impl CryptoRng>, http: &Request) -> Response {
    let mut progress = Progress::default();
    let outcome = issue(cx, http, &mut progress).await;
    let event = Event {
        client_id: progress.client_id,
        grant_type: progress.grant_type.map(GrantType::as_str),
        metadata: constraint_metadata(),
        ..Event::new(EventName::TokenIssued, cx.now)
    };
    match outcome {
        Ok(issued) => {
            let mut event =
                Event { subject: Some(issued.sub), scope: Some(issued.response.scope.clone()), ..event };
            if let Some(name) = issued.refresh {
                cx.events.push(Event { name, ..event.clone() });
            }
            event.metadata.insert("jti".to_owned(), issued.jti.into());
            cx.events.push(event);
            Response::json(StatusCode::OK, &issued.response).header(header::PRAGMA, "no-cache")
        }
        Err(error) => {
            if let Some(fault) = error.fault() {
                cx.host.log_fault(fault);
            }
            let code = error.wire().1;
            let mut event = Event { name: EventName::TokenDenied, ..event };
            event.metadata.insert("reason".to_owned(), code.into());
            event.result = Some(match &error {
                TokenError::InvalidGrant(refusal) => format!("{code}: {refusal:?}"),
                _ => code.to_owned(),
            });
            cx.events.push(event);
            error.response(&cx.server.config)
        }
    }
}

/// How the token is bound to a key (RFC 7800 §3.1): not at all.
fn constraint_metadata() -> Map<String, Value> {
    [("token_type", "Bearer".into()), ("sender_constraint", "none".into()), ("cnf", Value::Null)]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// From the request to the grant, in the order of the checks.
async fn issue(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
    progress: &mut Progress,
) -> Result<Issued, TokenError> {
    let params = parameters(http)?;
    let Authenticated { client, claim: _ } =
        client_auth::authenticate(cx, http, &params).await.map_err(RequestError::ClientAuth)?;
    progress.client_id = Some(client.client_id.clone());
    let grant_type = required(&params, "grant_type", "grant_type is required")?;
    let grant_type = GrantType::parse(grant_type)
        .filter(|grant_type| cx.server.config.grant_types_supported.contains(grant_type))
        .ok_or(TokenError::UnsupportedGrantType)?;
    progress.grant_type = Some(grant_type);
    if !client.may_use(grant_type) {
        return Err(TokenError::UnauthorizedClient);
    }
    match grant_type {
        GrantType::AuthorizationCode => authorization_code::redeem(cx, &client, &params).await,
        GrantType::RefreshToken => refresh_token::refresh(cx, &client, &params).await,
        GrantType::ClientCredentials => client_credentials::issue(cx, &client, &params).await,
    }
}

/// "the authorization server MUST" refuse a `resource` the grant is not for (RFC 8707 §2.2).
fn check_resource(params: &Params, audience: &str) -> Result<(), TokenError> {
    if params.all("resource").any(|resource| resource != audience) {
        return Err(TokenError::InvalidTarget);
    }
    Ok(())
}

/// The ID token's algorithm for this client; `RS256` where it registered none (OIDC Registration §2).
fn id_token_alg(client: &Client) -> Result<crate::jose::Algorithm, TokenError> {
    client.id_token_signed_response_alg.as_deref().unwrap_or("RS256").parse().map_err(|_| {
        TokenError::fault_of(format!(
            "client `{}` registered an unknown ID token algorithm",
            client.client_id
        ))
    })
}

/// A part of the host failed.
fn part(name: &'static str) -> impl Fn(HostError) -> TokenError {
    move |fault| TokenError::fault_of(format!("{name}: {fault}"))
}
