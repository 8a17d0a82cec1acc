//! Where the endpoints are: the one source for routes and metadata, so that the two can not diverge.

use crate::config::Config;

/// The path of each endpoint.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// RFC 6749 §3.1.
    pub authorization: String,
    /// RFC 6749 §3.2.
    pub token: String,
    /// OIDC Core §5.3.
    pub userinfo: String,
    /// RFC 7517 §5.
    pub jwks: String,
    /// RFC 8414 §3: the well-known segment comes before the issuer's path.
    pub authorization_server_metadata: String,
    /// OIDC Discovery §4: the well-known segment comes after the issuer's path.
    pub openid_configuration: String,
    /// RFC 9728 §3.1, derived from the resource identifier.
    pub protected_resource_metadata: String,
    /// The prefix of the person's pages.
    pub account: String,
    origin: String,
}

impl Endpoints {
    /// The endpoints of this configuration.
    pub fn new(config: &Config) -> Self {
        let base = &config.issuer_path;
        let oauth = |tail: &str| format!("{base}{}/{tail}", config.oauth_path_prefix);
        let resource_path = url::Url::parse(&config.audience)
            .map(|url| url.path().trim_end_matches('/').to_owned())
            .unwrap_or_default();
        Self {
            authorization: oauth("authorize"),
            token: oauth("token"),
            userinfo: oauth("userinfo"),
            jwks: format!("{base}/.well-known/jwks.json"),
            authorization_server_metadata: format!("/.well-known/oauth-authorization-server{base}"),
            openid_configuration: format!("{base}/.well-known/openid-configuration"),
            protected_resource_metadata: format!("/.well-known/oauth-protected-resource{resource_path}"),
            account: format!("{base}{}", config.account_path_prefix),
            origin: config.issuer.strip_suffix(base.as_str()).unwrap_or(&config.issuer).to_owned(),
        }
    }

    /// The absolute URL of a path of this server.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Whether the path belongs to the person's pages.
    pub fn is_account(&self, path: &str) -> bool {
        path.strip_prefix(&self.account).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}
