//! JWT access tokens (RFC 9068).

use rand_core::CryptoRng;
use serde_json::{Map, Value};

use crate::authentication::Authentication;
use crate::confirmation::Confirmation;
use crate::host::{Host, Principal};
use crate::scope::Scope;
use crate::server::Context;

/// Claims that only the protocol sets.
const PROTOCOL_CLAIMS: [&str; 16] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "scope",
    "auth_time",
    "acr",
    "amr",
    "cnf",
    "act",
    "may_act",
    "sid",
];

/// What an access token says.
#[derive(Debug)]
pub struct AccessToken<'a> {
    /// The client it is issued to.
    pub client_id: &'a str,
    /// Whom it is about.
    pub principal: &'a Principal,
    /// What it is good for.
    pub scope: &'a Scope,
    /// The resources it is for (RFC 8707): at least one.
    pub audience: &'a [String],
    /// The key its presenter must hold, where there is one.
    pub cnf: Option<&'a Confirmation>,
    /// The authentication of the resource owner, where there is one.
    pub authentication: Option<&'a Authentication>,
    /// Its identifier.
    pub jti: &'a str,
}

impl AccessToken<'_> {
    /// The signed token. The error is for the log.
    pub async fn sign(&self, cx: &Context<'_, impl Host, impl CryptoRng>) -> Result<String, String> {
        let config = &cx.server.config;
        let alg = config.access_token_signing_alg;
        let mut claims = self.principal.claims.clone();
        if let Some(name) = PROTOCOL_CLAIMS.iter().find(|name| claims.contains_key(**name)) {
            return Err(format!("people: a principal must not carry the claim `{name}`"));
        }
        // What the operator says every principal of a kind has, is not left out of a token.
        config
            .principal_kinds
            .check(&self.principal.sub, &claims)
            .map_err(|error| format!("people: no token is made: {error}"))?;
        self.protocol_claims(&mut claims, &config.issuer, cx.now, config.access_token_ttl);
        // "JWT access tokens MUST include this media type in the `typ` header parameter" (RFC 9068 §2.1).
        cx.sign(alg, "at+jwt", &claims).await
    }

    /// The data structure of RFC 9068 §2.2.
    fn protocol_claims(&self, claims: &mut Map<String, Value>, iss: &str, now: u64, ttl: u64) {
        let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        set("iss", iss.into());
        set("sub", self.principal.sub.as_str().into());
        set(
            "aud",
            match self.audience {
                [resource] => resource.as_str().into(),
                resources => resources.into(),
            },
        );
        set("iat", now.into());
        set("exp", now.saturating_add(ttl).into());
        set("jti", self.jti.into());
        set("client_id", self.client_id.into());
        if !self.scope.is_empty() {
            set("scope", self.scope.to_string().into());
        }
        if let Some(cnf) = self.cnf {
            claims.insert("cnf".to_owned(), cnf.to_value());
        }
        // Authentication information, §2.2.1.
        if let Some(authentication) = self.authentication {
            authentication.add_to(claims);
        }
    }
}
