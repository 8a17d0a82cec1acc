//! The authorization code grant (RFC 6749 §4.1.3, OIDC Core §3.1.3).

use rand_core::CryptoRng;

use super::issue::{Built, FirstRefreshToken, Tokens, first_refresh_token};
use super::{GrantRefusal, Issued, TokenError, TokenRequest, part};
use crate::authorization_code::CodeGrant;
use crate::client::Client;
use crate::client_request::{RequestError, required};
use crate::event::{Event, EventName};
use crate::host::{Finalization, FoundCode, Host, IssuedTokens, Redemption};
use crate::params::Params;
use crate::resource;
use crate::scope::Scope;
use crate::secret::Digest;
use crate::sender_constraint::SenderConstraintError;
use crate::server::Context;

/// Redeems a code of this, authenticated, client.
///
/// A wrong redirect URI or verifier from its own client spends the code: somebody is trying. Otherwise the code is
/// claimed last, when nothing can refuse the request any more, so that a fault leaves it usable. Nothing is built for a
/// replay.
pub(super) async fn redeem(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: &TokenRequest<'_>,
) -> Result<Issued, TokenError> {
    let TokenRequest { client, params, .. } = request;
    let code = required(params, "code", "code is required")?;
    let one = |name| params.one(name).map_err(|_| RequestError::Repeated);
    let verifier = one("code_verifier")?;
    let redirect_uri = one("redirect_uri")?;

    let digest = Digest::of(code.as_bytes());
    let FoundCode { code: stored, redeemed } =
        cx.host.peek_code(&digest, cx.now).await.map_err(part("stores"))?.ok_or(GrantRefusal::UnknownCode)?;
    // "ensure that the authorization code was issued to the authenticated confidential client, or if the client is
    // public, ensure that the code was issued to `client_id` in the request" (RFC 6749 §4.1.3).
    if stored.client_id != client.client_id {
        return Err(GrantRefusal::OtherClient.into());
    }
    let grant: CodeGrant = serde_json::from_slice(&stored.grant)
        .map_err(|error| TokenError::fault_of(format!("stores: a code's grant is not readable: {error}")))?;
    // "If the values are not equal, an error response indicating `invalid_grant`" (RFC 7636 §4.6), and a verifier that is
    // missing equals nothing. It spends nothing either: whoever stole the code would have sent one.
    if verifier.is_none() && (grant.code_challenge.is_some() || cx.server.config.requires_pkce(client)) {
        return Err(GrantRefusal::CodeVerifier.into());
    }
    let jkt = request.proof.as_ref().map(|proof| proof.jkt.as_str());
    if grant.dpop_jkt.is_some() && jkt.is_none() {
        return Err(SenderConstraintError::ProofRequired.into());
    }
    let binding = check_binding(&grant, redirect_uri, verifier, jkt);
    admit(cx, request, &digest, redeemed, binding).await?;

    let resources = resource::narrowed(cx, client, &grant.resources, params).await?;
    let (mut built, scope) = build(cx, request, &grant, &resources).await?;
    // Whoever comes with a proof or an assertion that was used gets no further, and leaves nothing behind.
    request.claim(cx).await?;
    let refresh = first_refresh_token(cx, request, &grant, &scope).await?;
    claim(cx, client, &digest, true).await?;
    let family_end = refresh.as_ref().map_or(0, |refresh| refresh.family_expires_at);
    let tokens = IssuedTokens {
        jti: built.jti.clone(),
        jti_expires_at: built.expires_at,
        family: refresh.as_ref().map(|refresh| refresh.family.clone()),
        expires_at: built.expires_at.max(family_end),
    };
    match cx.host.finalize_code(&digest, &tokens).await.map_err(part("stores"))? {
        Finalization::Finalized => {
            let event = refresh.as_ref().map(|_| EventName::RefreshIssued);
            built.response.refresh_token =
                refresh.map(|FirstRefreshToken { token, .. }| token.expose().clone());
            Ok(Issued { response: built.response, sub: grant.sub, jti: built.jti, refresh: event })
        }
        // Somebody presented the code again while it was being redeemed: neither gets a token.
        Finalization::Replayed => {
            revoke(cx, client, &tokens).await?;
            Err(GrantRefusal::Replayed.into())
        }
    }
}

/// Whether the code of this request is bound to a DPoP key and no proof came with it. That is said before anything about
/// the client's authentication, and spends nothing.
pub(super) async fn lacks_proof(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    params: &Params,
) -> Result<bool, TokenError> {
    let Ok(Some(code)) = params.one("code") else { return Ok(false) };
    let found = cx.host.peek_code(&Digest::of(code.as_bytes()), cx.now).await.map_err(part("stores"))?;
    let grant = found.and_then(|found| serde_json::from_slice::<CodeGrant>(&found.code.grant).ok());
    Ok(grant.is_some_and(|grant| grant.dpop_jkt.is_some()))
}

/// Lets a code pass that is whole and has the binding it should have; of the others, finds out what to do.
async fn admit(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: &TokenRequest<'_>,
    digest: &Digest,
    redeemed: bool,
    binding: Result<(), GrantRefusal>,
) -> Result<(), TokenError> {
    // A public client's `client_id` is no secret (RFC 6749 §2.2), and a used code may stand in somebody's log: only with
    // the verifier is its presenter the client, or one who has the client's secrets. A confidential client has
    // authenticated.
    let proven = binding.is_ok() || !request.client.is_public();
    match (redeemed, binding) {
        (false, Ok(())) => Ok(()),
        (false, Err(refusal)) => {
            request.claim(cx).await?;
            claim(cx, request.client, digest, proven).await?;
            Err(refusal.into())
        }
        // A stranger's: it is not even recorded, or the redemption it meets would fail.
        (true, Err(refusal)) if !proven => Err(refusal.into()),
        (true, _) => {
            request.claim(cx).await?;
            claim(cx, request.client, digest, proven).await?;
            Err(GrantRefusal::Replayed.into())
        }
    }
}

fn check_binding(
    grant: &CodeGrant,
    redirect_uri: Option<&str>,
    verifier: Option<&str>,
    jkt: Option<&str>,
) -> Result<(), GrantRefusal> {
    // "ensure that the `redirect_uri` parameter is present if [it] was included in the initial authorization request
    // […], and if included ensure that their values are identical" (§4.1.3).
    if grant.redirect_uri.as_deref() != redirect_uri {
        return Err(GrantRefusal::RedirectUri);
    }
    match (&grant.code_challenge, verifier) {
        (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => {}
        (None, None) => {}
        // "a token request containing a `code_verifier` parameter is accepted only if a `code_challenge` parameter was
        // present in the authorization request" (RFC 9700 §2.1.1).
        _ => return Err(GrantRefusal::CodeVerifier),
    }
    // "If [the thumbprint and the key of the proof] do not match, it MUST reject the request" (RFC 9449 §10).
    match &grant.dpop_jkt {
        Some(bound) if jkt != Some(bound) => Err(GrantRefusal::ProofKey),
        _ => Ok(()),
    }
}

/// Claims the code, last of all that is good once. "If an authorization code is used more than once, the authorization server MUST deny the request and
/// SHOULD revoke (when possible) all tokens previously issued based on that authorization code" (RFC 6749 §4.1.2): where
/// it is `proven` that the code's own client presents it.
async fn claim(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
    digest: &Digest,
    proven: bool,
) -> Result<(), TokenError> {
    match cx.host.redeem_code(digest, cx.now).await.map_err(part("stores"))? {
        Redemption::Redeemed => Ok(()),
        Redemption::Unknown => Err(GrantRefusal::UnknownCode.into()),
        Redemption::Replayed(issued) => {
            let mut event = Event::new(EventName::CodeReplayDetected, cx.now);
            event.client_id = Some(client.client_id.clone());
            cx.events.push(event);
            if let Some(issued) = issued.filter(|_| proven) {
                revoke(cx, client, &issued).await?;
            }
            Err(GrantRefusal::Replayed.into())
        }
    }
}

async fn revoke(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
    issued: &IssuedTokens,
) -> Result<(), TokenError> {
    cx.host.revoke_token(&issued.jti, issued.jti_expires_at, cx.now).await.map_err(part("stores"))?;
    if let Some(family) = &issued.family {
        cx.host.revoke_family(family, issued.expires_at).await.map_err(part("stores"))?;
    }
    let mut event = Event::new(EventName::TokenRevoked, cx.now);
    event.client_id = Some(client.client_id.clone());
    event.metadata.insert("jti".to_owned(), issued.jti.clone().into());
    if let Some(family) = &issued.family {
        event.metadata.insert("family".to_owned(), family.clone().into());
    }
    cx.events.push(event);
    Ok(())
}

/// Builds the whole response, signatures included.
async fn build(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: &TokenRequest<'_>,
    grant: &CodeGrant,
    resources: &[String],
) -> Result<(Built, Scope), TokenError> {
    let principal =
        cx.host.load_principal(&grant.sub).await.map_err(part("people"))?.ok_or(GrantRefusal::Principal)?;
    let scope = Scope::parse(&grant.scope)
        .map_err(|_| TokenError::fault_of("stores: a code's scope is not readable"))?;
    let tokens = Tokens {
        client: request.client,
        principal: &principal,
        scope: &scope,
        resources,
        cnf: request.cnf.as_ref(),
        authentication: Some(&grant.authentication),
        nonce: grant.nonce.as_deref(),
    };
    Ok((tokens.build(cx).await?, scope))
}
