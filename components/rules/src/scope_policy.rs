//! The default scope policy (RFC 6749 §3.3).

/// The scope to grant, or `None` for `invalid_scope`.
///
/// Everything asked for must be supported by the server and, where the client registered a scope, be part of it:
/// half a grant surprises more than an error. Where nothing is asked for, the client's registered scope is the default;
/// without one there is none, and the request fails.
pub fn authorize(
    supported: &[String],
    client_scope: Option<&[String]>,
    requested: &[String],
) -> Option<Vec<String>> {
    let may_have = |token: &String| {
        supported.contains(token) && client_scope.is_none_or(|registered| registered.contains(token))
    };
    if requested.is_empty() {
        let default: Vec<_> = client_scope?.iter().filter(|token| may_have(token)).cloned().collect();
        return (!default.is_empty()).then_some(default);
    }
    requested.iter().all(may_have).then(|| requested.to_vec())
}

/// "This scope value requests that an OAuth 2.0 Refresh Token be issued" (OIDC Core §11): only then.
pub fn issues_refresh_token(granted: &[String]) -> bool {
    granted.iter().any(|token| token == "offline_access")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn authorize_text(client: Option<&str>, requested: &str) -> Option<String> {
        let client = client.map(tokens);
        authorize(&tokens("openid email read write"), client.as_deref(), &tokens(requested))
            .map(|scope| scope.join(" "))
    }

    #[test]
    fn supported_scope_is_granted_as_asked() {
        assert_eq!(authorize_text(None, "read openid").as_deref(), Some("read openid"));
    }

    #[test]
    fn one_unsupported_value_refuses_the_request() {
        assert_eq!(authorize_text(None, "read admin"), None);
    }

    #[test]
    fn a_client_is_held_to_its_registered_scope() {
        assert_eq!(authorize_text(Some("read"), "read").as_deref(), Some("read"));
        assert_eq!(authorize_text(Some("read"), "read write"), None);
    }

    #[test]
    fn where_nothing_is_asked_the_registered_scope_is_the_default() {
        assert_eq!(authorize_text(Some("read admin"), "").as_deref(), Some("read"));
        assert_eq!(authorize_text(None, ""), None);
    }

    #[test]
    fn only_offline_access_comes_with_a_refresh_token() {
        assert!(issues_refresh_token(&tokens("openid offline_access")));
        assert!(!issues_refresh_token(&tokens("openid read")));
    }
}
