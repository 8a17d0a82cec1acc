//! Access tokens in JWT form (RFC 9068).

use serde::Deserialize;

use crate::confirmation::Confirmation;
use crate::jose::jws::{self, UnverifiedJws};
use crate::jose::{ClaimError, Claims, JwkSet, NumericDate};
use crate::scope::Scope;

use super::{Policy, Reason};

/// "application/at+jwt" without its prefix (RFC 9068 §2.1).
const TYPE: &str = "at+jwt";

/// An access token that has passed every check: what it says can be believed.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// `sub`: whom the token speaks for; in the client credentials grant, the client itself (RFC 9068 §2.2).
    pub subject: String,
    /// `client_id`: the client the token was issued to.
    pub client_id: String,
    /// `scope`: what it may be used for; empty when absent.
    pub scope: Scope,
    /// `aud`: the resource servers it is meant for.
    pub audience: Vec<String>,
    /// `exp`: from this moment on it is worth nothing.
    pub expires_at: NumericDate,
    /// `iat`: when it was issued.
    pub issued_at: NumericDate,
    /// `jti`: its name among the issuer's tokens.
    pub token_id: String,
    /// `cnf`: the key that whoever presents it must hold.
    pub confirmation: Option<Confirmation>,
    /// All claims, those above included.
    pub claims: Claims,
}

/// Validates a JWT access token as RFC 9068 §4 lists it. Who presents it is another question.
pub(super) fn verify(
    token: &str,
    policy: &Policy,
    keys: &JwkSet,
    now: NumericDate,
) -> Result<Verified, Reason> {
    // "MUST verify that the "typ" header value is "at+jwt" or "application/at+jwt"", which keeps ID tokens out;
    // "MUST validate the signature … according to [RFC7515] using the algorithm specified", "MUST reject any JWT in
    // which the value of "alg" is "none"".
    let admitted = jws::Policy { algorithms: policy.algorithms(), typ: Some(TYPE) };
    let claims = UnverifiedJws::parse(token)?.verify(keys, &admitted)?.into_claims()?;
    // "The issuer identifier … MUST exactly match the value of the "iss" claim."
    claims.check_iss(policy.issuer())?;
    // "MUST validate that the "aud" claim contains a resource indicator value corresponding to an identifier the
    // resource server expects for itself."
    if !policy.audiences().is_empty() {
        claims.check_aud(policy.audiences())?;
    }
    let expires_at = check_time(&claims, policy, now)?;
    // RFC 7800 §3.1 lets a recipient ignore members of `cnf` it does not know. This one does not: a token bound in a way it
    // can not check would be anybody's, and one bound in two ways only half checked.
    let confirmation = claims.get("cnf").map(Confirmation::deserialize).transpose();
    read(claims, expires_at, confirmation.map_err(|_| Reason::SenderConstrained)?)
}

/// "The current time MUST be before the time represented by the "exp" claim" (RFC 9068 §4), and not before "nbf".
pub(super) fn check_time(
    claims: &Claims,
    policy: &Policy,
    now: NumericDate,
) -> Result<NumericDate, ClaimError> {
    claims.check_nbf(now, policy.clock_skew())?;
    claims.check_exp(now, policy.clock_skew())
}

impl Verified {
    /// Whether the token opens what takes every scope of `required`.
    pub(super) fn covers(&self, required: &Scope, policy: &Policy) -> Result<(), Reason> {
        let covered = |value: &String| match policy.scope_separator() {
            Some(separator) => separator.covers(&self.scope, value),
            None => self.scope.contains(value),
        };
        if required.tokens().iter().all(covered) { Ok(()) } else { Err(Reason::InsufficientScope) }
    }
}

/// Gives the claims that RFC 9068 §2.2 requires their types.
fn read(
    claims: Claims,
    expires_at: NumericDate,
    confirmation: Option<Confirmation>,
) -> Result<Verified, Reason> {
    Ok(Verified {
        subject: claims.required_string("sub")?.to_owned(),
        client_id: claims.required_string("client_id")?.to_owned(),
        scope: Scope::parse(claims.string("scope")?.unwrap_or_default())
            .map_err(|_| ClaimError::Malformed("scope"))?,
        audience: claims.audience()?.into_iter().map(str::to_owned).collect(),
        expires_at,
        issued_at: claims.time("iat")?.ok_or(ClaimError::Missing("iat"))?,
        token_id: claims.required_string("jti")?.to_owned(),
        confirmation,
        claims,
    })
}
