//! What one resource server accepts.

use std::time::Duration;

use crate::dpop::ProofPolicy;
use crate::jose::Algorithm;
use crate::scope_catalog::Separator;

use super::Scheme;

/// The settings of a resource server. Made once, at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    issuer: String,
    audiences: Vec<String>,
    algorithms: Vec<Algorithm>,
    clock_skew: Duration,
    realm: Option<String>,
    resource_metadata: Option<String>,
    scope_separator: Option<Separator>,
    dpop: Option<ProofPolicy>,
}

/// Why a policy is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// No issuer is named.
    #[error("no issuer")]
    NoIssuer,
    /// No audience is named: every token of the issuer would be accepted, also those meant for others.
    #[error("no audience")]
    NoAudience,
    /// No algorithm is allowed.
    #[error("no algorithm")]
    NoAlgorithm,
    /// The clocks may not differ by more than [`Policy::MAX_CLOCK_SKEW`].
    #[error("clock skew too large")]
    ClockSkew,
    /// A text that is to stand in a header as quoted string has a character outside printable ASCII, `"` or `\`.
    #[error("`{0}` has a character that cannot stand in a header")]
    Unquotable(&'static str),
}

impl Policy {
    /// "Implementers MAY provide for some small leeway, usually no more than a few minutes" (RFC 7519 §4.1.4).
    pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(300);

    /// Accepts the tokens of `issuer` that name one of `audiences`, signed with any algorithm there is, judged by a
    /// clock that agrees with the issuer's.
    pub fn new(issuer: impl Into<String>, audiences: Vec<String>) -> Result<Self, PolicyError> {
        let issuer = issuer.into();
        if issuer.is_empty() {
            return Err(PolicyError::NoIssuer);
        }
        if audiences.is_empty() || audiences.iter().any(String::is_empty) {
            return Err(PolicyError::NoAudience);
        }
        Ok(Self {
            issuer,
            audiences,
            algorithms: Algorithm::ALL.to_vec(),
            clock_skew: Duration::ZERO,
            realm: None,
            resource_metadata: None,
            scope_separator: None,
            dpop: None,
        })
    }

    /// Accepts every token of `issuer`, whomever it is for: what the issuer itself wants to know of its tokens, and no
    /// resource server does.
    pub(crate) fn of_issuer(issuer: &str) -> Result<Self, PolicyError> {
        let policy = Self::new(issuer, vec![issuer.to_owned()])?;
        Ok(Self { audiences: Vec::new(), ..policy })
    }

    /// Accepts these algorithms only.
    pub fn with_algorithms(self, algorithms: Vec<Algorithm>) -> Result<Self, PolicyError> {
        if algorithms.is_empty() { Err(PolicyError::NoAlgorithm) } else { Ok(Self { algorithms, ..self }) }
    }

    /// Allows the issuer's clock to differ by this much.
    pub fn with_clock_skew(self, clock_skew: Duration) -> Result<Self, PolicyError> {
        if clock_skew > Self::MAX_CLOCK_SKEW {
            return Err(PolicyError::ClockSkew);
        }
        Ok(Self { clock_skew, ..self })
    }

    /// Honours `<resource><separator>*` in a token's scope; without, values are compared as they are.
    #[must_use]
    pub fn with_scope_separator(self, separator: Separator) -> Self {
        Self { scope_separator: Some(separator), ..self }
    }

    /// Names a `realm` in every challenge (RFC 9110 §11.5).
    pub fn with_realm(self, realm: impl Into<String>) -> Result<Self, PolicyError> {
        Ok(Self { realm: Some(quotable("realm", realm.into())?), ..self })
    }

    /// Points every challenge to the resource's metadata document (RFC 9728 §5.1).
    pub fn with_resource_metadata(self, url: impl Into<String>) -> Result<Self, PolicyError> {
        Ok(Self { resource_metadata: Some(quotable("resource_metadata", url.into())?), ..self })
    }

    /// Accepts tokens that are bound to a key, from whoever proves to hold it (RFC 9449); without, none of them.
    #[must_use]
    pub fn with_dpop(self, proofs: ProofPolicy) -> Self {
        Self { dpop: Some(proofs), ..self }
    }

    /// Which proofs of possession are accepted, where any are.
    pub const fn dpop(&self) -> Option<&ProofPolicy> {
        self.dpop.as_ref()
    }

    /// By which schemes tokens may be presented.
    pub(super) const fn schemes(&self) -> &'static [Scheme] {
        match self.dpop {
            Some(_) => &[Scheme::Bearer, Scheme::Dpop],
            None => &[Scheme::Bearer],
        }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn audiences(&self) -> &[String] {
        &self.audiences
    }

    pub(super) fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    pub(super) const fn clock_skew(&self) -> Duration {
        self.clock_skew
    }

    pub(super) const fn scope_separator(&self) -> Option<Separator> {
        self.scope_separator
    }

    pub(super) fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    pub(super) fn resource_metadata(&self) -> Option<&str> {
        self.resource_metadata.as_deref()
    }
}

/// The characters a quoted string holds without escapes (RFC 9110 §5.6.4), of ASCII; no escape means none to forget.
fn quotable(name: &'static str, text: String) -> Result<String, PolicyError> {
    match text.bytes().all(|octet| matches!(octet, b' ' | 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
        true => Ok(text),
        false => Err(PolicyError::Unquotable(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy::new("https://as.example", vec!["https://api.example".into()]).unwrap()
    }

    #[test]
    fn a_policy_that_would_accept_everything_or_nothing_is_refused() {
        assert_eq!(Policy::new("", vec!["a".into()]), Err(PolicyError::NoIssuer));
        assert_eq!(Policy::new("a", vec![]), Err(PolicyError::NoAudience));
        assert_eq!(Policy::new("a", vec!["a".into(), String::new()]), Err(PolicyError::NoAudience));
        assert_eq!(policy().with_algorithms(vec![]), Err(PolicyError::NoAlgorithm));
        assert_eq!(policy().with_clock_skew(Duration::from_secs(301)), Err(PolicyError::ClockSkew));
        assert!(policy().with_clock_skew(Duration::from_secs(300)).is_ok());
    }

    #[test]
    fn text_that_would_break_out_of_its_quotes_is_refused() {
        for text in ["a\"b", "a\\b", "a\r\nSet-Cookie: b", "caf\u{e9}", "a\0"] {
            assert_eq!(policy().with_realm(text), Err(PolicyError::Unquotable("realm")), "{text:?}");
            let refused = Err(PolicyError::Unquotable("resource_metadata"));
            assert_eq!(policy().with_resource_metadata(text), refused, "{text:?}");
        }
    }
}
