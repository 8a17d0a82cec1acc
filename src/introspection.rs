//! Token introspection (RFC 7662).

use ::http::{StatusCode, header};
use rand_core::CryptoRng;
use serde_json::{Map, Value, json};

use crate::client::ClientAuthMethod;
use crate::client_auth::ClientAuthError;
use crate::client_request::{RequestError, authenticated, refuse, required};
use crate::event::{Event, EventName};
use crate::host::{Host, HostError};
use crate::http::{Request, Response};
use crate::issued_token::{self, IssuedToken};
use crate::secret::Secret;
use crate::server::Context;

/// `POST` at the introspection endpoint.
pub async fn introspect(cx: &mut Context<'_, impl Host, impl CryptoRng>, http: &Request) -> Response {
    match introspected(cx, http).await {
        Ok(members) => Response::json(StatusCode::OK, &members).header(header::PRAGMA, "no-cache"),
        Err(error) => refuse(cx, "introspection", &error),
    }
}

async fn introspected(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
) -> Result<Map<String, Value>, RequestError> {
    let (caller, params) = authenticated(cx, http).await?;
    // "To prevent token scanning attacks, the endpoint MUST also require some form of authorization to access this
    // endpoint" (§2.1): a public client has none to show.
    if caller.token_endpoint_auth_method == ClientAuthMethod::None {
        return Err(ClientAuthError::Failed(false).into());
    }
    let token = Secret::new(required(&params, "token", "token is required")?.to_owned());
    let found = issued_token::find(cx, &token).await.map_err(fault("stores"))?;
    let members = match found {
        Some(found) if is_active(cx, &caller.client_id, &found).await? => active(cx, &found),
        // "the authorization server SHOULD NOT include any additional information about an inactive token, including
        // why the token is inactive" (§2.2).
        _ => inactive(),
    };
    let mut event = Event::new(EventName::TokenIntrospected, cx.now);
    event.client_id = Some(caller.client_id);
    event.subject = members.get("sub").and_then(Value::as_str).map(str::to_owned);
    event.metadata.insert("active".to_owned(), members.get("active").cloned().unwrap_or_default());
    cx.events.push(event);
    Ok(members)
}

/// "MUST determine whether the token […] has been revoked" (§4), and whether those it was issued to and for are still
/// admitted.
async fn is_active(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    caller: &str,
    found: &IssuedToken,
) -> Result<bool, RequestError> {
    let host = cx.host;
    let lives = match found {
        IssuedToken::Access(token) => {
            !host.is_revoked(&token.token_id, cx.now).await.map_err(fault("stores"))?
        }
        // No protected resource is ever shown a refresh token; only its own client has a question about it.
        IssuedToken::Refresh { token, rotated, .. } => !rotated && token.client_id == caller,
    };
    if !lives || host.load_client(found.client_id()).await.map_err(fault("clients"))?.is_none() {
        return Ok(false);
    }
    let of_client = found.subject().strip_prefix(cx.server.config.client_sub_prefix());
    if of_client == Some(found.client_id()) {
        return Ok(true);
    }
    Ok(host.load_principal(found.subject()).await.map_err(fault("people"))?.is_some())
}

fn inactive() -> Map<String, Value> {
    [("active".to_owned(), false.into())].into_iter().collect()
}

/// The members of §2.2.
fn active<H, R>(cx: &Context<'_, H, R>, found: &IssuedToken) -> Map<String, Value> {
    let members = match found {
        IssuedToken::Access(token) => json!({
            "active": true,
            "iss": cx.server.config.issuer,
            "sub": token.subject,
            "aud": token.claims.get("aud"),
            "client_id": token.client_id,
            "scope": token.scope.to_string(),
            "token_type": "Bearer",
            "iat": token.issued_at,
            "exp": token.expires_at,
            "jti": token.token_id,
        }),
        IssuedToken::Refresh { token, grant, .. } => json!({
            "active": true,
            "iss": cx.server.config.issuer,
            "sub": token.subject,
            "client_id": token.client_id,
            "scope": grant.scope,
            "exp": token.expires_at,
        }),
    };
    let Value::Object(mut members) = members else { return inactive() };
    // "A JSON string containing a space-separated list of scopes" has at least one.
    members.retain(|name, value| name != "scope" || value.as_str() != Some(""));
    members
}

fn fault(part: &'static str) -> impl Fn(HostError) -> RequestError {
    move |fault| RequestError::Fault(format!("{part}: {fault}"))
}
