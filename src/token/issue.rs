//! Making what a token response carries.

use rand_core::CryptoRng;

use super::{TokenError, TokenRequest, TokenResponse, id_token_alg, part};
use crate::access_token::AccessToken;
use crate::authentication::Authentication;
use crate::authorization_code::CodeGrant;
use crate::client::{Client, GrantType};
use crate::confirmation::Confirmation;
use crate::host::{Host, Principal, StoredRefreshToken};
use crate::id_token::IdToken;
use crate::refresh_token::{RefreshGrant, random_id};
use crate::scope::Scope;
use crate::secret::Secret;
use crate::server::Context;

/// What tokens are made of.
pub(super) struct Tokens<'a> {
    pub(super) client: &'a Client,
    pub(super) principal: &'a Principal,
    pub(super) scope: &'a Scope,
    /// What the access token is for (RFC 8707); none is the default audience.
    pub(super) resources: &'a [String],
    /// The key its presenter must hold, where there is one.
    pub(super) cnf: Option<&'a Confirmation>,
    /// The authentication of the resource owner, where there is one.
    pub(super) authentication: Option<&'a Authentication>,
    /// For the ID token: only the one that answers the authorization request repeats it (OIDC Core §12.2).
    pub(super) nonce: Option<&'a str>,
}

/// Signed tokens, not delivered yet.
pub(super) struct Built {
    pub(super) response: TokenResponse,
    /// The access token's `jti`.
    pub(super) jti: String,
    /// Its `exp`.
    pub(super) expires_at: u64,
}

impl Tokens<'_> {
    /// Makes and signs the access token and, where a person is there and `openid` was granted, the ID token.
    pub(super) async fn build(
        self,
        cx: &mut Context<'_, impl Host, impl CryptoRng>,
    ) -> Result<Built, TokenError> {
        let jti = random_id(cx.rng);
        let access_token = AccessToken {
            client_id: &self.client.client_id,
            principal: self.principal,
            scope: self.scope,
            audience: match self.resources {
                [] => std::slice::from_ref(&cx.server.config.audience),
                resources => resources,
            },
            cnf: self.cnf,
            authentication: self.authentication,
            jti: &jti,
        };
        let access_token = access_token.sign(cx).await.map_err(TokenError::fault_of)?;
        let id_token = match self.authentication {
            Some(authentication) if self.scope.contains("openid") => {
                let client_id = &self.client.client_id;
                let sub = &self.principal.sub;
                let claims =
                    cx.host.id_token_claims(client_id, sub, self.scope).await.map_err(part("people"))?;
                let id_token = IdToken {
                    client_id,
                    sub,
                    authentication,
                    nonce: self.nonce,
                    access_token: &access_token,
                    claims,
                };
                let alg = id_token_alg(self.client, &cx.server.config)?;
                Some(id_token.sign(cx, alg).await.map_err(TokenError::fault_of)?)
            }
            _ => None,
        };
        let expires_in = cx.server.config.access_token_ttl;
        let response = TokenResponse {
            access_token,
            token_type: self.cnf.map_or("Bearer", Confirmation::token_type),
            expires_in,
            refresh_token: None,
            scope: self.scope.to_string(),
            id_token,
        };
        Ok(Built { response, jti, expires_at: cx.now.saturating_add(expires_in) })
    }
}

/// The first refresh token of a family, kept, where the client may use one and the policy gives one. Until the response
/// is delivered nobody knows it.
pub(super) async fn first_refresh_token(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    request: &TokenRequest<'_>,
    code: &CodeGrant,
    scope: &Scope,
) -> Result<Option<FirstRefreshToken>, TokenError> {
    let config = &cx.server.config;
    let (client, sub) = (request.client, &code.sub);
    if !config.grant_types_supported.contains(&GrantType::RefreshToken)
        || !client.may_use(GrantType::RefreshToken)
        || !cx.host.issue_refresh_token(&client.client_id, sub, scope).await.map_err(part("rules"))?
    {
        return Ok(None);
    }
    let token = Secret::random(cx.rng);
    let family = random_id(cx.rng);
    let family_expires_at = cx.now.saturating_add(config.refresh_token_family_ttl);
    let grant = RefreshGrant {
        sub: sub.clone(),
        scope: scope.to_string(),
        resources: code.resources.clone(),
        // "the refresh token MUST be bound to the respective public key" for public clients (RFC 9449 §5, RFC 8705 §4);
        // those of others are bound to the client, which proves itself each time.
        cnf: request.cnf.clone().filter(|_| client.is_public()),
        authentication: code.authentication.clone(),
        family_expires_at,
        salt: random_id(cx.rng),
    };
    let stored = StoredRefreshToken {
        digest: token.digest(),
        family: family.clone(),
        client_id: client.client_id.clone(),
        subject: sub.clone(),
        expires_at: cx.now.saturating_add(config.refresh_token_ttl).min(family_expires_at),
        grant: serde_json::to_vec(&grant)
            .map_err(|_| TokenError::fault_of("engine: a refresh grant does not serialize"))?,
    };
    cx.host.put_refresh_token(stored).await.map_err(part("stores"))?;
    Ok(Some(FirstRefreshToken { token, family, family_expires_at }))
}

/// What [`first_refresh_token`] made.
pub(super) struct FirstRefreshToken {
    pub(super) token: Secret<String>,
    pub(super) family: String,
    pub(super) family_expires_at: u64,
}
