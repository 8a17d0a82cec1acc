//! The resource server's side: does this request carry an access token that opens this resource?
//!
//! Every door (UserInfo, the middleware, the Envoy filter) asks [`verify`] and does what it says, so all give one
//! verdict and one `WWW-Authenticate` for one request. Nothing here touches a network: a token under an unknown key
//! is a refusal that [`Refusal::needs_key`], and the door decides whether fetching the issuer's keys again is due.

mod access_token;
mod challenge;
mod credential;
mod policy;
mod seen;

use std::sync::Arc;

use crate::jose::{JwkSet, NumericDate};
use crate::scope::Scope;

pub use access_token::Verified;
pub use challenge::{BearerError, Challenge, Reason};
pub use policy::{Policy, PolicyError};
pub use seen::Seen;

/// What a door knows of a request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// Every value of every `Authorization` header, octet for octet.
    pub authorization: &'r [&'r [u8]],
    /// The method; a proof of possession is bound to it, a Bearer token is not.
    pub method: &'r str,
    /// The URL as the client sees it; likewise.
    pub url: &'r str,
}

/// A request that is not let through: what to answer, and why, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The precise reason. Never sent to the client.
    pub reason: Reason,
    /// The answer. It repeats nothing that the request contained.
    pub challenge: Challenge,
}

impl Refusal {
    /// Whether a fresher copy of the issuer's keys could turn this refusal around.
    pub fn needs_key(&self) -> bool {
        self.reason.needs_key()
    }
}

/// Decides whether `request` may use a resource that takes every scope of `required`.
pub fn verify(
    request: &Request<'_>,
    required: &Scope,
    policy: &Policy,
    keys: &JwkSet,
    now: NumericDate,
) -> Result<Verified, Refusal> {
    credential::bearer(request.authorization)
        .and_then(|token| access_token::verify(token, policy, keys, now))
        .and_then(|verified| verified.covers(required, policy).map(|()| verified))
        .map_err(|reason| refuse(reason, required, policy))
}

/// [`verify`] for a door that many requests come through with the same token: gives the same verdicts, sooner.
pub fn verify_again(
    request: &Request<'_>,
    required: &Scope,
    policy: &Policy,
    keys: &JwkSet,
    now: NumericDate,
    seen: &mut Seen,
) -> Result<Arc<Verified>, Refusal> {
    credential::bearer(request.authorization)
        .and_then(|token| recall(token, policy, keys, now, seen))
        .and_then(|verified| verified.covers(required, policy).map(|()| verified))
        .map_err(|reason| refuse(reason, required, policy))
}

/// Decides whether `token` is an access token that `policy` accepts, however it came here.
pub fn verify_token(
    token: &str,
    policy: &Policy,
    keys: &JwkSet,
    now: NumericDate,
) -> Result<Verified, Reason> {
    access_token::verify(token, policy, keys, now)
}

fn recall(
    token: &str,
    policy: &Policy,
    keys: &JwkSet,
    now: NumericDate,
    seen: &mut Seen,
) -> Result<Arc<Verified>, Reason> {
    if let Some(verified) = seen.recall(token) {
        access_token::check_time(&verified.claims, policy, now)?;
        return Ok(verified);
    }
    let verified = Arc::new(access_token::verify(token, policy, keys, now)?);
    seen.remember(token, &verified);
    Ok(verified)
}

/// The answer to a request refused for `reason`; for doors with checks of their own after [`verify`].
pub fn refuse(reason: Reason, required: &Scope, policy: &Policy) -> Refusal {
    let challenge = Challenge::new(&reason, required, policy);
    Refusal { reason, challenge }
}
