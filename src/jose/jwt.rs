//! JWT claims (RFC 7519 §4.1): reading them with their types, and the checks every reader shares.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// Why a claims set is refused. For logs; what a client is told is coarser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// A claim that must be there is not.
    #[error("no `{0}` claim")]
    Missing(&'static str),
    /// A claim has the wrong JSON type, or a value its definition excludes.
    #[error("malformed `{0}` claim")]
    Malformed(&'static str),
    /// `exp` has come.
    #[error("expired")]
    Expired,
    /// `nbf` has not come.
    #[error("not valid yet")]
    NotYetValid,
    /// `iat` has not come.
    #[error("issued in the future")]
    IssuedInFuture,
    /// `iss` is somebody else.
    #[error("wrong issuer")]
    WrongIssuer,
    /// `aud` does not name the reader.
    #[error("wrong audience")]
    WrongAudience,
}

/// A point in time: seconds since 1970-01-01T00:00:00Z, "ignoring leap seconds" (RFC 7519 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NumericDate(u64);

impl NumericDate {
    /// `seconds` after the epoch.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds after the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// This time plus a whole number of seconds, or the last representable time.
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }

    /// This time minus a whole number of seconds, or the epoch.
    #[must_use]
    pub const fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_secs()))
    }

    /// Reads a JSON number, which may have a fraction ("non-integer values can be represented", RFC 7519 §2). Times
    /// here are whole seconds, so a fraction is rounded with `round`. `None` for a negative number, one that no clock
    /// will show (2^53 and later), or another type.
    fn from_json(value: &Value, round: fn(f64) -> f64) -> Option<Self> {
        const END: u64 = 1 << 53;
        let seconds = match value.as_u64() {
            Some(seconds) => seconds,
            None => match value.as_f64() {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "in range and rounded"
                )]
                Some(seconds) if (0.0..END as f64).contains(&seconds) => round(seconds) as u64,
                _ => return None,
            },
        };
        (seconds < END).then_some(Self(seconds))
    }
}

impl fmt::Display for NumericDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for NumericDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

/// A claims set whose member names are unique.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims(Map<String, Value>);

impl From<Map<String, Value>> for Claims {
    fn from(members: Map<String, Value>) -> Self {
        Self(members)
    }
}

impl Serialize for Claims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Claims {
    /// Any claim, by name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All claims.
    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// All claims, to keep.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// A string claim, if present.
    pub fn string(&self, name: &'static str) -> Result<Option<&str>, ClaimError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ClaimError::Malformed(name)),
        }
    }

    /// A string claim that must be present and not empty.
    pub fn required_string(&self, name: &'static str) -> Result<&str, ClaimError> {
        match self.string(name)? {
            None => Err(ClaimError::Missing(name)),
            Some("") => Err(ClaimError::Malformed(name)),
            Some(text) => Ok(text),
        }
    }

    /// A time claim, if present, a fraction of a second dropped.
    pub fn time(&self, name: &'static str) -> Result<Option<NumericDate>, ClaimError> {
        self.rounded_time(name, f64::floor)
    }

    fn rounded_time(
        &self,
        name: &'static str,
        round: fn(f64) -> f64,
    ) -> Result<Option<NumericDate>, ClaimError> {
        let read = |value| NumericDate::from_json(value, round).ok_or(ClaimError::Malformed(name));
        self.0.get(name).map(read).transpose()
    }

    /// `aud`: "an array of case-sensitive strings" or, for one audience, "a single case-sensitive string" (RFC 7519
    /// §4.1.3). Must be present; an empty array is malformed.
    pub fn audience(&self) -> Result<Vec<&str>, ClaimError> {
        const MALFORMED: ClaimError = ClaimError::Malformed("aud");
        match self.0.get("aud") {
            None => Err(ClaimError::Missing("aud")),
            Some(Value::String(audience)) => Ok(vec![audience]),
            Some(Value::Array(audiences)) if !audiences.is_empty() => {
                audiences.iter().map(|audience| audience.as_str().ok_or(MALFORMED)).collect()
            }
            Some(_) => Err(MALFORMED),
        }
    }

    /// Requires `exp`: "the current date/time MUST be before the expiration date/time" (RFC 7519 §4.1.4), that is, the
    /// token is refused on and after it, `skew` later. A fraction is rounded down: rounding never lengthens a life.
    pub fn check_exp(&self, now: NumericDate, skew: Duration) -> Result<NumericDate, ClaimError> {
        let exp = self.rounded_time("exp", f64::floor)?.ok_or(ClaimError::Missing("exp"))?;
        if now >= exp.plus(skew) { Err(ClaimError::Expired) } else { Ok(exp) }
    }

    /// Honours `nbf`, if present: "the current date/time MUST be after or equal to the not-before date/time" (RFC 7519
    /// §4.1.5), `skew` earlier. A fraction is rounded up.
    pub fn check_nbf(&self, now: NumericDate, skew: Duration) -> Result<(), ClaimError> {
        match self.rounded_time("nbf", f64::ceil)? {
            Some(nbf) if now < nbf.minus(skew) => Err(ClaimError::NotYetValid),
            _ => Ok(()),
        }
    }

    /// Requires `iat`, not after `now` plus `skew`. RFC 7519 §4.1.6 asks no check of it; proofs and assertions, whose
    /// age counts, do.
    pub fn check_iat(&self, now: NumericDate, skew: Duration) -> Result<NumericDate, ClaimError> {
        let iat = self.time("iat")?.ok_or(ClaimError::Missing("iat"))?;
        if iat > now.plus(skew) { Err(ClaimError::IssuedInFuture) } else { Ok(iat) }
    }

    /// Requires `iss` to be exactly `issuer` (RFC 7519 §4.1.1: case-sensitive, no normalization).
    pub fn check_iss(&self, issuer: &str) -> Result<(), ClaimError> {
        match self.string("iss")?.ok_or(ClaimError::Missing("iss"))? {
            iss if iss == issuer => Ok(()),
            _ => Err(ClaimError::WrongIssuer),
        }
    }

    /// Requires `aud` to name one of the reader's `identifiers`: "if the principal processing the claim does not
    /// identify itself with a value in the "aud" claim … then the JWT MUST be rejected" (RFC 7519 §4.1.3).
    pub fn check_aud<S: AsRef<str>>(&self, identifiers: &[S]) -> Result<(), ClaimError> {
        let audience = self.audience()?;
        let named = identifiers.iter().any(|identifier| audience.contains(&identifier.as_ref()));
        if named { Ok(()) } else { Err(ClaimError::WrongAudience) }
    }
}
