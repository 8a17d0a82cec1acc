//! The token endpoint (RFC 6749 §3.2).

mod authorization_code;
mod error;

use ::http::{StatusCode, header};
use rand_core::CryptoRng;
use serde::Serialize;

pub use error::{GrantRefusal, TokenError};

use crate::client::{Client, GrantType};
use crate::client_auth;
use crate::event::{Event, EventName};
use crate::host::Host;
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
}

/// How far a refused request got, for its event.
#[derive(Default)]
struct Progress {
    client_id: Option<String>,
    grant_type: Option<GrantType>,
}

/// `POST` at the token endpoint.
pub async fn token(cx: &mut Context<'_, impl Host, impl CryptoRng>, http: &Request) -> Response {
    let mut progress = Progress::default();
    let outcome = issue(cx, http, &mut progress).await;
    let mut event = Event {
        client_id: progress.client_id,
        grant_type: progress.grant_type.map(GrantType::as_str),
        ..Event::new(EventName::TokenIssued, cx.now)
    };
    match outcome {
        Ok(issued) => {
            event.subject = Some(issued.sub);
            event.scope = Some(issued.response.scope.clone());
            event.metadata.insert("token_type".to_owned(), issued.response.token_type.into());
            event.metadata.insert("sender_constraint".to_owned(), "none".into());
            cx.events.push(event);
            Response::json(StatusCode::OK, &issued.response).header(header::PRAGMA, "no-cache")
        }
        Err(error) => {
            if let Some(fault) = error.fault() {
                cx.host.log_fault(fault);
            }
            event.name = EventName::TokenDenied;
            event.result = Some(match &error {
                TokenError::InvalidGrant(refusal) => format!("{}: {refusal:?}", error.wire().1),
                _ => error.wire().1.to_owned(),
            });
            cx.events.push(event);
            error.response(&cx.server.config)
        }
    }
}

/// From the request to the grant, in the order of the checks.
async fn issue(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
    progress: &mut Progress,
) -> Result<Issued, TokenError> {
    refuse_query(http)?;
    let params = http.form().map_err(TokenError::Form)?;
    params.refuse_repeated().map_err(|_| TokenError::Repeated)?;
    let client = client_auth::authenticate(cx.host, http, &params).await.map_err(TokenError::ClientAuth)?;
    progress.client_id = Some(client.client_id.clone());
    let grant_type = required(&params, "grant_type", "grant_type is required")?;
    let grant_type = GrantType::parse(grant_type).ok_or(TokenError::UnsupportedGrantType)?;
    progress.grant_type = Some(grant_type);
    if !client.may_use(grant_type) {
        return Err(TokenError::UnauthorizedClient);
    }
    match grant_type {
        GrantType::AuthorizationCode => authorization_code::redeem(cx, &client, &params).await,
    }
}

/// Whatever of a token request stands in the query is in somebody's access log.
fn refuse_query(http: &Request) -> Result<(), TokenError> {
    const CREDENTIALS: [&str; 9] = [
        "client_id",
        "client_secret",
        "client_assertion",
        "code",
        "code_verifier",
        "refresh_token",
        "username",
        "password",
        "grant_type",
    ];
    match http.query_params() {
        Ok(query) if CREDENTIALS.iter().any(|name| query.has(name)) => Err(TokenError::CredentialInQuery),
        Ok(_) => Ok(()),
        Err(_) => Err(TokenError::CredentialInQuery),
    }
}

fn required<'p>(params: &'p Params, name: &str, description: &'static str) -> Result<&'p str, TokenError> {
    params.one(name).map_err(|_| TokenError::Repeated)?.ok_or(TokenError::Missing(description))
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
        TokenError::Fault(format!("client `{}` registered an unknown ID token algorithm", client.client_id))
    })
}
