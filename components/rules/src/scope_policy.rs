//! The default scope policy (RFC 6749 §3.3).

use attesto::scope::Scope;
use attesto::scope_catalog::Catalog;

/// The scope to grant, or `None` for `invalid_scope`.
///
/// Everything asked for must be a grant of the server and, where the client registered a scope, lie within it: half a
/// grant surprises more than an error. Where nothing is asked for, the client's registered scope is the default;
/// without one there is none, and the request fails.
pub fn authorize(catalog: &Catalog, client_scope: Option<&Scope>, requested: &Scope) -> Option<Scope> {
    if requested.is_empty() {
        let registered = client_scope?.tokens().iter().filter(|token| catalog.is_grant(token)).cloned();
        // A part of a scope is one.
        return Scope::from_tokens(registered).ok().filter(|default| !default.is_empty());
    }
    let granted = requested.tokens().iter().all(|token| catalog.is_grant(token))
        && client_scope.is_none_or(|registered| catalog.narrows(requested, registered));
    granted.then(|| requested.clone())
}

/// "This scope value requests that an OAuth 2.0 Refresh Token be issued" (OIDC Core §11): only then.
pub fn issues_refresh_token(granted: &[String]) -> bool {
    granted.iter().any(|token| token == "offline_access")
}

#[cfg(test)]
mod tests {
    use super::*;
    use attesto::scope_catalog::Separator;

    fn scope(text: &str) -> Scope {
        Scope::parse(text).expect("a scope")
    }

    fn authorize_text(client: Option<&str>, requested: &str) -> Option<String> {
        let catalog = Catalog::new(["openid", "email", "read", "orders:read"], Some(Separator::Colon));
        let client = client.map(scope);
        authorize(&catalog.expect("a catalog"), client.as_ref(), &scope(requested))
            .map(|scope| scope.to_string())
    }

    #[test]
    fn supported_scope_is_granted_as_asked() {
        assert_eq!(authorize_text(None, "read openid").as_deref(), Some("read openid"));
    }

    #[test]
    fn one_unsupported_value_refuses_the_request() {
        assert_eq!(authorize_text(None, "read admin"), None);
        assert_eq!(authorize_text(None, "*"), None);
    }

    #[test]
    fn a_client_is_held_to_its_registered_scope() {
        assert_eq!(authorize_text(Some("read"), "read").as_deref(), Some("read"));
        assert_eq!(authorize_text(Some("read"), "read email"), None);
        assert_eq!(authorize_text(Some("orders:*"), "orders:read").as_deref(), Some("orders:read"));
        assert_eq!(authorize_text(Some("orders:*"), "orders:*").as_deref(), Some("orders:*"));
        assert_eq!(authorize_text(Some("orders:read"), "orders:*"), None);
    }

    #[test]
    fn where_nothing_is_asked_the_registered_scope_is_the_default() {
        assert_eq!(authorize_text(Some("read admin"), "").as_deref(), Some("read"));
        assert_eq!(authorize_text(Some("*"), ""), None);
        assert_eq!(authorize_text(None, ""), None);
    }

    #[test]
    fn only_offline_access_comes_with_a_refresh_token() {
        let tokens = |text: &str| scope(text).tokens().to_vec();
        assert!(issues_refresh_token(&tokens("openid offline_access")));
        assert!(!issues_refresh_token(&tokens("openid read")));
    }
}
