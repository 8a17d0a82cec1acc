//! Who the person is, and whether they agree (OIDC Core §3.1.2.3, §3.1.2.4).

use rand_core::CryptoRng;

use super::completion::{deny, event_of, fail, issue_code, refuse};
use super::pages;
use super::refusal::Refusal;
use super::request::AuthorizationRequest;
use super::{go_on, validated};
use crate::client::GrantType;
use crate::consent;
use crate::event::EventName;
use crate::host::{
    AuthenticationDemand, ConsentDecision, ConsentDemand, Consumption, Establishment, Host, ResourceOwner,
    ScopeRequest,
};
use crate::http::{BodyError, Request, Response};
use crate::params::Params;
use crate::scope::Scope;
use crate::scope_grant::{ScopeRefusal, grant_scope};
use crate::secret::Secret;
use crate::server::Context;

/// Asks who the person is and whether they agree; with both, the code.
pub(super) async fn interact(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
    request: AuthorizationRequest,
) -> Response {
    let interactive = !request.prompt.none;
    let demand = request.authentication_demand(cx.now);
    let about = request.for_interaction(request.scope.clone());
    let owner = match cx.host.establish(http, cx.now, &about, demand).await {
        Ok(Establishment::Authenticated(owner)) => owner,
        Ok(Establishment::Respond(page)) if interactive => return page,
        Ok(Establishment::Respond(_) | Establishment::None) => {
            return refuse(cx, &request, Refusal::LoginRequired).await;
        }
        Err(fault) => return fail(cx, &request, "people", &fault).await,
    };
    if !request.accepts_authentication(owner.auth_time, cx.now) {
        return refuse(cx, &request, Refusal::LoginRequired).await;
    }
    let scope = match granted_scope(cx, &request, &owner).await {
        Ok(scope) => scope,
        Err(refusal) => return refuse(cx, &request, refusal).await,
    };
    let about = request.for_interaction(scope.clone());
    let demand = ConsentDemand { interactive, force_consent: request.prompt.consent };
    let grant = Secret::random(cx.rng);
    match cx.host.consent(http, cx.now, &about, demand, &owner.sub, &grant).await {
        Ok(ConsentDecision::Consented) => issue_code(cx, request, owner, scope).await,
        Ok(ConsentDecision::Denied) => deny(cx, &request).await,
        Ok(ConsentDecision::Respond(page)) if interactive => {
            // The grant exists before the page that carries it is seen, and only then.
            let binding = consent::binding(&request, &scope, &owner.sub);
            let expires_at = cx.now.saturating_add(cx.server.config.consent_grant_ttl);
            match cx.host.mint_consent_grant(&grant.digest(), &binding, expires_at).await {
                Ok(()) => page,
                Err(fault) => fail(cx, &request, "stores", &fault).await,
            }
        }
        Ok(ConsentDecision::Respond(_) | ConsentDecision::None) => {
            refuse(cx, &request, Refusal::ConsentRequired).await
        }
        Err(fault) => fail(cx, &request, "people", &fault).await,
    }
}

/// The answer to a consent page. Everything about the request is established anew; the grant, consumed last, ties the
/// answer to what the page showed.
pub(super) async fn answered(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
    parameters: &str,
    grant: &Secret<String>,
    allowed: bool,
) -> Response {
    let Ok(params) = Params::parse(parameters.as_bytes()) else {
        return pages::unreadable(BodyError::Malformed);
    };
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
        Err(fault) => return fail(cx, &request, "people", &fault).await,
    };
    let scope = match granted_scope(cx, &request, &owner).await {
        Ok(scope) => scope,
        Err(refusal) => return refuse(cx, &request, refusal).await,
    };
    let binding = consent::binding(&request, &scope, &owner.sub);
    match cx.host.consume_consent_grant(&grant.digest(), &binding, cx.now).await {
        Ok(Consumption::Consumed) => {
            let about = request.for_interaction(scope.clone());
            match cx.host.settle_consent(&about, &owner.sub, allowed, cx.now).await {
                Ok(()) if allowed => issue_code(cx, request, owner, scope).await,
                Ok(()) => deny(cx, &request).await,
                Err(fault) => fail(cx, &request, "people", &fault).await,
            }
        }
        // The page stood too long: it is shown again.
        Ok(Consumption::Expired) => go_on(cx, parameters),
        Ok(reason @ (Consumption::Unknown | Consumption::BindingMismatch | Consumption::AlreadyConsumed)) => {
            let mut event = event_of(cx, &request, EventName::AuthorizationFailed);
            event.result = Some(format!("consent grant: {reason:?}"));
            cx.events.push(event);
            pages::stale()
        }
        Err(fault) => fail(cx, &request, "stores", &fault).await,
    }
}

/// The scope that would be granted to this client on behalf of this person.
async fn granted_scope(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    request: &AuthorizationRequest,
    owner: &ResourceOwner,
) -> Result<Scope, Refusal> {
    // "the Authorization Server MUST NOT reply with an ID Token or Access Token for a different user" (OIDC Core §3.1.2.2).
    if request.expected_sub.as_ref().is_some_and(|sub| *sub != owner.sub) {
        return Err(Refusal::LoginRequired);
    }
    let question = ScopeRequest {
        client: &request.settled.client,
        grant_type: GrantType::AuthorizationCode.as_str(),
        sub: Some(&owner.sub),
        requested: &request.scope,
    };
    let scope = grant_scope(cx, question).await.map_err(|refusal| match refusal {
        ScopeRefusal::Refused => Refusal::InvalidScope,
        ScopeRefusal::Fault(fault) => Refusal::ServerError(format!("rules: {fault}")),
    })?;
    // A default scope can make an OpenID request of one that did not say so.
    request.check_openid(&scope, &cx.server.config)?;
    Ok(scope)
}
