//! Granting scope (RFC 6749 §3.3): the policy decides, within bounds it can not move.

use rand_core::CryptoRng;

use crate::host::{Host, HostError, ScopeRequest};
use crate::scope::Scope;
use crate::server::Context;

/// Why no scope is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ScopeRefusal {
    /// `invalid_scope`.
    Refused,
    /// The policy failed, or broke its contract.
    Fault(HostError),
}

/// Asks the scope policy, and holds it to its contract: nothing is granted that was not asked for; where nothing was, a
/// default lies within what the client registered; and every value is one this server grants, which `*` never is.
pub(crate) async fn grant_scope(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    request: ScopeRequest<'_>,
) -> Result<Scope, ScopeRefusal> {
    let catalog = &cx.server.config.catalog;
    let (client, requested) = (request.client, request.requested);
    // Outside the catalog there is nothing a policy could grant.
    if !requested.tokens().iter().all(|token| catalog.is_grant(token)) {
        return Err(ScopeRefusal::Refused);
    }
    let Some(granted) = cx.host.authorize_scope(request).await.map_err(ScopeRefusal::Fault)? else {
        return Err(ScopeRefusal::Refused);
    };
    let broke = |rule: &str| Err(ScopeRefusal::Fault(HostError(format!("the scope policy granted {rule}"))));
    if !granted.tokens().iter().all(|token| catalog.is_grant(token)) {
        return broke("what is no grant of the catalog");
    }
    if !requested.is_empty() && !catalog.narrows(&granted, requested) {
        return broke("more than was asked for");
    }
    if client.scope.as_ref().is_some_and(|registered| !catalog.narrows(&granted, registered)) {
        return broke("more than the client registered");
    }
    Ok(granted)
}
