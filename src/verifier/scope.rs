//! Scopes (RFC 6749 §3.3).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A set of scope tokens: "the order does not matter", and each counts once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeSet(BTreeSet<String>);

/// The text is not `scope-token *( SP scope-token )`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a list of scope tokens separated by single spaces")]
pub struct InvalidScope;

impl ScopeSet {
    /// Whether every scope of `required` is in this set.
    pub fn contains_all(&self, required: &Self) -> bool {
        self.0.is_superset(&required.0)
    }

    /// The scopes of both sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// Whether the set has no scope.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromStr for ScopeSet {
    type Err = InvalidScope;

    /// scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let is_token = |token: &&str| {
            !token.is_empty() && token.bytes().all(|octet| matches!(octet, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
        };
        text.split(' ')
            .map(|token| is_token(&token).then(|| token.to_owned()).ok_or(InvalidScope))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_repetition_do_not_matter() {
        let set: ScopeSet = "write read write".parse().unwrap();
        assert_eq!(set, "read write".parse().unwrap());
        assert_eq!(set.to_string(), "read write");
        assert!(set.contains_all(&"read".parse().unwrap()));
        assert!(set.contains_all(&ScopeSet::default()));
        assert!(!set.contains_all(&"read admin".parse().unwrap()));
    }

    #[test]
    fn scopes_match_whole_and_in_their_case() {
        let set: ScopeSet = "read:all".parse().unwrap();
        for other in ["read", "READ:ALL", "read:all:more"] {
            assert!(!set.contains_all(&other.parse().unwrap()), "{other}");
        }
    }

    #[test]
    fn what_the_grammar_excludes_is_refused() {
        for text in ["", " ", "a  b", " a", "a ", "a\tb", "a\"b", "a\\b", "a\nb", "caf\u{e9}", "a\u{7f}"] {
            assert_eq!(text.parse::<ScopeSet>(), Err(InvalidScope), "{text:?}");
        }
    }
}
