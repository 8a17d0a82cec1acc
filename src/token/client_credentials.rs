//! The client credentials grant (RFC 6749 §4.4).

use rand_core::CryptoRng;

use super::issue::Tokens;
use super::{Issued, TokenError, TokenRequest, part};
use crate::client::GrantType;
use crate::client_request::RequestError;
use crate::host::{Host, Principal, ScopeRequest};
use crate::resource;
use crate::scope::Scope;
use crate::scope_grant::{ScopeRefusal, grant_scope};
use crate::server::Context;

/// Values that speak of a person, and of a person's absence (OIDC Core §3.1.2.1, §11).
const OF_PEOPLE: [&str; 2] = ["openid", "offline_access"];

/// Issues an access token to a client acting for itself. "A refresh token SHOULD NOT be included" (§4.4.3).
pub(super) async fn issue(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: &TokenRequest<'_>,
) -> Result<Issued, TokenError> {
    let TokenRequest { client, params, .. } = request;
    // "The client credentials grant type MUST only be used by confidential clients" (§4.4).
    if client.is_public() {
        return Err(TokenError::UnauthorizedClient);
    }
    let resources = resource::requested(cx, client, params).await?;
    let requested = params.one("scope").map_err(|_| RequestError::Repeated)?.unwrap_or_default();
    let requested = Scope::parse(requested).map_err(|_| TokenError::InvalidScope)?;
    if OF_PEOPLE.iter().any(|value| requested.contains(value)) {
        return Err(TokenError::InvalidScope);
    }
    let question = ScopeRequest {
        client,
        grant_type: GrantType::ClientCredentials.as_str(),
        sub: None,
        requested: &requested,
    };
    let scope = match grant_scope(cx, question).await {
        Ok(scope) => scope.without(&OF_PEOPLE),
        Err(ScopeRefusal::Refused) => return Err(TokenError::InvalidScope),
        Err(ScopeRefusal::Fault(fault)) => return Err(TokenError::fault_of(format!("rules: {fault}"))),
    };
    // "In case of access tokens obtained through grants where no resource owner is involved, such as the client
    // credentials grant, the value of `sub` SHOULD correspond to an identifier the authorization server uses to indicate
    // the client application" (RFC 9068 §2.2), told from every person's by its prefix (§5).
    let claims = cx.host.client_claims(&client.client_id, &scope).await.map_err(part("people"))?;
    let prefix = cx.server.config.client_sub_prefix();
    let principal = Principal { sub: format!("{prefix}{}", client.client_id), claims };
    let tokens = Tokens {
        client,
        principal: &principal,
        scope: &scope,
        resources: &resources,
        cnf: request.cnf.as_ref(),
        authentication: None,
        nonce: None,
    };
    let built = tokens.build(cx).await?;
    request.claim(cx).await?;
    Ok(Issued { response: built.response, sub: principal.sub, jti: built.jti, refresh: None })
}
