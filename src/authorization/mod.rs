//! The authorization endpoint (RFC 6749 §3.1, OIDC Core §3.1.2), and the way back to it from the person's pages.
//!
//! A request goes through `submission` (which parameters count), `request` (whether they are valid), `interaction` (who the
//! person is, and whether they agree) and `completion`; `response` sends the answer.

mod completion;
mod form_post;
mod freshness;
mod interaction;
mod pages;
mod prompt;
mod refusal;
mod request;
mod response;
mod response_mode;
mod submission;

use ::http::{HeaderValue, Method, header};
use rand_core::CryptoRng;

pub use prompt::Prompt;
pub use refusal::{Refusal, Unsettled};
pub use request::{AuthorizationRequest, Settled};
pub use response_mode::{Encoding, ResponseMode};
pub use submission::Channel;

use freshness::SIGN_IN_LEEWAY;
use submission::Rejection;

use crate::event::{Event, EventName};
use crate::host::{Host, HostError, Reply};
use crate::http::{BodyError, Request, Response};
use crate::params::Params;
use crate::pushed_request::{PushedRequest, Reference};
use crate::server::Context;

/// `GET` and `POST` at the authorization endpoint (OIDC Core §3.1.2.1 asks for both).
pub async fn authorize(cx: &mut Context<'_, impl Host, impl CryptoRng>, http: &Request) -> Response {
    let params = if http.method == Method::POST {
        http.form()
    } else {
        http.query_params().map_err(|_| BodyError::Malformed)
    };
    let params = match params {
        Ok(params) => params,
        Err(error) => return pages::unreadable(error),
    };
    match validated(cx, params).await {
        Ok(request) => interaction::interact(cx, http, request).await,
        Err(response) => response,
    }
}

/// Requests below the prefix of the person's pages.
pub async fn account(cx: &mut Context<'_, impl Host, impl CryptoRng>, http: &Request) -> Response {
    match cx.host.handle(http, cx.now).await {
        Ok(Reply::Respond(response)) => response,
        Ok(Reply::SignedIn { parameters, set_cookie }) => {
            let mut response = resume(cx, &parameters);
            for cookie in set_cookie.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
                response.headers.append(header::SET_COOKIE, cookie);
            }
            response
        }
        Ok(Reply::Answered { parameters, grant, allowed }) => {
            interaction::answered(cx, http, &parameters, &grant, allowed).await
        }
        Err(fault) => {
            cx.host.log_fault(&format!("people: {fault}"));
            pages::fault()
        }
    }
}

/// Settles and validates what the user agent has brought, or says what to answer.
async fn validated(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    presented: Params,
) -> Result<AuthorizationRequest, Response> {
    let outcome = match submission::settle(cx, presented).await {
        Ok(settled) => AuthorizationRequest::validate(cx, settled).await.map_err(Rejection::Answer),
        Err(rejection) => Err(rejection),
    };
    let outcome = match outcome {
        Ok(request) => kept(cx, request).await,
        Err(rejection) => Err(rejection),
    };
    match outcome {
        Ok(request) => Ok(request),
        Err(rejection) => Err(reject(cx, rejection).await),
    }
}

/// Keeps a signed request that the user agent has brought, and goes on with a reference to it: when the person comes back
/// from a page the object may have expired, and it is good for one code.
async fn kept(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    mut request: AuthorizationRequest,
) -> Result<AuthorizationRequest, Rejection> {
    if !matches!(request.settled.channel, Channel::UserAgent { signed: true }) {
        return Ok(request);
    }
    let stored = PushedRequest {
        parameters: request.settled.params.encode(),
        pushed_at: cx.now,
        signed: true,
        dpop_jkt: request.dpop_jkt.clone(),
    };
    // It lives as long as the pages it leads to can be answered.
    let ttl = cx.server.config.consent_grant_ttl.max(cx.server.config.pushed_requests.ttl);
    match Reference::keep(cx, &request.settled.client, stored, ttl).await {
        Ok(reference) => {
            request.settled.channel = Channel::Reference(Box::new(reference));
            Ok(request)
        }
        Err(HostError(fault)) => {
            let refusal = Refusal::ServerError(format!("stores: {fault}"));
            Err(Rejection::Answer(Box::new((request.settled, refusal))))
        }
    }
}

/// Turns a request down before the person was asked anything.
async fn reject(cx: &mut Context<'_, impl Host, impl CryptoRng>, rejection: Rejection) -> Response {
    let mut event = Event::new(EventName::AuthorizationFailed, cx.now);
    let fault = match &rejection {
        Rejection::Page(reason) => {
            event.result = Some(format!("{reason:?}"));
            reason.fault()
        }
        Rejection::Answer(refused) => {
            let (settled, refusal) = &**refused;
            event.client_id = Some(settled.client.client_id.clone());
            event.result = Some(format!("{}: {refusal:?}", refusal.wire().0));
            refusal.fault()
        }
    };
    if let Some(fault) = fault {
        cx.host.log_fault(fault);
    }
    cx.events.push(event);
    match rejection {
        Rejection::Page(reason) => pages::unsettled(&reason),
        Rejection::Answer(refused) => response::error(cx, &refused.0, &refused.1).await,
    }
}

/// Sends the user agent to the authorization endpoint again, after a sign-in: what asked for that sign-in is met.
fn resume<H, R>(cx: &Context<'_, H, R>, parameters: &str) -> Response {
    let Ok(params) = Params::parse(parameters.as_bytes()) else {
        return pages::unreadable(BodyError::Malformed);
    };
    let params = params.map(|name, value| match name {
        "prompt" => {
            let rest: Vec<_> =
                value.split(' ').filter(|v| !matches!(*v, "login" | "select_account")).collect();
            (!rest.is_empty()).then(|| rest.join(" "))
        }
        "max_age" => Some(match prompt::seconds(&value) {
            Some(seconds) => seconds.max(SIGN_IN_LEEWAY).to_string(),
            None => value,
        }),
        _ => Some(value),
    });
    go_on(cx, &params.encode())
}

/// Sends the user agent to the authorization endpoint with these parameters.
fn go_on<H, R>(cx: &Context<'_, H, R>, parameters: &str) -> Response {
    // Only a person's page leads here, and there are none without the endpoint.
    let endpoint = cx.server.endpoints.authorization.as_deref().unwrap_or_default();
    let location = format!("{endpoint}?{parameters}");
    Response::see_other(&location).unwrap_or_else(|| pages::unreadable(BodyError::Malformed))
}
