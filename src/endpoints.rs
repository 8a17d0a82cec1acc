//! Where the endpoints are: the one source for routes and metadata, so that the two can not diverge.

use crate::client::GrantType;
use crate::config::Config;

/// The path of each endpoint.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// RFC 6749 §3.1, where the server has the authorization code grant.
    pub authorization: Option<String>,
    /// RFC 6749 §3.2.
    pub token: String,
    /// OIDC Core §5.3, likewise.
    pub userinfo: Option<String>,
    /// RFC 7009 §2, where it is enabled.
    pub revocation: Option<String>,
    /// RFC 7662 §2, where it is enabled.
    pub introspection: Option<String>,
    /// The list of revoked access tokens, where it is enabled.
    pub revoked_tokens: Option<String>,
    /// RFC 9126 §2, where it is enabled and there is something to push a request to.
    pub pushed_authorization_request: Option<String>,
    /// RFC 7517 §5.
    pub jwks: String,
    /// RFC 8414 §3: the well-known segment comes before the issuer's path.
    pub authorization_server_metadata: String,
    /// OIDC Discovery §4: the well-known segment comes after the issuer's path.
    pub openid_configuration: String,
    /// RFC 9728 §3.1, derived from the resource identifier.
    pub protected_resource_metadata: String,
    /// The prefix of the person's pages, where there are any.
    pub account: Option<String>,
    origin: String,
}

impl Endpoints {
    /// The endpoints of this configuration.
    pub fn new(config: &Config) -> Self {
        let base = &config.issuer_path;
        let paths = &config.paths;
        let at = |path: &Option<String>, tail: &str| match path {
            Some(path) => path.clone(),
            None => format!("{base}{}/{tail}", config.oauth_path_prefix),
        };
        let with_people = config.grant_types_supported.contains(&GrantType::AuthorizationCode);
        let resource_path = url::Url::parse(&config.audience)
            .map(|url| url.path().trim_end_matches('/').to_owned())
            .unwrap_or_default();
        Self {
            authorization: with_people.then(|| at(&paths.authorization, "authorize")),
            token: at(&paths.token, "token"),
            userinfo: with_people.then(|| at(&paths.userinfo, "userinfo")),
            revocation: config.revocation_enabled.then(|| at(&paths.revocation, "revoke")),
            introspection: config.introspection_enabled.then(|| at(&paths.introspection, "introspect")),
            revoked_tokens: config.revoked_tokens_enabled.then(|| at(&paths.revoked_tokens, "revoked")),
            pushed_authorization_request: (with_people && config.pushed_requests.enabled)
                .then(|| at(&paths.pushed_authorization_request, "par")),
            jwks: format!("{base}/.well-known/jwks.json"),
            authorization_server_metadata: format!("/.well-known/oauth-authorization-server{base}"),
            openid_configuration: format!("{base}/.well-known/openid-configuration"),
            protected_resource_metadata: format!("/.well-known/oauth-protected-resource{resource_path}"),
            account: with_people.then(|| format!("{base}{}", config.account_path_prefix)),
            origin: config.issuer.strip_suffix(base.as_str()).unwrap_or(&config.issuer).to_owned(),
        }
    }

    /// The absolute URL of a path of this server.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Whether the path belongs to the person's pages.
    pub fn is_account(&self, path: &str) -> bool {
        let rest = self.account.as_deref().and_then(|account| path.strip_prefix(account));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}
