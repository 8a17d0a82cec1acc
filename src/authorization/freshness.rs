//! How fresh the authentication has to be (OIDC Core §3.1.2.1 `prompt=login`, `max_age`).
//!
//! A request that comes with its parameters each time is met after a sign-in by taking out what asked for it
//! ([`super::resume`]). A stored one always asks the same. There both are met by an authentication since it was stored:
//! `prompt=login` by no other, `max_age` also by one that is fresh enough now. So a sign-in it has led to meets it, for as long
//! as the request lives.

use super::request::AuthorizationRequest;
use crate::host::AuthenticationDemand;

/// After a sign-in, how old that sign-in may be when the request goes on, seconds: the person needs time to get from
/// one page to the next even where `max_age` is 0.
pub(super) const SIGN_IN_LEEWAY: u64 = 300;

impl AuthorizationRequest {
    /// What is demanded of the authentication at `now`.
    pub(super) fn authentication_demand(&self, now: u64) -> AuthenticationDemand {
        let interactive = !self.prompt.none;
        match self.age(now) {
            Some(age) => AuthenticationDemand {
                interactive,
                force_reauthentication: false,
                max_age: self.max_age_since(age),
            },
            None => AuthenticationDemand {
                interactive,
                force_reauthentication: self.prompt.login,
                max_age: self.max_age,
            },
        }
    }

    /// Whether an authentication at `auth_time` meets that. "the Authorization Server MUST attempt to actively
    /// re-authenticate" (§3.1.2.1): a part that says "authenticated" has done so, or is not believed.
    pub(super) fn accepts_authentication(&self, auth_time: u64, now: u64) -> bool {
        let newest = match self.age(now) {
            Some(age) => self.max_age_since(age),
            None if self.prompt.login => Some(SIGN_IN_LEEWAY),
            None => self.max_age,
        };
        newest.is_none_or(|seconds| now.saturating_sub(auth_time) <= seconds)
    }

    /// How long ago the request was stored, where it was.
    fn age(&self, now: u64) -> Option<u64> {
        let reference = self.settled.channel.reference()?;
        Some(now.saturating_sub(reference.request.pushed_at))
    }

    fn max_age_since(&self, age: u64) -> Option<u64> {
        if self.prompt.login { Some(age) } else { self.max_age.map(|seconds| seconds.max(age)) }
    }
}
