//! Routes as Spin matches them: an exact path, or a prefix ending in `/...`; the longest match wins.

/// One `[[trigger.http]]` with a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// As the manifest writes it.
    pub raw: String,
    /// The id of the component that answers.
    pub component: String,
    prefix: String,
    wildcard: bool,
}

/// A path that a route matched.
#[derive(Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// The route.
    pub route: &'a Route,
    /// What `/...` stood for, with its slash; empty for an exact route.
    pub rest: &'a str,
}

impl Route {
    /// Reads a route; parameters (`:name`) and inner wildcards are refused.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(raw: &str, component: &str) -> Result<Self, String> {
        let (prefix, wildcard) = match raw.strip_suffix("/...") {
            Some(prefix) => (prefix, true),
            None => (raw.strip_suffix('/').unwrap_or(raw), false),
        };
        if !raw.starts_with('/') {
            return Err(format!("{raw:?} must start with a slash"));
        }
        if prefix.contains("/:") || prefix.contains('*') || prefix.contains("...") {
            return Err(format!("{raw:?}: only exact paths and a final `/...` are supported"));
        }
        Ok(Self { raw: raw.to_owned(), component: component.to_owned(), prefix: prefix.to_owned(), wildcard })
    }

    /// The route without its wildcard.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.raw.strip_suffix("/...").unwrap_or(&self.raw)
    }

    fn matches<'a>(&'a self, path: &'a str) -> Option<Match<'a>> {
        let rest = path.strip_prefix(self.prefix.as_str())?;
        let matched = match (self.wildcard, rest) {
            (_, "") => true,
            (false, rest) => rest == "/",
            (true, rest) => rest.starts_with('/'),
        };
        matched.then_some(Match { route: self, rest: if self.wildcard { rest } else { "" } })
    }
}

/// The route for a path: an exact one before a wildcard, a longer wildcard before a shorter one.
#[must_use]
pub fn find<'a>(routes: &'a [Route], path: &'a str) -> Option<Match<'a>> {
    routes
        .iter()
        .filter_map(|route| route.matches(path))
        .max_by_key(|found| (!found.route.wildcard, found.route.prefix.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(raw: &[&str]) -> Vec<Route> {
        raw.iter().map(|raw| Route::parse(raw, raw).unwrap()).collect()
    }

    #[test]
    fn an_exact_route_wins_over_a_wildcard_and_the_longer_wildcard_over_the_shorter() {
        let routes = routes(&["/...", "/a/...", "/a/b", "/a/b/..."]);
        let raw = |path| find(&routes, path).unwrap().route.raw.as_str().to_owned();
        assert_eq!(raw("/"), "/...");
        assert_eq!(raw("/ab"), "/...");
        assert_eq!(raw("/a"), "/a/...");
        assert_eq!(raw("/a/x"), "/a/...");
        assert_eq!(raw("/a/b"), "/a/b");
        assert_eq!(raw("/a/b/c"), "/a/b/...");
    }

    #[test]
    fn the_rest_keeps_its_slashes() {
        let routes = routes(&["/foo/...", "/exact"]);
        let rest = |path| find(&routes, path).map(|found| found.rest.to_owned());
        assert_eq!(rest("/foo").as_deref(), Some(""));
        assert_eq!(rest("/foo/").as_deref(), Some("/"));
        assert_eq!(rest("/foo/bar/").as_deref(), Some("/bar/"));
        assert_eq!(rest("/exact").as_deref(), Some(""));
        assert_eq!(rest("/exact/x"), None);
        assert_eq!(rest("/other"), None);
    }

    #[test]
    fn parameters_are_refused() {
        assert!(Route::parse("/user/:id", "c").is_err());
        assert!(Route::parse("/a/*/b", "c").is_err());
        assert!(Route::parse("a", "c").is_err());
    }
}
