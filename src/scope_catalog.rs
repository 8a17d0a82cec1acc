//! The scope algebra: which grants cover which requirements.
//!
//! RFC 6749 §3.3 gives scope values no structure: "The strings are defined by the authorization server". Here a
//! [`Catalog`] defines them. Its entries are concrete; if it has a separator, an entry's *resource* is what stands before
//! the first one, and there are three forms of grant:
//!
//! | grant | covers | who may hold it |
//! |---|---|---|
//! | an entry, `orders.read` | itself | everyone |
//! | `<resource>.*`, `orders.*` | every entry of the resource, and itself | everyone |
//! | `*` | everything | credentials the system issues: [`Catalog::for_system`] |
//!
//! `orders.*` covers `orders.items.read` as well as `orders.read`. It reads as everything below `orders`, and as there is
//! no `orders.items.*` to close the gap with, a wildcard of one level would leave the deeper entries to nobody who holds
//! it. An entry `orders` is not *below* `orders`, so `orders.*` does not cover it.
//!
//! A token that is none of the three is not a grant and covers nothing, not even itself. That goes for entries the
//! catalog has lost, and for `a.b.*`, `*.read`, `a*`, `.*`, `a..*`, `**` and `*.*`.
//!
//! A [`RequiredScope`] is concrete and never empty.

use crate::scope::{MalformedScope, Scope};

/// The wildcard that covers everything.
const EVERYTHING: &str = "*";

/// What stands between a resource and what may be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Separator {
    /// `orders.read`
    Dot,
    /// `orders:read`
    Colon,
}

impl Separator {
    /// The character.
    pub const fn as_char(self) -> char {
        match self {
            Self::Dot => '.',
            Self::Colon => ':',
        }
    }
}

impl Separator {
    /// The separator written so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Dot, Self::Colon].into_iter().find(|separator| text.chars().eq([separator.as_char()]))
    }

    /// Whether `granted` holds `required` itself or the wildcard of its resource. For a resource server that knows no
    /// catalog: it has the issuer's word that what a token carries was a grant. `*` is nobody's word for everything.
    pub fn covers(self, granted: &Scope, required: &str) -> bool {
        let of_resource = |resource: &str| {
            granted.tokens().iter().any(|token| {
                let wildcard = token.strip_suffix('*').and_then(|rest| rest.strip_suffix(self.as_char()));
                wildcard == Some(resource)
            })
        };
        granted.contains(required)
            || required.split_once(self.as_char()).is_some_and(|(resource, rest)| {
                !resource.is_empty() && !rest.is_empty() && of_resource(resource)
            })
    }
}

/// The scope values a server defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    entries: Scope,
    separator: Option<Separator>,
}

/// Why scope values do not make a catalog.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// There is no entry.
    #[error("a catalog has at least one entry")]
    Empty,
    /// An entry is no scope token, or there are too many.
    #[error(transparent)]
    Malformed(#[from] MalformedScope),
    /// An entry has a `*`: the catalog lists what there is, and wildcards follow from it.
    #[error("`{0}` is not concrete: an entry has no `*`")]
    Wildcard(String),
    /// An entry begins or ends with the separator, or has two in a row.
    #[error("`{0}` has an empty part beside a separator")]
    EmptyPart(String),
}

impl Catalog {
    /// The catalog of these entries. Without a separator there are no wildcards.
    pub fn new<T: Into<String>>(
        entries: impl IntoIterator<Item = T>,
        separator: Option<Separator>,
    ) -> Result<Self, CatalogError> {
        let entries = Scope::from_tokens(entries)?;
        if entries.is_empty() {
            return Err(CatalogError::Empty);
        }
        for entry in entries.tokens() {
            if entry.contains('*') {
                return Err(CatalogError::Wildcard(entry.clone()));
            }
            if separator.is_some_and(|separator| entry.split(separator.as_char()).any(str::is_empty)) {
                return Err(CatalogError::EmptyPart(entry.clone()));
            }
        }
        Ok(Self { entries, separator })
    }

    /// The entries, in their order.
    pub const fn entries(&self) -> &Scope {
        &self.entries
    }

    /// What stands between a resource and what may be done with it.
    pub const fn separator(&self) -> Option<Separator> {
        self.separator
    }

    /// Whether a public endpoint may grant `token`: an entry, or the wildcard of a resource that has one.
    pub fn is_grant(&self, token: &str) -> bool {
        self.entries.contains(token) || self.wildcard_resource(token).is_some()
    }

    /// Whether what is `granted` is enough for all that is `required`.
    pub fn covers(&self, granted: &Scope, required: &RequiredScope) -> bool {
        required
            .scope()
            .tokens()
            .iter()
            .all(|entry| self.entries.contains(entry) && self.holds(granted, entry))
    }

    /// Whether every value of `requested` is a grant and covered by the `ceiling`, so that granting it gives nobody more
    /// than the ceiling does. A wildcard is covered by itself and by `*`, not by the entries it stands for: it would
    /// outgrow them with the catalog. Nothing requested is within any ceiling.
    pub fn narrows(&self, requested: &Scope, ceiling: &Scope) -> bool {
        requested.tokens().iter().all(|token| self.is_grant(token) && self.holds(ceiling, token))
    }

    /// The values of `requested` that pass [`Self::narrows`] each for itself; without a ceiling, those that are grants.
    #[must_use]
    pub fn narrowed(&self, requested: &Scope, ceiling: Option<&Scope>) -> Scope {
        let passes =
            |token: &str| self.is_grant(token) && ceiling.is_none_or(|ceiling| self.holds(ceiling, token));
        let lost: Vec<&str> = requested.tokens().iter().map(String::as_str).filter(|t| !passes(t)).collect();
        requested.without(&lost)
    }

    /// The algebra for credentials the system issues to itself, where `*` is a grant. No endpoint a stranger can reach
    /// may use it: what it admits opens everything.
    pub const fn for_system(&self) -> SystemCatalog<'_> {
        SystemCatalog(self)
    }

    /// Whether a value of `held` covers `grant`, which is known to be one.
    fn holds(&self, held: &Scope, grant: &str) -> bool {
        held.contains(grant)
            || held.contains(EVERYTHING)
            || self.resource(grant).is_some_and(|resource| {
                held.tokens().iter().any(|token| self.wildcard_resource(token) == Some(resource))
            })
    }

    /// The resource of a token: what stands before its first separator.
    fn resource<'t>(&self, token: &'t str) -> Option<&'t str> {
        token.split_once(self.separator?.as_char()).map(|(resource, _)| resource)
    }

    /// The resource of `<resource><separator>*`, if the catalog has an entry of it.
    fn wildcard_resource<'t>(&self, token: &'t str) -> Option<&'t str> {
        let resource = token.strip_suffix('*')?.strip_suffix(self.separator?.as_char())?;
        let known = self.entries.tokens().iter().any(|entry| self.resource(entry) == Some(resource));
        known.then_some(resource)
    }
}

/// A [`Catalog`] in which `*` is a grant as well.
#[derive(Clone, Copy, Debug)]
pub struct SystemCatalog<'c>(&'c Catalog);

impl SystemCatalog<'_> {
    /// Whether a credential the system issues may hold `token`.
    pub fn is_grant(&self, token: &str) -> bool {
        token == EVERYTHING || self.0.is_grant(token)
    }

    /// As [`Catalog::narrows`]; `*` is covered only by itself.
    pub fn narrows(&self, requested: &Scope, ceiling: &Scope) -> bool {
        requested.tokens().iter().all(|token| self.is_grant(token) && self.0.holds(ceiling, token))
    }
}

/// What a resource takes: concrete values, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredScope(Scope);

/// Why a text requires nothing that can be checked. The operator's mistake, so refused at start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequiredScopeError {
    /// Not a scope.
    #[error(transparent)]
    Malformed(#[from] MalformedScope),
    /// No value: it would let everyone in.
    #[error("a requirement names at least one scope value")]
    Empty,
    /// A value with a `*`: wildcards are held, not required.
    #[error("`{0}` is not concrete: a requirement has no `*`")]
    Wildcard(String),
}

impl RequiredScope {
    /// Parses a space-separated list of concrete scope values.
    pub fn parse(text: &str) -> Result<Self, RequiredScopeError> {
        Scope::parse(text)?.try_into()
    }

    /// The values, for a challenge (RFC 6750 §3) and for comparing without a catalog.
    pub const fn scope(&self) -> &Scope {
        &self.0
    }

    /// The comparison of a resource server that has no catalog: every value is literally among the granted ones.
    pub fn is_subset_of(&self, granted: &Scope) -> bool {
        self.0.is_subset_of(granted)
    }
}

impl TryFrom<Scope> for RequiredScope {
    type Error = RequiredScopeError;

    fn try_from(scope: Scope) -> Result<Self, RequiredScopeError> {
        if scope.is_empty() {
            return Err(RequiredScopeError::Empty);
        }
        match scope.tokens().iter().find(|token| token.contains('*')) {
            Some(token) => Err(RequiredScopeError::Wildcard(token.clone())),
            None => Ok(Self(scope)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        let entries = ["openid", "orders", "orders.read", "orders.items.read", "ordersx.read", "users.read"];
        Catalog::new(entries, Some(Separator::Dot)).expect("a catalog")
    }

    fn scope(text: &str) -> Scope {
        Scope::parse(text).expect("a scope")
    }

    fn covers(granted: &str, required: &str) -> bool {
        catalog().covers(&scope(granted), &RequiredScope::parse(required).expect("a requirement"))
    }

    fn narrows(requested: &str, ceiling: &str) -> bool {
        catalog().narrows(&scope(requested), &scope(ceiling))
    }

    #[test]
    fn an_entry_covers_itself_alone() {
        assert!(covers("orders.read openid", "orders.read"));
        for required in ["orders.items.read", "orders", "users.read", "orders.read users.read"] {
            assert!(!covers("orders.read", required), "{required}");
        }
    }

    #[test]
    fn the_wildcard_of_a_resource_covers_all_that_is_below_it() {
        assert!(covers("orders.*", "orders.read orders.items.read"));
        for required in ["orders", "ordersx.read", "users.read", "openid"] {
            assert!(!covers("orders.*", required), "{required}");
        }
    }

    #[test]
    fn everything_covers_every_entry() {
        assert!(covers("*", "openid orders orders.read orders.items.read ordersx.read users.read"));
    }

    #[test]
    fn what_the_catalog_does_not_have_is_covered_by_nothing() {
        for granted in ["orders.write", "orders.*", "*"] {
            assert!(!covers(granted, "orders.write"), "{granted}");
        }
    }

    #[test]
    fn deep_and_degenerate_wildcards_are_not_grants_and_cover_nothing() {
        for token in [
            "orders.items.*",
            "*.read",
            "orders*",
            "orders.r*",
            "orders*.read",
            ".*",
            "..*",
            "orders..*",
            "**",
            "*.*",
            "orders.**",
            "orders.*.read",
            "orders.*.*",
            "orders:*",
            "openid.*",
            "unknown.*",
            "Orders.*",
        ] {
            assert!(!catalog().is_grant(token), "{token}");
            assert!(!catalog().for_system().is_grant(token), "{token}");
            assert!(!covers(token, "orders.read") && !covers(token, "orders.items.read"), "{token}");
            assert!(!narrows(token, token) && !narrows(token, "*"), "{token}");
            assert!(!narrows("orders.read", token), "{token}");
        }
    }

    #[test]
    fn everything_is_a_grant_for_the_system_alone() {
        assert!(!catalog().is_grant("*"));
        assert!(!narrows("*", "*"));
        let system = catalog();
        let system = system.for_system();
        assert!(system.is_grant("*") && system.narrows(&scope("*"), &scope("*")));
        assert!(system.narrows(&scope("orders.* openid"), &scope("*")));
        assert!(!system.narrows(&scope("*"), &scope("orders.* ordersx.* users.* openid orders")));
    }

    #[test]
    fn a_request_stays_within_its_ceiling() {
        for (requested, ceiling) in [
            ("", ""),
            ("", "openid"),
            ("orders.read", "orders.read users.read"),
            ("orders.read orders.items.read", "orders.*"),
            ("orders.*", "orders.*"),
            ("orders.* openid users.read", "*"),
        ] {
            assert!(narrows(requested, ceiling), "{requested} within {ceiling}");
        }
        for (requested, ceiling) in [
            ("orders.read", ""),
            ("orders.read users.read", "orders.*"),
            ("orders", "orders.*"),
            ("orders.*", "orders.read orders.items.read"),
            ("ordersx.*", "orders.*"),
            ("orders.write", "orders.*"),
            ("orders.write", "orders.write"),
        ] {
            assert!(!narrows(requested, ceiling), "{requested} not within {ceiling}");
        }
    }

    #[test]
    fn what_does_not_narrow_is_left_out_value_by_value() {
        let narrowed = |requested: &str, ceiling: Option<&str>| {
            catalog().narrowed(&scope(requested), ceiling.map(scope).as_ref()).to_string()
        };
        assert_eq!(narrowed("openid orders.write users.* *", None), "openid users.*");
        assert_eq!(narrowed("openid orders.read users.read", Some("orders.*")), "orders.read");
        assert_eq!(narrowed("orders.*", Some("orders.read")), "");
        assert_eq!(narrowed("", Some("openid")), "");
    }

    #[test]
    fn without_a_catalog_a_resources_wildcard_covers_what_is_below_it_and_nothing_covers_everything() {
        let covers = |granted: &str, required: &str| Separator::Colon.covers(&scope(granted), required);
        for (granted, required) in
            [("orders:read", "orders:read"), ("orders:*", "orders:read"), ("x orders:*", "orders:items:read")]
        {
            assert!(covers(granted, required), "{granted} covers {required}");
        }
        for (granted, required) in [
            ("", "orders:read"),
            ("*", "orders:read"),
            ("*:*", "orders:read"),
            (":*", ":read"),
            ("orders.*", "orders:read"),
            ("orders:*", "orders"),
            ("orders:*", "orders:"),
            ("orders:*", "ordersx:read"),
            ("orders:items:*", "orders:items:read"),
        ] {
            assert!(!covers(granted, required), "{granted} does not cover {required}");
        }
    }

    #[test]
    fn a_separator_is_one_character() {
        assert_eq!(Separator::parse("."), Some(Separator::Dot));
        assert_eq!(Separator::parse(":"), Some(Separator::Colon));
        for bad in ["", "..", ".:", "/", " "] {
            assert_eq!(Separator::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_catalog_has_one_separator_or_no_wildcards() {
        let colon = Catalog::new(["a:read", "b.read"], Some(Separator::Colon)).expect("a catalog");
        assert!(colon.is_grant("a:*") && !colon.is_grant("a.*") && !colon.is_grant("b.*"));
        let none = Catalog::new(["a:read", "b.read"], None).expect("a catalog");
        assert!(none.is_grant("a:read") && !none.is_grant("a:*") && !none.is_grant("b.*"));
    }

    #[test]
    fn entries_are_concrete_and_whole() {
        let new = |entry: &str| Catalog::new([entry], Some(Separator::Dot)).map(drop);
        for entry in ["*", "orders.*", "*.read", "a*b"] {
            assert_eq!(new(entry), Err(CatalogError::Wildcard(entry.to_owned())));
        }
        for entry in [".", ".read", "orders.", "orders..read"] {
            assert_eq!(new(entry), Err(CatalogError::EmptyPart(entry.to_owned())));
        }
        assert_eq!(new("a b"), Err(CatalogError::Malformed(MalformedScope)));
        assert_eq!(Catalog::new([""; 0], None), Err(CatalogError::Empty));
        assert!(Catalog::new([".read"], Some(Separator::Colon)).is_ok());
    }

    #[test]
    fn a_requirement_is_concrete_and_never_everyone() {
        assert_eq!(RequiredScope::parse(""), Err(RequiredScopeError::Empty));
        assert_eq!(RequiredScope::parse("a  b"), Err(RequiredScopeError::Malformed(MalformedScope)));
        for token in ["*", "orders.*", "*.read", "a*b"] {
            assert_eq!(
                RequiredScope::parse(&format!("openid {token}")),
                Err(RequiredScopeError::Wildcard(token.to_owned()))
            );
        }
        assert_eq!(RequiredScope::parse("a b").map(|r| r.scope().to_string()), Ok("a b".to_owned()));
    }

    #[test]
    fn without_a_catalog_values_are_compared_as_they_stand() {
        let required = RequiredScope::parse("a.read").expect("a requirement");
        assert!(required.is_subset_of(&scope("a.read b")));
        assert!(!required.is_subset_of(&scope("a.* *")));
    }
}
