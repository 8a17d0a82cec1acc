//! `private_key_jwt`: client assertions (RFC 7523 §3, OIDC Core §9, FAPI 2.0 Security Profile §5.3.2.1).

use std::time::Duration;

use rand_core::CryptoRng;
use serde_json::Value;

use crate::client::Client;
use crate::client_keys::{self, ClientKeysError};
use crate::host::Host;
use crate::jose::{Algorithm, ClaimError, Claims, JwsError, NumericDate, UnverifiedJws, jws};
use crate::replay::ReplayClaim;
use crate::server::Context;

/// A longer identifier names no client.
const MAX_CLIENT_ID_LEN: usize = 2_048;

/// Bytes of a `jti`. A UUID has 36.
const MAX_JTI_LEN: usize = 512;

/// Why an assertion proves nothing. The client is not told which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// It is not signed as it must be.
    #[error(transparent)]
    Signature(#[from] ClientKeysError),
    /// `typ` says that it is something else.
    #[error("wrong type")]
    Type,
    /// A claim is missing, malformed, or not what it must be.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// `sub` is not the client.
    #[error("wrong subject")]
    Subject,
    /// `aud` is not one string.
    #[error("`aud` is not a single string")]
    AudienceList,
    /// `exp` is too far ahead.
    #[error("lives too long")]
    Lifetime,
    /// `iat` is too long ago.
    #[error("too old")]
    Age,
    /// `jti` is longer than an identifier has to be.
    #[error("`jti` too long")]
    IdentifierLength,
}

/// What is asked of the claims of an assertion, whoever has signed it.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'e> {
    /// Whose it must be.
    pub client_id: &'e str,
    /// The issuer identifier of this server.
    pub issuer: &'e str,
    /// The URL of the token endpoint, where that is an audience too.
    pub token_endpoint: Option<&'e str>,
    /// The longest it may live, seconds from now to its `exp`.
    pub max_lifetime: u64,
    /// How far its clock may be ahead of ours, seconds.
    pub clock_skew: u64,
}

/// Whom an assertion claims to be from: its `sub`, to be believed only once [`verify`] has said so.
pub fn claimed_client_id(assertion: &str) -> Option<String> {
    let claimed = UnverifiedJws::parse(assertion).ok()?.claimed_subject()?;
    (!claimed.is_empty() && claimed.len() <= MAX_CLIENT_ID_LEN).then_some(claimed)
}

/// Verifies an assertion of this client. Its `jti` is still to be claimed.
pub async fn verify(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
    assertion: &str,
) -> Result<ReplayClaim, AssertionError> {
    let config = &cx.server.config;
    let rules = &config.client_assertion;
    let jws = UnverifiedJws::parse(assertion).map_err(ClientKeysError::from)?;
    let header = jws.header();
    // RFC 7523 sets no `typ`; the draft of its revision (draft-ietf-oauth-rfc7523bis) names a media type. What calls itself
    // something else, a request object or a proof with the same key, is no assertion (RFC 8725 §3.11).
    if header.typ.is_some() && !["JWT", "client-authentication+jwt"].iter().any(|typ| header.has_type(typ)) {
        return Err(AssertionError::Type);
    }
    let algorithms = registered(client, &rules.algorithms);
    let policy = jws::Policy { algorithms: &algorithms, typ: None };
    let claims = client_keys::verify(cx, client, jws, &policy).await?;
    let claims = claims.into_claims().map_err(ClientKeysError::from)?;
    let endpoints = &cx.server.endpoints;
    let token_endpoint = rules.accepts_token_endpoint_audience.then(|| endpoints.url(&endpoints.token));
    let expectation = Expectation {
        client_id: &client.client_id,
        issuer: &config.issuer,
        token_endpoint: token_endpoint.as_deref(),
        max_lifetime: rules.max_lifetime,
        clock_skew: config.clock_skew,
    };
    check(&claims, &expectation, cx.now)
}

/// Of these, the one algorithm the client registered as its `token_endpoint_auth_signing_alg`: "All Token Requests using
/// these authentication methods from this Client MUST be rejected, if the JWT is not signed with this algorithm" (OIDC
/// Registration §2). All of them, where it registered none.
fn registered(client: &Client, allowed: &[Algorithm]) -> Vec<Algorithm> {
    let admits = |alg: &Algorithm| match client.token_endpoint_auth_signing_alg.as_deref() {
        None => true,
        Some(name) => name.parse().is_ok_and(|own: Algorithm| own.agrees_with(*alg)),
    };
    allowed.iter().copied().filter(admits).collect()
}

/// Checks what an assertion says, as RFC 7523 §3 lists it.
pub fn check(
    claims: &Claims,
    expectation: &Expectation<'_>,
    now: u64,
) -> Result<ReplayClaim, AssertionError> {
    let Expectation { client_id, max_lifetime, clock_skew, .. } = *expectation;
    // 1 and 2.B: "For client authentication, the subject MUST be the `client_id` of the OAuth client", and the issuer is
    // the client as well (OIDC Core §9).
    claims.check_iss(client_id)?;
    if claims.required_string("sub")? != client_id {
        return Err(AssertionError::Subject);
    }
    check_audience(claims, expectation)?;
    // 4: "MUST contain an `exp` (expiration time) claim that limits the time window during which the JWT can be used … may
    // reject JWTs with an `exp` claim value that is unreasonably far in the future."
    let (at, skew) = (NumericDate::from_secs(now), Duration::from_secs(clock_skew));
    let exp = claims.check_exp(at, Duration::ZERO)?;
    let longest = Duration::from_secs(max_lifetime.saturating_add(clock_skew));
    if exp > at.plus(longest) {
        return Err(AssertionError::Lifetime);
    }
    // 5: "MAY contain an `nbf` (not before) claim that identifies the time before which the token MUST NOT be accepted for
    // processing." FAPI 2.0 §5.3.2.1 lets `nbf` and `iat` be 10 seconds ahead, and no more than 60: `clock_skew`.
    claims.check_nbf(at, skew)?;
    // 6: "may reject JWTs with an `iat` claim value that is unreasonably far in the past."
    if claims.get("iat").is_some() && claims.check_iat(at, skew)?.plus(longest) < at {
        return Err(AssertionError::Age);
    }
    // 7, and OIDC Core §9: `jti` is "REQUIRED … A unique identifier for the token, which can be used to prevent reuse".
    let jti = claims.required_string("jti")?;
    if jti.len() > MAX_JTI_LEN {
        return Err(AssertionError::IdentifierLength);
    }
    let expires_at = exp.as_secs().saturating_add(clock_skew).saturating_add(1);
    Ok(ReplayClaim::new("client_assertion", client_id, jti, expires_at))
}

/// 3: "MUST contain an `aud` (audience) claim containing a value that identifies the authorization server as an intended
/// audience." FAPI 2.0 Security Profile §5.3.2.1 wants more: "shall only accept its issuer identifier value … as a string in
/// the `aud` claim": an assertion for several servers is one that the others can use here.
fn check_audience(claims: &Claims, expectation: &Expectation<'_>) -> Result<(), AssertionError> {
    let Expectation { issuer, token_endpoint, .. } = *expectation;
    match (claims.get("aud"), token_endpoint) {
        (Some(Value::Array(_)), None) => Err(AssertionError::AudienceList),
        (_, None) => Ok(claims.check_aud(&[issuer])?),
        (_, Some(token_endpoint)) => Ok(claims.check_aud(&[issuer, token_endpoint])?),
    }
}

impl From<JwsError> for AssertionError {
    fn from(error: JwsError) -> Self {
        Self::Signature(error.into())
    }
}
