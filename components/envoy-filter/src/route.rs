//! What a path takes.
//!
//! The danger is a path that Envoy, this filter and the upstream read differently, so that the one who checks and the
//! one who serves think of two resources. Envoy normalizes paths before the filter sees them (`normalize_path`,
//! `merge_slashes`), but a filter cannot know whether it was told to. Hence:
//!
//! - a path that can still be read in two ways (`//`, `.` and `..` segments in any spelling, encoded slashes, backslashes,
//!   control characters, fragments) is refused;
//! - a path is matched as it is written **and** as a lenient server would read it (ignoring case, ignoring `;parameters`),
//!   and must satisfy what both readings take.

use attesto::scope::Scope;

/// What it takes to use a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing.
    Public,
    /// A token with these scopes.
    Token(Scope),
}

impl Requirement {
    /// What satisfies both.
    #[must_use]
    fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Public, other) => other.clone(),
            (one, Self::Public) => one.clone(),
            (Self::Token(one), Self::Token(other)) => Self::Token(one.union(other)),
        }
    }
}

/// The path can be read in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ambiguous path")]
pub struct AmbiguousPath;

/// Why a rule is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The prefix is not a path in its plain form.
    #[error("the prefix is not a plain path that begins with `/`")]
    NotPlain,
    /// Another rule has the prefix, perhaps in other case or with a slash at its end.
    #[error("another rule has the same prefix")]
    Repeated,
}

/// Requirements by path prefix; the longest prefix that fits decides. A path without a rule takes a token.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<Rule>);

#[derive(Clone, Debug)]
struct Rule {
    prefix: String,
    lower_case: String,
    requirement: Requirement,
}

impl Rules {
    /// Adds a rule for `prefix` and everything below it.
    pub fn add(&mut self, prefix: &str, requirement: Requirement) -> Result<(), RulesError> {
        let plain = plain_path(prefix.as_bytes()).map_err(|AmbiguousPath| RulesError::NotPlain)?;
        if plain != prefix || prefix.contains([';', '?']) {
            return Err(RulesError::NotPlain);
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix).to_owned();
        let lower_case = prefix.to_ascii_lowercase();
        if self.0.iter().any(|other| other.lower_case == lower_case) {
            return Err(RulesError::Repeated);
        }
        self.0.push(Rule { prefix, lower_case, requirement });
        Ok(())
    }

    /// What `target`, the `:path` of a request, takes.
    pub fn requirement(&self, target: &[u8]) -> Result<Requirement, AmbiguousPath> {
        let path = plain_path(target)?;
        let lenient = without_parameters(&path.to_ascii_lowercase());
        let as_written = self.longest(|rule| is_under(&path, &rule.prefix));
        let as_lenient = self.longest(|rule| is_under(&lenient, &rule.lower_case));
        Ok(as_written.and(&as_lenient))
    }

    fn longest(&self, fits: impl Fn(&Rule) -> bool) -> Requirement {
        let longest = self.0.iter().filter(|rule| fits(rule)).max_by_key(|rule| rule.prefix.len());
        longest.map_or_else(|| Requirement::Token(Scope::default()), |rule| rule.requirement.clone())
    }
}

/// Whether `path` is `prefix` or lies below it; `/orders` is no prefix of `/orders-archive`.
fn is_under(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The path without its query, percent-encodings of unreserved characters undone ("equivalent", RFC 3986 §6.2.2.2).
fn plain_path(target: &[u8]) -> Result<String, AmbiguousPath> {
    let path = target.split(|octet| *octet == b'?').next().unwrap_or_default();
    let plain = decode_unreserved(path)?;
    let mut segments = without_parameters(&plain).split('/').map(str::to_owned).collect::<Vec<_>>();
    // An absolute path begins with an empty segment and may end with one.
    if segments.first().is_none_or(|first| !first.is_empty()) || segments.len() < 2 {
        return Err(AmbiguousPath);
    }
    segments.remove(0);
    let last = segments.pop().unwrap_or_default();
    let ambiguous = |segment: &str| matches!(segment, "." | "..");
    if ambiguous(&last) || segments.iter().any(|segment| segment.is_empty() || ambiguous(segment)) {
        return Err(AmbiguousPath);
    }
    Ok(plain)
}

fn decode_unreserved(path: &[u8]) -> Result<String, AmbiguousPath> {
    let mut plain = String::with_capacity(path.len());
    let mut octets = path.iter().copied();
    while let Some(octet) = octets.next() {
        match octet {
            b'%' => {
                let mut digit =
                    || octets.next().and_then(|octet| char::from(octet).to_digit(16)).ok_or(AmbiguousPath);
                let value = u8::try_from(digit()? * 16 + digit()?).map_err(|_| AmbiguousPath)?;
                match value {
                    // Delimiters and control characters mean something else to whoever decodes them early.
                    b'/' | b'\\' | b'%' | b'?' | b'#' | b';' | 0..=0x1f | 0x7f => return Err(AmbiguousPath),
                    b'-' | b'.' | b'_' | b'~' => plain.push(char::from(value)),
                    _ if value.is_ascii_alphanumeric() => plain.push(char::from(value)),
                    _ => plain.push_str(&format!("%{value:02X}")),
                }
            }
            // A URI is of printable ASCII (RFC 3986 §2), and `#` ends the path for some.
            b'\\' | b'#' | 0..=0x20 | 0x7f.. => return Err(AmbiguousPath),
            _ => plain.push(char::from(octet)),
        }
    }
    Ok(plain)
}

/// Each segment up to its first `;`, as servers that know path parameters route it.
fn without_parameters(path: &str) -> String {
    let route = |segment: &str| segment.split(';').next().unwrap_or_default().to_owned();
    path.split('/').map(route).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(scopes: &str) -> Requirement {
        Requirement::Token(Scope::parse(scopes).unwrap())
    }

    fn rules() -> Rules {
        let mut rules = Rules::default();
        for (prefix, requirement) in [
            ("/", token("base")),
            ("/public", Requirement::Public),
            ("/public/admin", token("admin")),
            ("/orders/", token("orders:read")),
            ("/orders/archive", token("archive")),
        ] {
            rules.add(prefix, requirement).unwrap();
        }
        rules
    }

    #[test]
    fn the_longest_prefix_of_whole_segments_decides() {
        for (target, requirement) in [
            ("/", token("base")),
            ("/other", token("base")),
            ("/public", Requirement::Public),
            ("/public/", Requirement::Public),
            ("/public?x=/orders", Requirement::Public),
            ("/public/deep/er", Requirement::Public),
            ("/publicity", token("base")),
            ("/public/admin", token("admin")),
            ("/public/admin/x", token("admin")),
            ("/public/administrator", Requirement::Public),
            ("/orders", token("orders:read")),
            ("/orders/", token("orders:read")),
            ("/orders/1?scope=none", token("orders:read")),
            ("/orders-archive", token("base")),
            ("/orders/archive/1", token("archive")),
            ("/orders/archive?..", token("archive")),
        ] {
            assert_eq!(rules().requirement(target.as_bytes()), Ok(requirement), "{target}");
        }
    }

    #[test]
    fn a_path_without_a_rule_takes_a_token() {
        assert_eq!(Rules::default().requirement(b"/x"), Ok(token("")));
    }

    #[test]
    fn encoded_letters_and_other_case_do_not_evade_a_rule() {
        for target in
            ["/public/%61dmin", "/public/%41dmin", "/public/ADMIN", "/PUBLIC/admin/x", "/public/Admin;v=1"]
        {
            let Ok(Requirement::Token(scopes)) = rules().requirement(target.as_bytes()) else {
                panic!("{target} is open");
            };
            assert!(scopes.contains("admin"), "{target}: {scopes}");
        }
        // Nor do they open what only a lenient reading finds public.
        for target in ["/PUBLIC", "/Public/x", "/public;x=1", "/pub%6Cic;a/b"] {
            assert_eq!(rules().requirement(target.as_bytes()), Ok(token("base")), "{target}");
        }
    }

    #[test]
    fn a_path_that_two_servers_could_read_differently_is_refused() {
        for target in [
            "",
            "*",
            "public",
            "http://localhost/public",
            "//orders",
            "/public//admin",
            "/public/./admin",
            "/public/../orders",
            "/public/..",
            "/public/.",
            "/public/%2e%2e/orders",
            "/public/.%2E/orders",
            "/public/..;/orders",
            "/public/..;a=b/orders",
            "/public/;/orders",
            "/public%2fadmin",
            "/public%2Fadmin",
            "/public%5cadmin",
            "/public\\admin",
            "/public%00",
            "/public%0a",
            "/public%3b/x",
            "/public%3f/x",
            "/public%23",
            "/public%252e%252e/orders",
            "/public#/orders",
            "/public%",
            "/public%2",
            "/public%zz",
            "/public%+1",
            "/public x",
            "/public\t",
            "/public\u{7f}",
            "/caf\u{e9}",
        ] {
            assert_eq!(rules().requirement(target.as_bytes()), Err(AmbiguousPath), "{target:?}");
        }
        assert_eq!(rules().requirement(b"/public/\xff"), Err(AmbiguousPath));
    }

    #[test]
    fn other_encoded_octets_stay_what_they_are() {
        for target in ["/public/a%20b", "/public/caf%C3%A9", "/public/a:b@c,d=e&f+g!$'()*"] {
            assert_eq!(rules().requirement(target.as_bytes()), Ok(Requirement::Public), "{target}");
        }
    }

    #[test]
    fn a_prefix_is_a_plain_path_and_stands_once() {
        let mut rules = rules();
        for prefix in ["", "x", "//", "/a//b", "/a/../b", "/%61", "/a%20b%2f", "/a;b", "/a?b", "/a b"] {
            assert_eq!(rules.add(prefix, Requirement::Public), Err(RulesError::NotPlain), "{prefix:?}");
        }
        for prefix in ["/", "/public", "/public/", "/PUBLIC", "/orders"] {
            assert_eq!(rules.add(prefix, Requirement::Public), Err(RulesError::Repeated), "{prefix:?}");
        }
        assert_eq!(rules.add("/a%20b", Requirement::Public), Ok(()));
    }
}
