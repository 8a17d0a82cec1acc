//! The list of revoked access tokens: for resource servers that verify tokens by themselves and want to hear of those that
//! were taken back before they expire. No RFC has it; docs/revoked-tokens.md describes it.

use ::http::{StatusCode, header};
use rand_core::CryptoRng;
use serde::Serialize;

use crate::client_auth::ClientAuthError;
use crate::client_request::{RequestError, authenticated, refuse};
use crate::host::Host;
use crate::http::{Request, Response};
use crate::server::Context;

/// The answer.
#[derive(Serialize)]
struct List {
    revoked: Vec<RevokedToken>,
    /// The `since` of the next request.
    next: u64,
}

/// A token that is not to be accepted any more, and when it would expire.
#[derive(Serialize)]
struct RevokedToken {
    jti: String,
    exp: u64,
}

/// `POST` at the list: what was revoked at `since` (seconds since the Unix epoch) or later.
pub async fn list(cx: &mut Context<'_, impl Host, impl CryptoRng>, http: &Request) -> Response {
    match listed(cx, http).await {
        Ok(list) => Response::json(StatusCode::OK, &list).header(header::PRAGMA, "no-cache"),
        Err(error) => refuse(cx, "revoked_tokens", &error),
    }
}

async fn listed(cx: &Context<'_, impl Host, impl CryptoRng>, http: &Request) -> Result<List, RequestError> {
    const SINCE: RequestError = RequestError::Missing("since must be a number of seconds");
    let (_, since) = authenticated(cx, http, |caller, params| {
        // As with introspection (RFC 7662 §2.1), a caller that proves nothing learns nothing.
        if caller.is_public() {
            return Err(ClientAuthError::Failed(false).into());
        }
        match params.one("since").map_err(|_| RequestError::Repeated)? {
            Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().map_err(|_| SINCE),
            Some(_) => Err(SINCE),
            None => Ok(0),
        }
    })
    .await?;
    let found = cx.host.revoked_since(since, cx.now).await;
    let found = found.map_err(|fault| RequestError::Fault(format!("stores: {fault}")))?;
    let revoked = found.tokens.into_iter().map(|(jti, exp)| RevokedToken { jti, exp }).collect();
    Ok(List { revoked, next: found.next })
}
