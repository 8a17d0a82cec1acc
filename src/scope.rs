//! Access token scope (RFC 6749 §3.3).

use std::fmt;

/// More values than any request means; parsing, and every comparison of scopes, is bounded by it.
const MAX_TOKENS: usize = 100;

/// Distinct scope values in the order they were asked for. Order carries no meaning (RFC 6749 §3.3) but is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(Vec<String>);

/// The text is not a `scope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not scope tokens separated by single spaces, or too many")]
pub struct MalformedScope;

impl Scope {
    /// Parses `scope = scope-token *( SP scope-token )`. The empty text is the empty scope.
    pub fn parse(text: &str) -> Result<Self, MalformedScope> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        Self::from_tokens(text.split(' '))
    }

    /// The scope of these tokens; a token that is there twice counts once.
    pub fn from_tokens<T: Into<String>>(tokens: impl IntoIterator<Item = T>) -> Result<Self, MalformedScope> {
        let mut scope = Vec::new();
        for (number, token) in tokens.into_iter().enumerate() {
            let token = token.into();
            if number == MAX_TOKENS || !is_scope_token(&token) {
                return Err(MalformedScope);
            }
            if !scope.contains(&token) {
                scope.push(token);
            }
        }
        Ok(Self(scope))
    }

    /// Whether `token` is among the values.
    pub fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|t| t == token)
    }

    /// Whether every value is also in `other`.
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.0.iter().all(|token| other.contains(token))
    }

    /// The values of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let added = other.0.iter().filter(|token| !self.contains(token));
        Self(self.0.iter().chain(added).cloned().collect())
    }

    /// The values but these.
    #[must_use]
    pub fn without(&self, values: &[&str]) -> Self {
        Self(self.0.iter().filter(|token| !values.contains(&token.as_str())).cloned().collect())
    }

    /// Whether there is no value at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values.
    pub fn tokens(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3).
pub fn is_scope_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_of_rfc_6749_section_3_3_is_enforced() {
        for bad in [" ", "a ", " a", "a  b", "a\tb", "a\"b", "a\\b", "ä", "a\u{7f}"] {
            assert_eq!(Scope::parse(bad), Err(MalformedScope), "{bad:?}");
        }
        assert_eq!(Scope::parse("").map(|s| s.is_empty()), Ok(true));
        assert_eq!(Scope::parse("openid ! #[]~").map(|s| s.to_string()), Ok("openid ! #[]~".to_owned()));
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let text = |count: usize| (0..count).map(|i| format!("s{i}")).collect::<Vec<_>>().join(" ");
        assert!(Scope::parse(&text(100)).is_ok());
        assert_eq!(Scope::parse(&text(101)), Err(MalformedScope));
    }

    #[test]
    fn a_value_asked_for_twice_counts_once() {
        assert_eq!(Scope::parse("a b a").map(|s| s.to_string()), Ok("a b".to_owned()));
    }

    #[test]
    fn a_union_has_the_values_of_both_once() {
        let scope = |text| Scope::parse(text).expect("a scope");
        assert_eq!(scope("a b").union(&scope("c b")), scope("a b c"));
        assert_eq!(scope("").union(&scope("a")), scope("a"));
    }

    #[test]
    fn values_are_compared_with_case() {
        let scope = Scope::parse("openid").expect("a scope");
        assert!(!scope.contains("OpenID"));
    }
}
