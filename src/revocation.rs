//! Token revocation (RFC 7009).

use ::http::{StatusCode, header};
use rand_core::CryptoRng;

use crate::client::Client;
use crate::client_request::{RequestError, authenticated, refuse, required};
use crate::event::{Event, EventName};
use crate::host::{Host, HostError};
use crate::http::{Request, Response};
use crate::issued_token::{self, IssuedToken};
use crate::secret::Secret;
use crate::server::Context;

/// `POST` at the revocation endpoint.
///
/// "The authorization server responds with HTTP status code 200 if the token has been revoked successfully or if the
/// client submitted an invalid token" (§2.2): the answer tells nothing about tokens the client does not have.
pub async fn revoke(cx: &mut Context<'_, impl Host, impl CryptoRng>, http: &Request) -> Response {
    match revoked(cx, http).await {
        Ok(()) => Response::empty(StatusCode::OK)
            .header(header::CACHE_CONTROL, "no-store")
            .header(header::PRAGMA, "no-cache"),
        Err(error) => refuse(cx, "revocation", &error),
    }
}

async fn revoked(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
) -> Result<(), RequestError> {
    let (client, token) = authenticated(cx, http, |_, params| {
        Ok(Secret::new(required(params, "token", "token is required")?.to_owned()))
    })
    .await?;
    let found = issued_token::find(cx, &token).await.map_err(stores)?;
    // "The authorization server first validates […] whether the token was issued to the client making the revocation
    // request" (§2.1).
    let Some(found) = found.filter(|found| found.client_id() == client.client_id) else { return Ok(()) };
    let mut event = event_of(cx, &client, &found);
    match &found {
        IssuedToken::Access(token) => {
            let expires_at = token.expires_at.as_secs();
            cx.host.revoke_token(&token.token_id, expires_at, cx.now).await.map_err(stores)?;
            event.metadata.insert("jti".to_owned(), token.token_id.clone().into());
        }
        // "depending on the authorization server's revocation policy, the revocation of a particular token may cause
        // the revocation of related tokens" (§2.1): here the family goes with any of its members.
        IssuedToken::Refresh { token, grant, .. } => {
            cx.host.revoke_family(&token.family, grant.family_expires_at).await.map_err(stores)?;
            event.metadata.insert("family".to_owned(), token.family.clone().into());
        }
    }
    cx.events.push(event);
    Ok(())
}

fn event_of<H, R>(cx: &Context<'_, H, R>, client: &Client, found: &IssuedToken) -> Event {
    let mut event = Event::new(EventName::TokenRevoked, cx.now);
    event.client_id = Some(client.client_id.clone());
    event.subject = Some(found.subject().to_owned());
    event.metadata.insert("token_type".to_owned(), found.type_hint().into());
    event
}

fn stores(fault: HostError) -> RequestError {
    RequestError::Fault(format!("stores: {fault}"))
}
