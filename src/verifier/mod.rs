//! The resource server's side: does this request carry an access token that opens this resource?
//!
//! Every door (UserInfo, the middleware, the Envoy filter) asks [`verify`] and does what it says, so all give one
//! verdict and one `WWW-Authenticate` for one request. Nothing here touches a network: a token under an unknown key
//! is a refusal that [`Refusal::needs_key`], and the door decides whether fetching the issuer's keys again is due. Nothing
//! remembers either: that a proof of possession is new, and its nonce one of its own, is for a door that has a store to
//! check.

mod access_token;
mod binding;
mod challenge;
mod credential;
mod policy;
mod seen;

use std::sync::Arc;

use crate::dpop::VerifiedProof;
use crate::jose::{JwkSet, NumericDate};
use crate::scope::Scope;

pub use access_token::Verified;
pub use challenge::{AccessError, Challenge, Reason};
pub use credential::Scheme;
pub use policy::{Policy, PolicyError};
pub use seen::Seen;

/// What a door knows of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'r> {
    /// Every value of every `Authorization` header, octet for octet.
    pub authorization: &'r [&'r [u8]],
    /// Every value of every `DPoP` header, likewise; looked at where the policy accepts proofs.
    pub dpop: &'r [&'r [u8]],
    /// The method; a proof of possession is bound to it, a Bearer token is not.
    pub method: &'r str,
    /// The URLs it may have been sent to, as the client sees them: one, or one for each name the resource goes by;
    /// likewise.
    pub urls: &'r [&'r str],
    /// The `x5t#S256` thumbprint of the certificate the client has shown (RFC 8705 §3.1), where it has shown one.
    pub certificate: Option<&'r str>,
}

/// A request that is let through: a token for this resource, presented by somebody who may.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a proof is good once, and this one may have been used before"]
pub struct Access {
    /// The token.
    pub token: Arc<Verified>,
    /// The proof of the key it is bound to, where it is bound to one.
    pub proof: Option<VerifiedProof>,
}

impl Access {
    /// The answer where a door refuses the request after all, for `reason`.
    pub fn refuse(&self, reason: Reason, required: &Scope, policy: &Policy) -> Refusal {
        let scheme = if self.proof.is_some() { Scheme::Dpop } else { Scheme::Bearer };
        refuse(reason, Some(scheme), required, policy)
    }
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
) -> Result<Access, Refusal> {
    let find = |token: &str| access_token::verify(token, policy, keys, now).map(Arc::new);
    judge(request, required, policy, now, find)
}

/// [`verify`] for a door that many requests come through with the same token: gives the same verdicts, sooner.
pub fn verify_again(
    request: &Request<'_>,
    required: &Scope,
    policy: &Policy,
    keys: &JwkSet,
    now: NumericDate,
    seen: &mut Seen,
) -> Result<Access, Refusal> {
    judge(request, required, policy, now, |token| recall(token, policy, keys, now, seen))
}

/// Whether the token that `find` makes of the credential is good, presented by somebody who may, and enough.
fn judge(
    request: &Request<'_>,
    required: &Scope,
    policy: &Policy,
    now: NumericDate,
    find: impl FnOnce(&str) -> Result<Arc<Verified>, Reason>,
) -> Result<Access, Refusal> {
    let (scheme, text) = credential::presented(request.authorization, policy.schemes())
        .map_err(|reason| refuse(reason, None, required, policy))?;
    let access = find(text).and_then(|token| {
        let proof = binding::check(&token, scheme, text, request, policy, now)?;
        token.covers(required, policy)?;
        Ok(Access { token, proof })
    });
    access.map_err(|reason| refuse(reason, Some(scheme), required, policy))
}

/// Decides whether `token` is an access token that `policy` accepts, whoever has it: one that is bound to a key is shown here
/// without a proof.
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

/// The answer to a request refused for `reason` that presented its token by `scheme`; `None` where that could not be told.
pub fn refuse(reason: Reason, scheme: Option<Scheme>, required: &Scope, policy: &Policy) -> Refusal {
    let challenge = Challenge::new(&reason, scheme, required, policy);
    Refusal { reason, challenge }
}
