//! The authorization server: its settings, its keys, and the way from a request to an endpoint.

use std::time::Duration;

use ::http::{HeaderName, Method, StatusCode, header};
use rand_core::CryptoRng;
use serde_json::{Map, Value};

use crate::client_keys::ParsedSets;
use crate::client_request::error_response;
use crate::config::Config;
use crate::dpop::{self, KnownNonces, ProofPolicy};
use crate::endpoints::Endpoints;
use crate::event::Event;
use crate::host::Host;
use crate::http::{Request, Response};
use crate::jose::{Algorithm, sign_jwt};
use crate::keys::{KeysError, ServerKeys};
use crate::request_facts::RequestFacts;
use crate::scope::{MalformedScope, Scope};
use crate::{
    authorization, introspection, metadata, par, revocation, revoked_tokens, token, userinfo, verifier,
};

/// Everything that stays the same from request to request.
#[derive(Debug)]
pub struct Server {
    /// The operator's settings.
    pub config: Config,
    /// The signing keys.
    pub keys: ServerKeys,
    /// Where the endpoints are.
    pub endpoints: Endpoints,
    /// Which access tokens are for the server itself: what UserInfo accepts.
    pub own_policy: verifier::Policy,
    /// Which access tokens are of this server, whatever resource they are for: what introspection and revocation know.
    pub issued_policy: verifier::Policy,
    /// The scope UserInfo takes.
    pub userinfo_scope: Scope,
    /// The keys of clients, parsed.
    pub client_keys: ParsedSets,
    authorization_server_metadata: Vec<u8>,
    protected_resource_metadata: Vec<u8>,
    jwks: Vec<u8>,
    pub(crate) known_nonces: KnownNonces,
}

/// Why settings and keys do not make a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// The keys do not serve.
    #[error("keystore: {0}")]
    Keys(#[from] KeysError),
    /// The settings do not make a verifier.
    #[error("attesto.toml: {0}")]
    Verifier(#[from] verifier::PolicyError),
    /// A constant is not what it should be.
    #[error("engine: {0}")]
    Scope(#[from] MalformedScope),
}

/// One request's surroundings.
#[derive(Debug)]
pub struct Context<'a, H, R> {
    /// The server.
    pub server: &'a Server,
    /// The host.
    pub host: &'a H,
    /// The time, in seconds since the Unix epoch.
    pub now: u64,
    /// The source of every code, token and identifier.
    pub rng: &'a mut R,
    /// Where the request comes from.
    pub facts: RequestFacts,
    /// What the operator will be told.
    pub events: Vec<Event>,
    /// The nonce the client is to use in its next DPoP proofs (RFC 9449 §8.2), where there is one to offer.
    pub dpop_nonce: Option<String>,
}

impl<H: Host, R> Context<'_, H, R> {
    /// Signs claims as a JWT of this type, with the server's key for the algorithm. The error is for the log.
    pub async fn sign(
        &self,
        alg: Algorithm,
        typ: &str,
        claims: &Map<String, Value>,
    ) -> Result<String, String> {
        let kid = self.server.keys.kid(alg).ok_or_else(|| format!("keystore: no key for {alg}"))?;
        sign_jwt(self.host, kid, alg, typ, claims).await.map_err(|error| format!("keystore: {error:?}"))
    }
}

impl Server {
    /// A server with these settings and keys.
    ///
    /// "The algorithm RS256 MUST be included" among those of ID tokens (OIDC Discovery §3), so a key for it is required.
    pub fn new(config: Config, keys: ServerKeys) -> Result<Self, ServerError> {
        for (alg, reason) in [
            (Algorithm::Rs256, "every OpenID provider needs (OIDC Discovery §3)"),
            (config.access_token_signing_alg, "`access_token_signing_alg` asks for"),
            (config.response_signing_alg, "`response_signing_alg` asks for"),
        ] {
            if keys.kid(alg).is_none() {
                return Err(KeysError::Missing(alg, reason).into());
            }
        }
        let endpoints = Endpoints::new(&config);
        let mut own_policy = verifier::Policy::new(&config.issuer, vec![config.audience.clone()])?
            .with_algorithms(keys.published_algorithms())?;
        let issued_policy =
            verifier::Policy::of_issuer(&config.issuer)?.with_algorithms(keys.published_algorithms())?;
        // A scheme alone is no challenge: one parameter at least follows it (RFC 6750 §3).
        own_policy = match &config.resource_metadata {
            Some(url) => own_policy.with_resource_metadata(url)?,
            None => own_policy.with_realm(&config.basic_realm)?,
        };
        if config.dpop.enabled {
            own_policy = own_policy.with_dpop(ProofPolicy {
                algorithms: config.dpop.algorithms.clone(),
                max_age: Duration::from_secs(config.dpop.proof_ttl),
                clock_skew: Duration::from_secs(config.clock_skew),
            });
        }
        Ok(Self {
            own_policy,
            issued_policy,
            userinfo_scope: Scope::parse("openid")?,
            client_keys: ParsedSets::default(),
            authorization_server_metadata: metadata::authorization_server(&config, &endpoints, &keys),
            protected_resource_metadata: metadata::protected_resource(&config),
            jwks: metadata::jwks(&keys),
            known_nonces: KnownNonces::default(),
            config,
            keys,
            endpoints,
        })
    }

    /// Answers one request. `now` is in seconds since the Unix epoch; `rng` is the source of every secret.
    pub async fn respond(
        &self,
        host: &impl Host,
        request: &Request,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Response {
        let facts = match RequestFacts::of(&request.headers, &self.config.trusted_proxies) {
            Ok(facts) => facts,
            Err(error) => {
                host.log_fault(&format!("request refused: {error}"));
                return Response::error_page(
                    StatusCode::BAD_REQUEST,
                    "Bad request",
                    "The request is malformed.",
                );
            }
        };
        let mut cx = Context { server: self, host, now, rng, facts, events: Vec::new(), dpop_nonce: None };
        let mut response = self.route(&mut cx, request).await;
        if let Some(nonce) = &cx.dpop_nonce {
            response = response.header(HeaderName::from_static(dpop::NONCE_HEADER), nonce);
        }
        let client_ip = cx.facts.client_ip().map(|ip| Value::from(ip.to_string()));
        for mut event in cx.events {
            if let Some(client_ip) = &client_ip {
                event.metadata.insert("client_ip".to_owned(), client_ip.clone());
            }
            host.emit(event).await;
        }
        response
    }

    /// "the authorization server MUST require the use of TLS" (RFC 6749 §3.1, §3.2), and a request that came without it
    /// has told its secrets already. On a loopback issuer there is nobody in between.
    fn is_insecure(&self, facts: &RequestFacts) -> bool {
        self.config.require_https && self.config.issuer.starts_with("https:") && !facts.is_https()
    }

    /// What is at this path. A feature that is off has none.
    fn endpoint(&self, path: &str) -> Option<Endpoint> {
        let at = &self.endpoints;
        let is = |endpoint: &Option<String>| endpoint.as_deref() == Some(path);
        Some(if path == at.token {
            Endpoint::Token
        } else if is(&at.authorization) {
            Endpoint::Authorization
        } else if is(&at.userinfo) {
            Endpoint::UserInfo
        } else if is(&at.revocation) {
            Endpoint::Revocation
        } else if is(&at.introspection) {
            Endpoint::Introspection
        } else if is(&at.revoked_tokens) {
            Endpoint::RevokedTokens
        } else if is(&at.pushed_authorization_request) {
            Endpoint::PushedAuthorizationRequest
        } else if path == at.jwks {
            Endpoint::Jwks
        } else if path == at.authorization_server_metadata || path == at.openid_configuration {
            Endpoint::Metadata
        } else if path == at.protected_resource_metadata {
            Endpoint::ResourceMetadata
        } else if at.is_account(path) {
            Endpoint::Account
        } else {
            return None;
        })
    }

    async fn route(&self, cx: &mut Context<'_, impl Host, impl CryptoRng>, request: &Request) -> Response {
        let Some(endpoint) = self.endpoint(&request.path) else {
            return Response::error_page(
                StatusCode::NOT_FOUND,
                "Not found",
                "There is nothing at this address.",
            );
        };
        if self.is_insecure(&cx.facts) {
            cx.host.log_fault(
                "request refused: it did not come over TLS; behind a TLS terminator, `trusted_proxies` must name it",
            );
            return insecure(endpoint);
        }
        if !endpoint.is_read_by_scripts() {
            return self.answer(cx, request, endpoint).await;
        }
        match self.config.cors.preflight(request, endpoint.methods()) {
            Some(response) => response,
            None => self.config.cors.apply(request, self.answer(cx, request, endpoint).await),
        }
    }

    async fn answer(
        &self,
        cx: &mut Context<'_, impl Host, impl CryptoRng>,
        request: &Request,
        endpoint: Endpoint,
    ) -> Response {
        if !endpoint.methods().is_empty() && !endpoint.methods().contains(&request.method) {
            return method_not_allowed(endpoint.methods());
        }
        match endpoint {
            Endpoint::Token => token::token(cx, request).await,
            Endpoint::Authorization => authorization::authorize(cx, request).await,
            Endpoint::UserInfo => userinfo::userinfo(cx, request).await,
            Endpoint::Revocation => revocation::revoke(cx, request).await,
            Endpoint::Introspection => introspection::introspect(cx, request).await,
            Endpoint::RevokedTokens => revoked_tokens::list(cx, request).await,
            Endpoint::PushedAuthorizationRequest => par::push(cx, request).await,
            Endpoint::Account => authorization::account(cx, request).await,
            Endpoint::Jwks => document(&self.jwks),
            Endpoint::Metadata => document(&self.authorization_server_metadata),
            Endpoint::ResourceMetadata => document(&self.protected_resource_metadata),
        }
    }
}

/// The answer to a request that must not have been sent.
fn insecure(endpoint: Endpoint) -> Response {
    match endpoint {
        Endpoint::Authorization | Endpoint::Account => Response::error_page(
            StatusCode::BAD_REQUEST,
            "This connection is not secure",
            "The request must be sent over https.",
        ),
        _ => error_response((
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "the request must be sent over https",
        )),
    }
}

fn document(body: &[u8]) -> Response {
    Response::public_document(body, metadata::MAX_AGE)
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Token,
    Authorization,
    UserInfo,
    Revocation,
    Introspection,
    RevokedTokens,
    PushedAuthorizationRequest,
    Account,
    Jwks,
    Metadata,
    ResourceMetadata,
}

impl Endpoint {
    /// The methods it answers; none where that is for the `people` part to say.
    fn methods(self) -> &'static [Method] {
        match self {
            Self::Token
            | Self::Revocation
            | Self::Introspection
            | Self::RevokedTokens
            | Self::PushedAuthorizationRequest => &[Method::POST],
            // OIDC Core §3.1.2.1 and §5.3.1 ask for both.
            Self::Authorization | Self::UserInfo => &[Method::GET, Method::POST],
            Self::Jwks | Self::Metadata | Self::ResourceMetadata => &[Method::GET, Method::HEAD],
            Self::Account => &[],
        }
    }

    /// Whether clients that run in a browser call it by script. "CORS MUST NOT be supported at the authorization endpoint"
    /// (RFC 9700 §2.6); introspection is for protected resources, which do not run there.
    fn is_read_by_scripts(self) -> bool {
        match self {
            Self::Token
            | Self::UserInfo
            | Self::Revocation
            | Self::PushedAuthorizationRequest
            | Self::Jwks
            | Self::Metadata
            | Self::ResourceMetadata => true,
            Self::Authorization | Self::Introspection | Self::RevokedTokens | Self::Account => false,
        }
    }
}

/// RFC 9110 §15.5.6: "The origin server MUST generate an `Allow` header field in a 405 response".
fn method_not_allowed(methods: &[Method]) -> Response {
    let allow = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let nosniff = HeaderName::from_static("x-content-type-options");
    Response::empty(StatusCode::METHOD_NOT_ALLOWED).header(header::ALLOW, &allow).header(nosniff, "nosniff")
}
