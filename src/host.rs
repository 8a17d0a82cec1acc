//! What only the host can do, one trait for each of its parts. The WIT packages below `wit/` say the same to other
//! components; their comments are the guarantees.
#![expect(async_fn_in_trait, reason = "a component is single-threaded: no future needs to be `Send`")]

mod one_time;
mod outbound;
mod pushed_requests;

use std::fmt;

pub use one_time::{Claim, Mac, NonceStore, ReplayStore};
pub use outbound::{CachedDocument, Document, DocumentCache, FetchError, FetchLimits, Outbound};
pub use pushed_requests::{PushedRequestStore, StoredPushedRequest};

use crate::client::Client;
use crate::event::Event;
use crate::http::{Request, Response};
use crate::jose::Signer;
use crate::scope::Scope;
use crate::secret::{Digest, Secret};

/// A part of the host failed. The text is for the operator; a client is told `server_error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError(pub String);

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything the authorization server asks of its host. The private keys are behind [`Signer`].
pub trait Host:
    Signer<Error = HostError>
    + ClientStore
    + PrincipalStore
    + ClaimsProvider
    + Interaction
    + ScopePolicy
    + EventSink
    + CodeStore
    + RefreshStore
    + RevokedTokenStore
    + ConsentGrantStore
    + ReplayStore
    + NonceStore
    + Mac
    + PushedRequestStore
    + Outbound
    + DocumentCache
    + IntrospectionPolicy
{
}

impl<T> Host for T where
    T: Signer<Error = HostError>
        + ClientStore
        + PrincipalStore
        + ClaimsProvider
        + Interaction
        + ScopePolicy
        + EventSink
        + CodeStore
        + RefreshStore
        + RevokedTokenStore
        + ConsentGrantStore
        + ReplayStore
        + NonceStore
        + Mac
        + PushedRequestStore
        + Outbound
        + DocumentCache
        + IntrospectionPolicy
{
}

/// The registry of clients.
pub trait ClientStore {
    /// The client with this identifier; `None` where it is unknown or revoked.
    async fn load_client(&self, client_id: &str) -> Result<Option<Client>, HostError>;

    /// The client, where this is its secret; the comparison is made whether or not there is such a client.
    async fn authenticate_client(
        &self,
        client_id: &str,
        presented: &Secret<String>,
    ) -> Result<Option<Client>, HostError>;
}

/// A subject tokens are issued for.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The `sub` of everything issued about it.
    pub sub: String,
    /// Further access-token claims.
    pub claims: serde_json::Map<String, serde_json::Value>,
}

/// The subjects.
pub trait PrincipalStore {
    /// The principal with this `sub`; `None` where it is unknown or no longer admitted.
    async fn load_principal(&self, sub: &str) -> Result<Option<Principal>, HostError>;

    /// Further access-token claims of a client that acts for itself (RFC 6749 §4.4).
    async fn client_claims(
        &self,
        client_id: &str,
        scope: &Scope,
    ) -> Result<serde_json::Map<String, serde_json::Value>, HostError>;
}

/// The claims about a subject, as JSON objects.
pub trait ClaimsProvider {
    /// Claims for the UserInfo response (OIDC Core §5.3.2).
    async fn userinfo_claims(
        &self,
        sub: &str,
        scope: &Scope,
    ) -> Result<serde_json::Map<String, serde_json::Value>, HostError>;

    /// Claims for the ID token (OIDC Core §2).
    async fn id_token_claims(
        &self,
        client_id: &str,
        sub: &str,
        scope: &Scope,
    ) -> Result<serde_json::Map<String, serde_json::Value>, HostError>;
}

/// What an interaction with the person is about.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// The authorization request's parameters, encoded: what brings the person back here.
    pub parameters: String,
    /// The client.
    pub client_id: String,
    /// Its name.
    pub client_name: String,
    /// Where the answer will go.
    pub redirect_uri: String,
    /// The scope that would be granted.
    pub scope: Scope,
    /// The resources it would be granted for (RFC 8707); none is the default audience.
    pub resources: Vec<String>,
    /// OIDC Core §3.1.2.1 `login_hint`.
    pub login_hint: Option<String>,
    /// OIDC Core §3.1.2.1 `ui_locales`.
    pub ui_locales: Vec<String>,
}

/// What the request demands of the authentication (OIDC Core §3.1.2.1).
#[derive(Clone, Copy, Debug)]
pub struct AuthenticationDemand {
    /// `false` for `prompt=none`.
    pub interactive: bool,
    /// `true` for `prompt=login`.
    pub force_reauthentication: bool,
    /// `max_age`, seconds.
    pub max_age: Option<u64>,
}

/// What the request demands of the consent (OIDC Core §3.1.2.1).
#[derive(Clone, Copy, Debug)]
pub struct ConsentDemand {
    /// `false` for `prompt=none`.
    pub interactive: bool,
    /// `true` for `prompt=consent`.
    pub force_consent: bool,
}

/// The person at the user agent.
#[derive(Clone, Debug)]
pub struct ResourceOwner {
    /// Their `sub`.
    pub sub: String,
    /// When they authenticated, in seconds since the Unix epoch.
    pub auth_time: u64,
    /// OIDC Core §2 `acr`.
    pub acr: Option<String>,
    /// OIDC Core §2 `amr`.
    pub amr: Vec<String>,
    /// OIDC Back-Channel Logout §2.1 `sid`.
    pub sid: Option<String>,
}

/// Who is at the user agent?
#[derive(Debug)]
pub enum Establishment {
    /// This person.
    Authenticated(ResourceOwner),
    /// Show this first.
    Respond(Response),
    /// Nobody, and no page may be shown.
    None,
}

/// Does the person agree?
#[derive(Debug)]
pub enum ConsentDecision {
    /// Yes, without being asked again.
    Consented,
    /// No.
    Denied,
    /// Show this first.
    Respond(Response),
    /// They would have to be asked, and no page may be shown.
    None,
}

/// What came of a request to the part's own pages.
#[derive(Debug)]
pub enum Reply {
    /// Show this.
    Respond(Response),
    /// The person has signed in; the authorization request goes on.
    SignedIn {
        /// [`Authorization::parameters`].
        parameters: String,
        /// `Set-Cookie` values.
        set_cookie: Vec<String>,
    },
    /// The person has answered the consent page.
    Answered {
        /// [`Authorization::parameters`].
        parameters: String,
        /// The consent grant's token.
        grant: Secret<String>,
        /// Allowed, or denied?
        allowed: bool,
    },
}

/// Signing in and consenting.
pub trait Interaction {
    /// Establishes who is at the user agent.
    async fn establish(
        &self,
        request: &Request,
        now: u64,
        authorization: &Authorization,
        demand: AuthenticationDemand,
    ) -> Result<Establishment, HostError>;

    /// Asks for consent. `grant` is the token a page carries and its answer brings back.
    async fn consent(
        &self,
        request: &Request,
        now: u64,
        authorization: &Authorization,
        demand: ConsentDemand,
        sub: &str,
        grant: &Secret<String>,
    ) -> Result<ConsentDecision, HostError>;

    /// Tells that the person's answer has been honoured, so that it may be remembered.
    async fn settle_consent(
        &self,
        authorization: &Authorization,
        sub: &str,
        allowed: bool,
        now: u64,
    ) -> Result<(), HostError>;

    /// Serves a request below the part's own prefix.
    async fn handle(&self, request: &Request, now: u64) -> Result<Reply, HostError>;
}

/// A question to the scope policy.
#[derive(Clone, Debug)]
pub struct ScopeRequest<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// For which grant.
    pub grant_type: &'static str,
    /// On whose behalf.
    pub sub: Option<&'a str>,
    /// For what.
    pub requested: &'a Scope,
}

/// What may be granted.
pub trait ScopePolicy {
    /// The scope to grant, or `None` for `invalid_scope`.
    async fn authorize_scope(&self, request: ScopeRequest<'_>) -> Result<Option<Scope>, HostError>;

    /// The resources a client may ask tokens for (RFC 8707 §2), of those the server and the client's registration
    /// allow; `None` is all of them.
    async fn allowed_resources(&self, client_id: &str) -> Result<Option<Vec<String>>, HostError>;

    /// Whether a grant of this scope comes with a refresh token (RFC 6749 §1.5).
    async fn issue_refresh_token(&self, client_id: &str, sub: &str, scope: &Scope)
    -> Result<bool, HostError>;
}

/// Who may learn what of a token (RFC 7662 §4, RFC 9701 §5).
pub trait IntrospectionPolicy {
    /// Whether this caller may have this answer about an active token; otherwise the token is inactive to it.
    async fn authorize_introspection(
        &self,
        caller: &str,
        response: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<bool, HostError>;
}

/// Where events and faults go.
pub trait EventSink {
    /// Takes note of an event; can not fail.
    async fn emit(&self, event: Event);

    /// Logs an internal fault with its cause.
    fn log_fault(&self, fault: &str);
}

/// A stored authorization code.
#[derive(Clone, Debug)]
pub struct StoredCode {
    /// SHA-256 of the code.
    pub digest: Digest,
    /// Whose it is.
    pub client_id: String,
    /// For whom it was issued.
    pub subject: String,
    /// Seconds since the Unix epoch.
    pub expires_at: u64,
    /// The encoded [`crate::authorization_code::CodeGrant`].
    pub grant: Vec<u8>,
}

/// An authorization code as the store finds it.
#[derive(Clone, Debug)]
pub struct FoundCode {
    /// The code.
    pub code: StoredCode,
    /// It has been redeemed.
    pub redeemed: bool,
}

/// What a code was redeemed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedTokens {
    /// The access token's `jti`.
    pub jti: String,
    /// Its `exp`, in seconds since the Unix epoch.
    pub jti_expires_at: u64,
    /// The family of the refresh token, where there is one.
    pub family: Option<String>,
    /// When nothing of it can live any more, in seconds since the Unix epoch. Until then a replay is remembered.
    pub expires_at: u64,
}

/// What became of an attempt to redeem a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// This call redeemed it.
    Redeemed,
    /// Another had.
    Replayed(Option<IssuedTokens>),
    /// There is no such code.
    Unknown,
}

/// What became of recording the issued tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finalization {
    /// They are recorded.
    Finalized,
    /// The code was replayed meanwhile: the tokens must not be delivered.
    Replayed,
}

/// Authorization codes.
pub trait CodeStore {
    /// Keeps a new code.
    async fn put_code(&self, code: StoredCode) -> Result<(), HostError>;
    /// Looks without consuming.
    async fn peek_code(&self, digest: &Digest, now: u64) -> Result<Option<FoundCode>, HostError>;
    /// Redeems, once.
    async fn redeem_code(&self, digest: &Digest, now: u64) -> Result<Redemption, HostError>;
    /// Records what was issued.
    async fn finalize_code(&self, digest: &Digest, issued: &IssuedTokens) -> Result<Finalization, HostError>;
}

/// A stored refresh token.
#[derive(Clone, Debug)]
pub struct StoredRefreshToken {
    /// SHA-256 of the token.
    pub digest: Digest,
    /// The family it belongs to.
    pub family: String,
    /// Whose it is.
    pub client_id: String,
    /// Whom it speaks for.
    pub subject: String,
    /// Seconds since the Unix epoch.
    pub expires_at: u64,
    /// The encoded [`crate::refresh_token::RefreshGrant`].
    pub grant: Vec<u8>,
}

/// A refresh token as the store finds it.
#[derive(Clone, Debug)]
pub struct FoundRefreshToken {
    /// The token.
    pub token: StoredRefreshToken,
    /// Another took its place.
    pub rotated: bool,
}

/// What became of an attempt to rotate a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// This call rotated it.
    Rotated,
    /// It had been rotated a moment ago: its successor stands.
    Retried,
    /// It had been rotated, and this is no retry: its family has been revoked.
    Reused,
    /// Its family had been revoked.
    Revoked,
    /// There is no such token.
    Unknown,
}

/// Refresh tokens.
pub trait RefreshStore {
    /// Keeps the first token of a family.
    async fn put_refresh_token(&self, token: StoredRefreshToken) -> Result<(), HostError>;
    /// Looks without consuming; `None` where the token or its family does not live.
    async fn peek_refresh_token(
        &self,
        digest: &Digest,
        now: u64,
    ) -> Result<Option<FoundRefreshToken>, HostError>;
    /// Replaces the token by its successor, once; within `grace` seconds, again by the same.
    async fn rotate_refresh_token(
        &self,
        digest: &Digest,
        successor: StoredRefreshToken,
        grace: u64,
        now: u64,
    ) -> Result<Rotation, HostError>;
    /// Lets a token that is not rotated live until then.
    async fn extend_refresh_token(&self, digest: &Digest, expires_at: u64) -> Result<(), HostError>;
    /// Revokes a family, for ever. The entry may go at `expires_at`.
    async fn revoke_family(&self, family: &str, expires_at: u64) -> Result<(), HostError>;
}

/// Access tokens refused before they expire.
pub trait RevokedTokenStore {
    /// Denies a token.
    async fn revoke_token(&self, jti: &str, expires_at: u64, now: u64) -> Result<(), HostError>;
    /// Whether a token is denied.
    async fn is_revoked(&self, jti: &str, now: u64) -> Result<bool, HostError>;
    /// The tokens denied at `since` or later that have not expired by `now`, as many as the store gives at once.
    async fn revoked_since(&self, since: u64, now: u64) -> Result<RevokedTokens, HostError>;
}

/// A part of the list of denied tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevokedTokens {
    /// Each token's `jti` and `exp`.
    pub tokens: Vec<(String, u64)>,
    /// What `since` has to be to get what comes next. Asking with it again and again misses nothing; some come twice.
    pub next: u64,
}

/// What became of an attempt to consume a consent grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumption {
    /// This call consumed it.
    Consumed,
    /// There is no such grant.
    Unknown,
    /// It has expired.
    Expired,
    /// It stands for another request.
    BindingMismatch,
    /// Another call had consumed it.
    AlreadyConsumed,
}

/// Single-use consent.
pub trait ConsentGrantStore {
    /// Keeps a grant for the request with this binding.
    async fn mint_consent_grant(
        &self,
        token: &Digest,
        binding: &Digest,
        expires_at: u64,
    ) -> Result<(), HostError>;
    /// Consumes it, once, for that request only.
    async fn consume_consent_grant(
        &self,
        token: &Digest,
        binding: &Digest,
        now: u64,
    ) -> Result<Consumption, HostError>;
}
