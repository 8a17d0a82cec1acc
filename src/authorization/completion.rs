//! How an authorization request ends: with a code, or with the reason why there is none.

use rand_core::CryptoRng;

use super::refusal::Refusal;
use super::request::AuthorizationRequest;
use super::response;
use crate::authentication::Authentication;
use crate::authorization_code::CodeGrant;
use crate::event::{Event, EventName};
use crate::host::{Host, HostError, ResourceOwner, StoredCode};
use crate::http::Response;
use crate::scope::Scope;
use crate::secret::Secret;
use crate::server::Context;

/// Hands the client a code for this scope on behalf of this person.
pub(super) async fn issue_code(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: AuthorizationRequest,
    owner: ResourceOwner,
    scope: Scope,
) -> Response {
    let code = Secret::random(cx.rng);
    let settled = &request.settled;
    let grant = CodeGrant {
        redirect_uri: settled.redirect_uri_in_request.then(|| settled.redirect_uri.as_str().to_owned()),
        sub: owner.sub.clone(),
        scope: scope.to_string(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        dpop_jkt: request.dpop_jkt.clone(),
        resources: request.resources.clone(),
        authentication: Authentication::from(&owner),
    };
    let Ok(encoded) = serde_json::to_vec(&grant) else {
        return fail(cx, &request, "engine", &HostError("a code grant does not serialize".to_owned())).await;
    };
    let stored = StoredCode {
        digest: code.digest(),
        client_id: settled.client.client_id.clone(),
        subject: owner.sub.clone(),
        expires_at: cx.now.saturating_add(cx.server.config.authorization_code_ttl),
        grant: encoded,
    };
    if let Err(response) = take(cx, &request).await {
        return response;
    }
    if let Err(fault) = cx.host.put_code(stored).await {
        return fail(cx, &request, "stores", &fault).await;
    }
    let mut event = event_of(cx, &request, EventName::CodeIssued);
    event.subject = Some(owner.sub);
    event.scope = Some(scope.to_string());
    cx.events.push(event);
    response::success(cx, &request.settled, &code).await
}

/// Tells the client that the person said no.
pub(super) async fn deny(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: &AuthorizationRequest,
) -> Response {
    match take(cx, request).await {
        Ok(()) => refuse(cx, request, Refusal::AccessDenied).await,
        Err(response) => response,
    }
}

/// Takes a stored request, which is completed once: "the authorization server SHOULD treat `request_uri` values as one-time
/// use" (RFC 9126 §4), and of many that complete it at a time one wins.
async fn take(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: &AuthorizationRequest,
) -> Result<(), Response> {
    let Some(reference) = request.settled.channel.reference() else { return Ok(()) };
    match reference.take(cx).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(refuse(cx, request, Refusal::RequestUriTaken).await),
        Err(fault) => Err(fail(cx, request, "stores", &fault).await),
    }
}

/// Tells the client why there is no code.
pub(super) async fn refuse(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: &AuthorizationRequest,
    refusal: Refusal,
) -> Response {
    if let Some(fault) = refusal.fault() {
        cx.host.log_fault(fault);
    }
    let name = match refusal {
        Refusal::AccessDenied => EventName::AuthorizationDenied,
        _ => EventName::AuthorizationFailed,
    };
    let mut event = event_of(cx, request, name);
    event.scope = Some(request.scope.to_string());
    event.result = Some(refusal.wire().0.to_owned());
    cx.events.push(event);
    response::error(cx, &request.settled, &refusal).await
}

/// An internal fault: the cause to the operator, `server_error` to the client.
pub(super) async fn fail(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: &AuthorizationRequest,
    part: &str,
    fault: &HostError,
) -> Response {
    refuse(cx, request, Refusal::ServerError(format!("{part}: {fault}"))).await
}

pub(super) fn event_of<H, R>(
    cx: &Context<'_, H, R>,
    request: &AuthorizationRequest,
    name: EventName,
) -> Event {
    Event { client_id: Some(request.settled.client.client_id.clone()), ..Event::new(name, cx.now) }
}
