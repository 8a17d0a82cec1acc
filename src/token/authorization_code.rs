//! The authorization code grant (RFC 6749 §4.1.3, OIDC Core §3.1.3).

use rand_core::CryptoRng;

use super::{GrantRefusal, Issued, TokenError, TokenResponse, check_resource, id_token_alg, required};
use crate::access_token::AccessToken;
use crate::authorization_code::CodeGrant;
use crate::client::Client;
use crate::event::{Event, EventName};
use crate::host::{Finalization, Host, HostError, IssuedAccessToken, Redemption};
use crate::id_token::IdToken;
use crate::params::Params;
use crate::scope::Scope;
use crate::secret::{Digest, Secret};
use crate::server::Context;

/// Redeems a code of this, authenticated, client.
///
/// A wrong redirect URI or verifier from its own client spends the code: somebody is trying. Otherwise the code is
/// claimed last, when nothing can refuse the request any more, so that a fault leaves it usable.
pub(super) async fn redeem(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
    params: &Params,
) -> Result<Issued, TokenError> {
    let code = required(params, "code", "code is required")?;
    let verifier = required(params, "code_verifier", "code_verifier is required")?;
    let redirect_uri = params.one("redirect_uri").map_err(|_| TokenError::Repeated)?;
    check_resource(params, &cx.server.config.audience)?;

    let digest = Digest::of(code.as_bytes());
    let stored =
        cx.host.peek_code(&digest, cx.now).await.map_err(stores)?.ok_or(GrantRefusal::UnknownCode)?;
    // "ensure that the authorization code was issued to the authenticated confidential client, or if the client is
    // public, ensure that the code was issued to `client_id` in the request" (RFC 6749 §4.1.3).
    if stored.client_id != client.client_id {
        return Err(GrantRefusal::OtherClient.into());
    }
    let grant: CodeGrant = serde_json::from_slice(&stored.grant)
        .map_err(|error| TokenError::Fault(format!("stores: a code's grant is not readable: {error}")))?;

    // "ensure that the `redirect_uri` parameter is present if [it] was included in the initial authorization request
    // […], and if included ensure that their values are identical" (§4.1.3).
    let refusal = if grant.redirect_uri.as_deref() != redirect_uri
        && (grant.redirect_uri.is_some() || redirect_uri.is_some())
    {
        Some(GrantRefusal::RedirectUri)
    } else if !grant.code_challenge.is_met_by(verifier) {
        Some(GrantRefusal::CodeVerifier)
    } else {
        None
    };
    if let Some(refusal) = refusal {
        claim(cx, client, &digest).await?;
        return Err(refusal.into());
    }

    let (issued, access_token) = build(cx, client, &grant).await?;
    claim(cx, client, &digest).await?;
    match cx.host.finalize_code(&digest, &access_token).await.map_err(stores)? {
        Finalization::Finalized => Ok(issued),
        // Somebody presented the code again while it was being redeemed: neither gets a token.
        Finalization::Replayed => {
            revoke(cx, client, &access_token).await?;
            Err(GrantRefusal::Replayed.into())
        }
    }
}

/// Claims the code. "If an authorization code is used more than once, the authorization server MUST deny the request and
/// SHOULD revoke (when possible) all tokens previously issued based on that authorization code" (RFC 6749 §4.1.2).
async fn claim(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
    digest: &Digest,
) -> Result<(), TokenError> {
    match cx.host.redeem_code(digest, cx.now).await.map_err(stores)? {
        Redemption::Redeemed => Ok(()),
        Redemption::Unknown => Err(GrantRefusal::UnknownCode.into()),
        Redemption::Replayed(issued) => {
            let mut event = Event::new(EventName::CodeReplayDetected, cx.now);
            event.client_id = Some(client.client_id.clone());
            cx.events.push(event);
            if let Some(issued) = issued {
                revoke(cx, client, &issued).await?;
            }
            Err(GrantRefusal::Replayed.into())
        }
    }
}

async fn revoke(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
    token: &IssuedAccessToken,
) -> Result<(), TokenError> {
    cx.host.revoke_token(&token.jti, token.expires_at).await.map_err(stores)?;
    let mut event = Event::new(EventName::TokenRevoked, cx.now);
    event.client_id = Some(client.client_id.clone());
    event.metadata.insert("jti".to_owned(), token.jti.clone().into());
    cx.events.push(event);
    Ok(())
}

/// Builds the whole response, signatures included.
async fn build(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
    grant: &CodeGrant,
) -> Result<(Issued, IssuedAccessToken), TokenError> {
    let principal = cx
        .host
        .load_principal(&grant.sub)
        .await
        .map_err(|fault| TokenError::Fault(format!("people: {fault}")))?
        .ok_or(GrantRefusal::Principal)?;
    let scope = Scope::parse(&grant.scope)
        .map_err(|_| TokenError::Fault("stores: a code's scope is not readable".to_owned()))?;

    let jti = Secret::random(cx.rng).expose().clone();
    let access_token =
        AccessToken { client_id: &client.client_id, principal: &principal, scope: &scope, grant, jti: &jti };
    let issued = IssuedAccessToken {
        jti: jti.clone(),
        expires_at: cx.now.saturating_add(cx.server.config.access_token_ttl),
    };
    let signed = access_token.sign(cx).await.map_err(TokenError::Fault)?;
    let id_token = if scope.contains("openid") {
        let claims = cx
            .host
            .id_token_claims(&client.client_id, &grant.sub, &scope)
            .await
            .map_err(|fault| TokenError::Fault(format!("people: {fault}")))?;
        let id_token = IdToken { client_id: &client.client_id, grant, access_token: &signed, claims };
        Some(id_token.sign(cx, id_token_alg(client)?).await.map_err(TokenError::Fault)?)
    } else {
        None
    };
    let response = TokenResponse {
        access_token: signed,
        token_type: "Bearer",
        expires_in: cx.server.config.access_token_ttl,
        scope: scope.to_string(),
        id_token,
    };
    Ok((Issued { response, sub: grant.sub.clone() }, issued))
}

fn stores(fault: HostError) -> TokenError {
    TokenError::Fault(format!("stores: {fault}"))
}
