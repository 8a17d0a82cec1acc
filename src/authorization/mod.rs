//! The authorization endpoint (RFC 6749 §3.1, OIDC Core §3.1.2), and the way back to it from the person's pages.

mod request;
mod response;

use ::http::{HeaderValue, Method, StatusCode, header};
use rand_core::CryptoRng;

pub use request::{AuthorizationRequest, Prompt, Refusal, Settled, Unsettled};

use crate::authentication::Authentication;
use crate::authorization_code::CodeGrant;
use crate::client::GrantType;
use crate::consent;
use crate::event::{Event, EventName};
use crate::host::{
    AuthenticationDemand, ConsentDecision, ConsentDemand, Consumption, Establishment, Host, HostError, Reply,
    ResourceOwner, ScopeRequest, StoredCode,
};
use crate::http::{BodyError, Request, Response};
use crate::params::Params;
use crate::scope::Scope;
use crate::scope_grant::{ScopeRefusal, grant_scope};
use crate::secret::Secret;
use crate::server::Context;

/// After a sign-in, how old that sign-in may be when the request goes on, seconds: the person needs time to get from
/// one page to the next even where `max_age` is 0.
const SIGN_IN_LEEWAY: u64 = 300;

/// `GET` and `POST` at the authorization endpoint (OIDC Core §3.1.2.1 asks for both).
pub async fn authorize(cx: &mut Context<'_, impl Host, impl CryptoRng>, http: &Request) -> Response {
    let params = if http.method == Method::POST {
        http.form()
    } else {
        http.query_params().map_err(|_| BodyError::Malformed)
    };
    let params = match params {
        Ok(params) => params,
        Err(error) => return unreadable(error),
    };
    match validated(cx, params).await {
        Ok(request) => interact(cx, http, request).await,
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
            answered(cx, http, &parameters, &grant, allowed).await
        }
        Err(fault) => {
            cx.host.log_fault(&format!("people: {fault}"));
            response::fault_page()
        }
    }
}

/// Settles and validates, or says what to answer.
async fn validated(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    params: Params,
) -> Result<AuthorizationRequest, Response> {
    let settled = match Settled::settle(params, cx.host).await {
        Ok(settled) => settled,
        Err(reason) => {
            if let Unsettled::Host(fault) = &reason {
                cx.host.log_fault(&format!("clients: {fault}"));
            }
            let mut event = Event::new(EventName::AuthorizationFailed, cx.now);
            event.result = Some(format!("{reason:?}"));
            cx.events.push(event);
            return Err(response::page(&reason));
        }
    };
    AuthorizationRequest::validate(settled, &cx.server.config, cx.server.keys.public()).map_err(|refused| {
        let (settled, refusal) = *refused;
        let mut event = Event::new(EventName::AuthorizationFailed, cx.now);
        event.client_id = Some(settled.client().client_id.clone());
        event.result = Some(format!("{}: {refusal:?}", refusal.wire().0));
        cx.events.push(event);
        response::error(&cx.server.config, settled.redirect_uri(), settled.state.as_deref(), refusal)
    })
}

/// Asks who the person is and whether they agree; with both, the code.
async fn interact(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
    request: AuthorizationRequest,
) -> Response {
    let interactive = !request.prompt.none;
    let demand = AuthenticationDemand {
        interactive,
        force_reauthentication: request.prompt.login,
        max_age: request.max_age,
    };
    let about = request.for_interaction(request.scope.clone());
    let owner = match cx.host.establish(http, cx.now, &about, demand).await {
        Ok(Establishment::Authenticated(owner)) => owner,
        Ok(Establishment::Respond(page)) if interactive => return page,
        Ok(Establishment::Respond(_) | Establishment::None) => {
            return refuse(cx, &request, Refusal::LoginRequired);
        }
        Err(fault) => return fail(cx, &request, "people", &fault),
    };
    // "the Authorization Server MUST attempt to actively re-authenticate" (OIDC Core §3.1.2.1): a part that says
    // "authenticated" has done so, or is not believed.
    let newest = if request.prompt.login { Some(SIGN_IN_LEEWAY) } else { request.max_age };
    if newest.is_some_and(|seconds| cx.now.saturating_sub(owner.auth_time) > seconds) {
        return refuse(cx, &request, Refusal::LoginRequired);
    }
    let scope = match granted_scope(cx, &request, &owner).await {
        Ok(scope) => scope,
        Err(response) => return response,
    };
    let about = request.for_interaction(scope.clone());
    let demand = ConsentDemand { interactive, force_consent: request.prompt.consent };
    let grant = Secret::random(cx.rng);
    match cx.host.consent(http, cx.now, &about, demand, &owner.sub, &grant).await {
        Ok(ConsentDecision::Consented) => issue_code(cx, request, owner, scope).await,
        Ok(ConsentDecision::Denied) => refuse(cx, &request, Refusal::AccessDenied),
        Ok(ConsentDecision::Respond(page)) if interactive => {
            // The grant exists before the page that carries it is seen, and only then.
            let binding = consent::binding(&request, &scope, &owner.sub);
            let expires_at = cx.now.saturating_add(cx.server.config.consent_grant_ttl);
            match cx.host.mint_consent_grant(&grant.digest(), &binding, expires_at).await {
                Ok(()) => page,
                Err(fault) => fail(cx, &request, "stores", &fault),
            }
        }
        Ok(ConsentDecision::Respond(_) | ConsentDecision::None) => {
            refuse(cx, &request, Refusal::ConsentRequired)
        }
        Err(fault) => fail(cx, &request, "people", &fault),
    }
}

/// The answer to a consent page. Everything about the request is established anew; the grant, consumed last, ties the
/// answer to what the page showed.
async fn answered(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
    parameters: &str,
    grant: &Secret<String>,
    allowed: bool,
) -> Response {
    let Ok(params) = Params::parse(parameters.as_bytes()) else { return unreadable(BodyError::Malformed) };
    let request = match validated(cx, params).await {
        Ok(request) => request,
        Err(response) => return response,
    };
    // How fresh the authentication had to be was decided when the page was shown.
    let demand = AuthenticationDemand { interactive: false, force_reauthentication: false, max_age: None };
    let about = request.for_interaction(request.scope.clone());
    let owner = match cx.host.establish(http, cx.now, &about, demand).await {
        Ok(Establishment::Authenticated(owner)) => owner,
        Ok(Establishment::Respond(_) | Establishment::None) => return go_on(cx, parameters),
        Err(fault) => return fail(cx, &request, "people", &fault),
    };
    let scope = match granted_scope(cx, &request, &owner).await {
        Ok(scope) => scope,
        Err(response) => return response,
    };
    let binding = consent::binding(&request, &scope, &owner.sub);
    match cx.host.consume_consent_grant(&grant.digest(), &binding, cx.now).await {
        Ok(Consumption::Consumed) => {
            let about = request.for_interaction(scope.clone());
            match cx.host.settle_consent(&about, &owner.sub, allowed, cx.now).await {
                Ok(()) if allowed => issue_code(cx, request, owner, scope).await,
                Ok(()) => refuse(cx, &request, Refusal::AccessDenied),
                Err(fault) => fail(cx, &request, "people", &fault),
            }
        }
        // The page stood too long: it is shown again.
        Ok(Consumption::Expired) => go_on(cx, parameters),
        Ok(reason @ (Consumption::Unknown | Consumption::BindingMismatch | Consumption::AlreadyConsumed)) => {
            let mut event = event_of(cx, &request, EventName::AuthorizationFailed);
            event.result = Some(format!("consent grant: {reason:?}"));
            cx.events.push(event);
            response::stale_page()
        }
        Err(fault) => fail(cx, &request, "stores", &fault),
    }
}

/// The scope that would be granted to this client on behalf of this person.
async fn granted_scope(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: &AuthorizationRequest,
    owner: &ResourceOwner,
) -> Result<Scope, Response> {
    let question = ScopeRequest {
        client: &request.client,
        grant_type: GrantType::AuthorizationCode.as_str(),
        sub: Some(&owner.sub),
        requested: &request.scope,
    };
    // "the Authorization Server MUST NOT reply with an ID Token or Access Token for a different user" (OIDC Core §3.1.2.2).
    if request.expected_sub.as_ref().is_some_and(|sub| *sub != owner.sub) {
        return Err(refuse(cx, request, Refusal::LoginRequired));
    }
    match grant_scope(cx, question).await {
        // A default scope can make an OpenID request of one that did not say so.
        Ok(scope) => match request.check_openid(&scope, &cx.server.config) {
            Ok(()) => Ok(scope),
            Err(refusal) => Err(refuse(cx, request, refusal)),
        },
        Err(ScopeRefusal::Refused) => Err(refuse(cx, request, Refusal::InvalidScope)),
        Err(ScopeRefusal::Fault(fault)) => Err(fail(cx, request, "rules", &fault)),
    }
}

async fn issue_code(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: AuthorizationRequest,
    owner: ResourceOwner,
    scope: Scope,
) -> Response {
    let code = Secret::random(cx.rng);
    let grant = CodeGrant {
        redirect_uri: request.redirect_uri_in_request.then(|| request.redirect_uri.as_str().to_owned()),
        sub: owner.sub.clone(),
        scope: scope.to_string(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        dpop_jkt: None,
        resources: Vec::new(),
        authentication: Authentication::from(&owner),
    };
    let Ok(encoded) = serde_json::to_vec(&grant) else {
        return fail(cx, &request, "engine", &HostError("a code grant does not serialize".to_owned()));
    };
    let stored = StoredCode {
        digest: code.digest(),
        client_id: request.client.client_id.clone(),
        subject: owner.sub.clone(),
        expires_at: cx.now.saturating_add(cx.server.config.authorization_code_ttl),
        grant: encoded,
    };
    if let Err(fault) = cx.host.put_code(stored).await {
        return fail(cx, &request, "stores", &fault);
    }
    let mut event = event_of(cx, &request, EventName::CodeIssued);
    event.subject = Some(owner.sub);
    event.scope = Some(scope.to_string());
    cx.events.push(event);
    response::success(&cx.server.config, &request.redirect_uri, request.state.as_deref(), &code)
}

/// Tells the client by redirect why there is no code.
fn refuse(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: &AuthorizationRequest,
    refusal: Refusal,
) -> Response {
    let name = match refusal {
        Refusal::AccessDenied => EventName::AuthorizationDenied,
        _ => EventName::AuthorizationFailed,
    };
    let mut event = event_of(cx, request, name);
    event.scope = Some(request.scope.to_string());
    event.result = Some(refusal.wire().0.to_owned());
    cx.events.push(event);
    response::error(&cx.server.config, &request.redirect_uri, request.state.as_deref(), refusal)
}

/// An internal fault: the cause to the operator, `server_error` to the client.
fn fail(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: &AuthorizationRequest,
    part: &str,
    fault: &HostError,
) -> Response {
    cx.host.log_fault(&format!("{part}: {fault}"));
    refuse(cx, request, Refusal::ServerError)
}

fn event_of<H, R>(cx: &Context<'_, H, R>, request: &AuthorizationRequest, name: EventName) -> Event {
    Event { client_id: Some(request.client.client_id.clone()), ..Event::new(name, cx.now) }
}

/// Sends the user agent to the authorization endpoint again, after a sign-in: what asked for that sign-in is met.
fn resume<H, R>(cx: &Context<'_, H, R>, parameters: &str) -> Response {
    let Ok(params) = Params::parse(parameters.as_bytes()) else { return unreadable(BodyError::Malformed) };
    let params = params.map(|name, value| match name {
        "prompt" => {
            let rest: Vec<_> =
                value.split(' ').filter(|v| !matches!(*v, "login" | "select_account")).collect();
            (!rest.is_empty()).then(|| rest.join(" "))
        }
        "max_age" => Some(match request::seconds(&value) {
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
    Response::see_other(&location).unwrap_or_else(|| unreadable(BodyError::Malformed))
}

fn unreadable(error: BodyError) -> Response {
    let (status, text) = match error {
        BodyError::Malformed => (StatusCode::BAD_REQUEST, "The request is malformed."),
        BodyError::MediaType => (StatusCode::BAD_REQUEST, "The request is not a form."),
        BodyError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The request is too large."),
    };
    Response::error_page(status, "This sign-in request is not valid", text)
}
