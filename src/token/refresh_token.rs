//! Refreshing an access token (RFC 6749 §6, RFC 9700 §4.14, OIDC Core §12).

use rand_core::CryptoRng;

use super::issue::Tokens;
use super::{GrantRefusal, Issued, TokenError, TokenRequest, part};
use crate::client::{Client, GrantType};
use crate::client_request::{RequestError, required};
use crate::confirmation::Confirmation;
use crate::event::{Event, EventName};
use crate::host::{Host, Rotation, ScopeRequest, StoredRefreshToken};
use crate::refresh_token::RefreshGrant;
use crate::resource;
use crate::scope::Scope;
use crate::scope_grant::{ScopeRefusal, grant_scope};
use crate::secret::Secret;
use crate::sender_constraint::SenderConstraintError;
use crate::server::Context;

/// Refreshes with a token of this, authenticated, client.
///
/// A token that has been rotated is judged first: its presentation is a retry or a theft, whatever else is wrong with the
/// request. Any other is rotated last, when nothing can refuse the request any more.
pub(super) async fn refresh(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: &TokenRequest<'_>,
) -> Result<Issued, TokenError> {
    let TokenRequest { client, params, .. } = request;
    let presented = Secret::new(required(params, "refresh_token", "refresh_token is required")?.to_owned());
    let scope = params.one("scope").map_err(|_| RequestError::Repeated)?;
    let found = cx
        .host
        .peek_refresh_token(&presented.digest(), cx.now)
        .await
        .map_err(part("stores"))?
        .ok_or(GrantRefusal::UnknownRefreshToken)?;
    // "the refresh token is bound to the client to which it was issued" (§6).
    if found.token.client_id != client.client_id {
        return Err(GrantRefusal::OtherClient.into());
    }
    let grant: RefreshGrant = serde_json::from_slice(&found.token.grant).map_err(|error| {
        TokenError::fault_of(format!("stores: a refresh token's grant is not readable: {error}"))
    })?;
    // Whoever lacks the key has stolen a token that is worth nothing, and shall not end the family with it.
    check_key(&grant, request)?;
    let successor = Successor::new(cx, client, &presented, &found.token, &grant);
    if found.rotated {
        request.claim(cx).await?;
        successor.rotate(cx).await?;
    }

    let resources = resource::narrowed(cx, client, &grant.resources, params).await?;
    let scope = narrowed(cx, client, &grant, scope).await?;
    // A person who is no longer admitted gets nothing more.
    let principal =
        cx.host.load_principal(&grant.sub).await.map_err(part("people"))?.ok_or(GrantRefusal::Principal)?;
    let tokens = Tokens {
        client,
        principal: &principal,
        scope: &scope,
        resources: &resources,
        cnf: request.cnf.as_ref(),
        authentication: Some(&grant.authentication),
        nonce: None,
    };
    let mut built = tokens.build(cx).await?;
    if !found.rotated {
        request.claim(cx).await?;
    }
    if found.rotated || rotates(cx, client, &grant) {
        if !found.rotated {
            successor.rotate(cx).await?;
        }
        built.response.refresh_token = Some(successor.token.expose().clone());
        let refresh = Some(EventName::RefreshRotated);
        return Ok(Issued { response: built.response, sub: grant.sub, jti: built.jti, refresh });
    }
    // Where tokens are kept, being used is what keeps them alive.
    let digest = successor.presented;
    cx.host.extend_refresh_token(&digest, successor.expires_at).await.map_err(part("stores"))?;
    Ok(Issued { response: built.response, sub: grant.sub, jti: built.jti, refresh: None })
}

/// "Refresh tokens for public clients MUST be sender-constrained or use refresh token rotation" (RFC 9700 §2.2.2), so
/// the setting is for the others.
fn rotates<H, R>(cx: &Context<'_, H, R>, client: &Client, grant: &RefreshGrant) -> bool {
    cx.server.config.refresh_token_rotation || client.is_public() && grant.cnf.is_none()
}

/// "the client MUST present a DPoP proof for the same key that was used to obtain the refresh token each time that refresh
/// token is used" (RFC 9449 §5), and likewise for a certificate (RFC 8705 §4).
fn check_key(grant: &RefreshGrant, request: &TokenRequest<'_>) -> Result<(), TokenError> {
    match (&grant.cnf, &request.cnf) {
        // "When an authorization server supporting DPoP issues a refresh token to a public client that presents a valid DPoP
        // proof […] the refresh token MUST be bound to the respective public key" (RFC 9449 §5). This family began unbound:
        // the key that is shown now may be anybody's who has the token, and a successor bound to it would shut its owner out.
        (None, Some(_)) if request.client.is_public() => Err(GrantRefusal::Unbound.into()),
        (None, _) => Ok(()),
        (Some(bound), Some(shown)) if bound == shown => Ok(()),
        (Some(Confirmation::Jkt(_)), _) if request.proof.is_none() => {
            Err(SenderConstraintError::ProofRequired.into())
        }
        (Some(Confirmation::CertificateThumbprint(_)), None) => {
            Err(SenderConstraintError::CertificateRequired.into())
        }
        (Some(_), _) => Err(GrantRefusal::ProofKey.into()),
    }
}

/// The scope of this refresh: "The requested scope MUST NOT include any scope not originally granted by the resource
/// owner, and if omitted is treated as equal to the scope originally granted" (§6), as far as catalog and client still
/// have it. The grant stays as it is, so that the next refresh may ask for all of it again.
async fn narrowed(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
    grant: &RefreshGrant,
    requested: Option<&str>,
) -> Result<Scope, TokenError> {
    let original = Scope::parse(&grant.scope)
        .map_err(|_| TokenError::fault_of("stores: a refresh token's scope is not readable"))?;
    let (requested, refused) = match requested {
        Some(text) => (Scope::parse(text).map_err(|_| TokenError::InvalidScope)?, TokenError::InvalidScope),
        // A request that names no scope has none that could be "invalid, unknown, malformed" (§5.2): where nothing is
        // left, it is the grant that is not good any more.
        None => {
            let catalog = &cx.server.config.catalog;
            (catalog.narrowed(&original, client.scope.as_ref()), GrantRefusal::Scope.into())
        }
    };
    // Without a scope the policy would be asked for a default.
    let is_nothing = |scope: &Scope| scope.is_empty() && !original.is_empty();
    if !requested.is_subset_of(&original) || is_nothing(&requested) {
        return Err(refused);
    }
    let question = ScopeRequest {
        client,
        grant_type: GrantType::RefreshToken.as_str(),
        sub: Some(&grant.sub),
        requested: &requested,
    };
    match grant_scope(cx, question).await {
        // What was granted without any scope gets no default now.
        Ok(scope) if scope.is_subset_of(&original) && !is_nothing(&scope) => Ok(scope),
        Ok(_) | Err(ScopeRefusal::Refused) => Err(refused),
        Err(ScopeRefusal::Fault(fault)) => Err(TokenError::fault_of(format!("rules: {fault}"))),
    }
}

/// The token that takes the presented one's place.
struct Successor {
    presented: crate::secret::Digest,
    token: Secret<String>,
    stored: StoredRefreshToken,
    expires_at: u64,
}

impl Successor {
    fn new<H, R>(
        cx: &Context<'_, H, R>,
        client: &Client,
        presented: &Secret<String>,
        found: &StoredRefreshToken,
        grant: &RefreshGrant,
    ) -> Self {
        let token = grant.successor(presented);
        // An idle lifetime, within the lifetime of the family.
        let idle = cx.now.saturating_add(cx.server.config.refresh_token_ttl);
        let expires_at = idle.min(grant.family_expires_at);
        let stored = StoredRefreshToken {
            digest: token.digest(),
            family: found.family.clone(),
            client_id: client.client_id.clone(),
            subject: found.subject.clone(),
            expires_at,
            grant: found.grant.clone(),
        };
        Self { presented: presented.digest(), token, stored, expires_at }
    }

    /// Takes the presented token's place, or finds out why not.
    async fn rotate(&self, cx: &mut Context<'_, impl Host, impl CryptoRng>) -> Result<(), TokenError> {
        let grace = cx.server.config.refresh_token_rotation_grace_seconds;
        let stored = self.stored.clone();
        let rotation = cx.host.rotate_refresh_token(&self.presented, stored, grace, cx.now).await;
        match rotation.map_err(part("stores"))? {
            Rotation::Rotated | Rotation::Retried => Ok(()),
            Rotation::Unknown | Rotation::Revoked => Err(GrantRefusal::UnknownRefreshToken.into()),
            Rotation::Reused => {
                let mut event = Event::new(EventName::RefreshReuseDetected, cx.now);
                event.client_id = Some(self.stored.client_id.clone());
                event.subject = Some(self.stored.subject.clone());
                event.grant_type = Some(GrantType::RefreshToken.as_str());
                event.metadata.insert("family".to_owned(), self.stored.family.clone().into());
                cx.events.push(event);
                Err(GrantRefusal::Reused.into())
            }
        }
    }
}
