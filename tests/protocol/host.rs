//! A host in memory, and a browser and a client of few words.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::{LazyLock, OnceLock};
use std::task::{Context, Poll, Waker};

use attesto::client::{Client, ClientAuthMethod};
use attesto::config::Config;
use attesto::event::{Event, EventName};
use attesto::host::*;
use attesto::http::{Body, Request, Response};
use attesto::jose::{Algorithm, Signer, SigningKey};
use attesto::keys::{ServerKey, ServerKeys};
use attesto::scope::Scope;
use attesto::secret::{Digest, Secret};
use attesto::server::Server;
use http::{HeaderMap, HeaderValue, Method, header};
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::{Map, Value, json};
use store_key_value::key_value::{KeyValue, Unavailable};
use store_key_value::refresh_store;

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const REDIRECT_URI: &str = "https://client.example/cb";
/// RFC 7636 Appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const ALICE: &str = "usr_alice";

pub(crate) static KEYS: LazyLock<[SigningKey; 2]> = LazyLock::new(|| {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    [Algorithm::Es256, Algorithm::Rs256].map(|alg| SigningKey::generate(alg, &mut rng).unwrap())
});

pub(crate) fn server_with(change: impl Fn(&str) -> String) -> Server {
    server_signing(change, |_| true)
}

/// A server whose keys for the other algorithms are retired.
pub(crate) fn server_signing(change: impl Fn(&str) -> String, signs: impl Fn(Algorithm) -> bool) -> Server {
    let text = change(
        r#"
        issuer = "https://auth.example"
        audience = "https://api.example"
        scopes_supported = ["openid", "email", "offline_access", "read", "write", "orders:read", "orders:write"]
        scope_separator = ":"
        resource_metadata = "https://api.example/.well-known/oauth-protected-resource"
        "#,
    );
    let jwks = KEYS.each_ref().map(|key| (key.public_jwk(None).to_value().to_string(), key.algorithm()));
    let keys = jwks.iter().map(|(public_jwk, alg)| ServerKey {
        public_jwk,
        alg: alg.name(),
        is_active: signs(*alg),
    });
    let keys = ServerKeys::new(keys).unwrap();
    Server::new(Config::from_toml(&text).unwrap(), keys).unwrap()
}

/// [`server`] after its ES256 key was retired.
pub(crate) fn server_without_es256() -> Server {
    let rs256 = |text: &str| format!("{text}\naccess_token_signing_alg = \"RS256\"");
    server_signing(rs256, |alg| alg != Algorithm::Es256)
}

pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| server_with(str::to_owned))
}

/// What the person does when shown something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Person {
    NotSignedIn,
    AgreesAlready,
    MustBeAsked,
    Refuses,
}

/// What is answered at a URL, and how often it was asked for.
pub(crate) type Published = (Result<Document, FetchError>, usize);

/// The host. Faults are planted by the name of the function that is to fail.
pub(crate) struct TestHost {
    pub(crate) person: Cell<Person>,
    pub(crate) owner: RefCell<ResourceOwner>,
    pub(crate) clients: RefCell<HashMap<String, (Client, Option<String>)>>,
    pub(crate) disabled: RefCell<HashSet<String>>,
    pub(crate) principal_claims: RefCell<Map<String, Value>>,
    pub(crate) userinfo: RefCell<Map<String, Value>>,
    pub(crate) granted: RefCell<Option<Option<Scope>>>,
    pub(crate) reply: RefCell<Option<Reply>>,
    pub(crate) fault: Cell<&'static str>,
    pub(crate) signatures: Cell<usize>,
    pub(crate) replay_during_redemption: Cell<bool>,
    pub(crate) codes: RefCell<HashMap<[u8; 32], CodeState>>,
    pub(crate) revoked: RefCell<HashMap<String, u64>>,
    pub(crate) refresh_tokens: Memory,
    pub(crate) issues_refresh_tokens: Cell<Option<bool>>,
    pub(crate) client_claims: RefCell<Map<String, Value>>,
    pub(crate) grants: RefCell<HashMap<[u8; 32], (Digest, u64, bool)>>,
    pub(crate) ignores_prompt: Cell<bool>,
    pub(crate) settled: RefCell<Vec<bool>>,
    pub(crate) shown_grant: RefCell<Option<String>>,
    pub(crate) asked: RefCell<Vec<Authorization>>,
    pub(crate) events: RefCell<Vec<Event>>,
    pub(crate) faults: RefCell<Vec<String>>,
    pub(crate) claimed: RefCell<HashMap<[u8; 32], u64>>,
    pub(crate) nonces: RefCell<HashMap<[u8; 32], u64>>,
    pub(crate) pushed: RefCell<HashMap<[u8; 32], StoredPushedRequest>>,
    pub(crate) documents: RefCell<HashMap<String, Published>>,
    pub(crate) cached: RefCell<HashMap<String, CachedDocument>>,
    pub(crate) allowed_resources: RefCell<Option<Vec<String>>>,
    pub(crate) hides_tokens: Cell<bool>,
    pub(crate) demands: RefCell<Vec<AuthenticationDemand>>,
    /// Somebody else takes every pushed request just before this host's caller does.
    pub(crate) takes_meanwhile: Cell<bool>,
    pub(crate) mac_secret: Cell<&'static str>,
    seed: Cell<u64>,
}

/// A code, whether it was redeemed, whether it was replayed, and what it was redeemed for.
type CodeState = (StoredCode, bool, bool, Option<IssuedTokens>);

impl TestHost {
    pub(crate) fn new() -> Self {
        let client = |id: &str, method| Client {
            client_id: id.to_owned(),
            client_name: format!("{id}'s app"),
            token_endpoint_auth_method: method,
            redirect_uris: vec![REDIRECT_URI.to_owned()],
            grant_types: vec!["authorization_code".to_owned(), "refresh_token".to_owned()],
            ..Client::default()
        };
        let clients = [
            (client("public", ClientAuthMethod::None), None),
            (client("other", ClientAuthMethod::None), None),
            (client("confidential", ClientAuthMethod::ClientSecretBasic), Some("s3cret".to_owned())),
            (
                Client {
                    grant_types: vec!["client_credentials".to_owned()],
                    scope: Some(Scope::parse("openid read orders:*").unwrap()),
                    ..client("machine", ClientAuthMethod::ClientSecretPost)
                },
                Some("m4chine".to_owned()),
            ),
            (
                Client {
                    grant_types: vec!["client_credentials".to_owned()],
                    ..client("public-machine", ClientAuthMethod::None)
                },
                None,
            ),
            (Client { grant_types: vec![], ..client("grantless", ClientAuthMethod::None) }, None),
            (
                Client {
                    redirect_uris: vec![REDIRECT_URI.to_owned(), "https://client.example/2".to_owned()],
                    ..client("two-uris", ClientAuthMethod::None)
                },
                None,
            ),
        ];
        Self {
            person: Cell::new(Person::AgreesAlready),
            owner: RefCell::new(ResourceOwner {
                sub: ALICE.to_owned(),
                auth_time: NOW - 100,
                acr: None,
                amr: vec!["pwd".to_owned()],
                sid: Some("session-1".to_owned()),
            }),
            clients: RefCell::new(
                clients.into_iter().map(|entry| (entry.0.client_id.clone(), entry)).collect(),
            ),
            disabled: RefCell::default(),
            principal_claims: RefCell::default(),
            userinfo: RefCell::new(object(json!({ "email": "alice@example.com" }))),
            granted: RefCell::new(None),
            reply: RefCell::new(None),
            fault: Cell::new(""),
            signatures: Cell::new(0),
            replay_during_redemption: Cell::new(false),
            codes: RefCell::default(),
            revoked: RefCell::default(),
            refresh_tokens: Memory::default(),
            issues_refresh_tokens: Cell::new(None),
            client_claims: RefCell::default(),
            grants: RefCell::default(),
            ignores_prompt: Cell::new(false),
            settled: RefCell::default(),
            shown_grant: RefCell::new(None),
            asked: RefCell::default(),
            events: RefCell::default(),
            faults: RefCell::default(),
            claimed: RefCell::default(),
            nonces: RefCell::default(),
            pushed: RefCell::default(),
            documents: RefCell::default(),
            cached: RefCell::default(),
            allowed_resources: RefCell::new(None),
            hides_tokens: Cell::new(false),
            demands: RefCell::default(),
            takes_meanwhile: Cell::new(false),
            mac_secret: Cell::new("test secret"),
            seed: Cell::new(0),
        }
    }

    fn may_fail(&self, name: &'static str) -> Result<(), HostError> {
        if self.fault.get() == name { Err(HostError(format!("{name} is down"))) } else { Ok(()) }
    }

    /// Sends one request at [`NOW`].
    pub(crate) fn send(&self, request: Request) -> Response {
        self.send_to(server(), request, NOW)
    }

    pub(crate) fn send_to(&self, server: &Server, request: Request, now: u64) -> Response {
        self.seed.set(self.seed.get() + 1);
        let mut rng = ChaCha20Rng::seed_from_u64(self.seed.get());
        ready(server.respond(self, &request, now, &mut rng))
    }

    pub(crate) fn event_names(&self) -> Vec<EventName> {
        self.events.borrow().iter().map(|event| event.name).collect()
    }

    /// Walks to a code of the public client for this scope.
    pub(crate) fn code(&self, scope: &str) -> String {
        let response = self.send(authorize(&[("scope", scope)]));
        query(&response).remove("code").expect("a code")
    }

    /// Redeems a code as the public client.
    pub(crate) fn redeem(&self, code: &str) -> Response {
        self.send(token(&[("code", code)]))
    }
}

/// Runs a future that never waits.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the host in memory never waits"),
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("not an object: {other}"),
    }
}

/// As the host of a server with a certificate sees a request.
fn over_tls(mut headers: HeaderMap) -> HeaderMap {
    headers.insert("spin-full-url", HeaderValue::from_static("https://auth.example/"));
    headers.insert("spin-client-addr", HeaderValue::from_static("192.0.2.1:4711"));
    headers
}

pub(crate) fn get(path: &str, query: Option<&str>) -> Request {
    Request {
        method: Method::GET,
        path: path.to_owned(),
        query: query.map(str::to_owned),
        headers: over_tls(HeaderMap::new()),
        body: Body::Complete(Vec::new()),
    }
}

pub(crate) fn post(path: &str, form: &str) -> Request {
    let mut headers = over_tls(HeaderMap::new());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    Request {
        method: Method::POST,
        headers,
        body: Body::Complete(form.as_bytes().to_vec()),
        ..get(path, None)
    }
}

/// The public client's authorization request, with parameters changed, added, or (by an empty value) left out.
pub(crate) fn authorize_query(changes: &[(&str, &str)]) -> String {
    with_changes(
        &[
            ("response_type", "code"),
            ("client_id", "public"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "openid"),
            ("state", "st&te=1"),
            ("nonce", "n-0S6_WzA2Mj"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ],
        changes,
    )
}

pub(crate) fn authorize(changes: &[(&str, &str)]) -> Request {
    get("/oauth/authorize", Some(&authorize_query(changes)))
}

/// The public client's token request, changed likewise.
pub(crate) fn token(changes: &[(&str, &str)]) -> Request {
    post(
        "/oauth/token",
        &with_changes(
            &[
                ("grant_type", "authorization_code"),
                ("client_id", "public"),
                ("redirect_uri", REDIRECT_URI),
                ("code_verifier", VERIFIER),
            ],
            changes,
        ),
    )
}

fn with_changes(base: &[(&str, &str)], changes: &[(&str, &str)]) -> String {
    let kept = base.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    attesto::params::encode(kept.chain(changes).copied().filter(|(_, value)| !value.is_empty()))
}

pub(crate) fn with_header(mut request: Request, name: header::HeaderName, value: &str) -> Request {
    request.headers.append(name, HeaderValue::from_str(value).unwrap());
    request
}

pub(crate) fn location(response: &Response) -> Option<&str> {
    response.headers.get(header::LOCATION).map(|value| value.to_str().unwrap())
}

/// The parameters of a redirect to [`REDIRECT_URI`].
pub(crate) fn query(response: &Response) -> HashMap<String, String> {
    let location = location(response).unwrap_or_else(|| panic!("no redirect: {response:?}"));
    assert_eq!(response.status, 303);
    let query = location.strip_prefix("https://client.example/cb?").unwrap_or_else(|| panic!("{location}"));
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

pub(crate) fn json(response: &Response) -> Value {
    assert_eq!(response.headers[header::CONTENT_TYPE], "application/json");
    serde_json::from_slice(&response.body).unwrap()
}

/// The claims of a token, its signature not looked at.
pub(crate) fn payload(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&attesto::jose::base64url::decode(payload).unwrap()).unwrap()
}

impl Signer for TestHost {
    type Error = HostError;

    async fn sign(&self, kid: &str, input: &[u8]) -> Result<Vec<u8>, HostError> {
        self.may_fail("sign")?;
        self.signatures.set(self.signatures.get() + 1);
        let key = KEYS.iter().find(|key| key.public_jwk(None).kid() == Some(kid)).unwrap();
        key.sign(&mut ChaCha20Rng::seed_from_u64(0), input).ok_or_else(|| HostError("sign".to_owned()))
    }
}

impl ClientStore for TestHost {
    async fn load_client(&self, client_id: &str) -> Result<Option<Client>, HostError> {
        self.may_fail("load_client")?;
        Ok(self.clients.borrow().get(client_id).map(|(client, _)| client.clone()))
    }

    async fn authenticate_client(
        &self,
        client_id: &str,
        presented: &Secret<String>,
    ) -> Result<Option<Client>, HostError> {
        self.may_fail("load_client")?;
        let clients = self.clients.borrow();
        let known = clients.get(client_id).filter(|(_, secret)| secret.as_ref() == Some(presented.expose()));
        Ok(known.map(|(client, _)| client.clone()))
    }
}

/// A key-value store in memory, for the stores' own code.
#[derive(Default)]
pub(crate) struct Memory(RefCell<HashMap<String, Vec<u8>>>);

impl KeyValue for Memory {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(self.0.borrow().get(key).cloned())
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
        self.0.borrow_mut().insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    fn increment(&self, key: &str) -> Result<i64, Unavailable> {
        let before = self.get(key)?.map_or(0, |value| i64::from_le_bytes(value.try_into().unwrap()));
        self.set(key, &(before + 1).to_le_bytes())?;
        Ok(before + 1)
    }
}

fn kept(token: &StoredRefreshToken) -> refresh_store::RefreshToken {
    refresh_store::RefreshToken {
        family: token.family.clone(),
        client_id: token.client_id.clone(),
        subject: token.subject.clone(),
        expires_at: token.expires_at,
        grant: token.grant.clone(),
    }
}

impl RefreshStore for TestHost {
    async fn put_refresh_token(&self, token: StoredRefreshToken) -> Result<(), HostError> {
        self.may_fail("put_refresh_token")?;
        refresh_store::put(&self.refresh_tokens, token.digest.as_bytes(), &kept(&token)).unwrap();
        Ok(())
    }

    async fn peek_refresh_token(
        &self,
        digest: &Digest,
        now: u64,
    ) -> Result<Option<FoundRefreshToken>, HostError> {
        self.may_fail("peek_refresh_token")?;
        let found = refresh_store::peek(&self.refresh_tokens, digest.as_bytes(), now).unwrap();
        Ok(found.map(|refresh_store::Found { token, rotated }| FoundRefreshToken {
            token: StoredRefreshToken {
                digest: *digest,
                family: token.family,
                client_id: token.client_id,
                subject: token.subject,
                expires_at: token.expires_at,
                grant: token.grant,
            },
            rotated,
        }))
    }

    async fn rotate_refresh_token(
        &self,
        digest: &Digest,
        successor: StoredRefreshToken,
        grace: u64,
        now: u64,
    ) -> Result<Rotation, HostError> {
        self.may_fail("rotate_refresh_token")?;
        let (old, new) = (digest.as_bytes(), successor.digest.as_bytes());
        let rotation = refresh_store::rotate(&self.refresh_tokens, old, new, &kept(&successor), grace, now);
        Ok(match rotation.unwrap() {
            refresh_store::Rotation::Rotated => Rotation::Rotated,
            refresh_store::Rotation::Retried => Rotation::Retried,
            refresh_store::Rotation::Reused(_) => Rotation::Reused,
            refresh_store::Rotation::Revoked => Rotation::Revoked,
            refresh_store::Rotation::Unknown => Rotation::Unknown,
        })
    }

    async fn extend_refresh_token(&self, digest: &Digest, expires_at: u64) -> Result<(), HostError> {
        self.may_fail("extend_refresh_token")?;
        refresh_store::extend(&self.refresh_tokens, digest.as_bytes(), expires_at).unwrap();
        Ok(())
    }

    async fn revoke_family(&self, family: &str, expires_at: u64) -> Result<(), HostError> {
        self.may_fail("revoke_family")?;
        refresh_store::revoke_family(&self.refresh_tokens, family, expires_at).unwrap();
        Ok(())
    }
}

impl PrincipalStore for TestHost {
    async fn load_principal(&self, sub: &str) -> Result<Option<Principal>, HostError> {
        self.may_fail("load_principal")?;
        let claims = self.principal_claims.borrow().clone();
        Ok((!self.disabled.borrow().contains(sub)).then(|| Principal { sub: sub.to_owned(), claims }))
    }

    async fn client_claims(&self, _: &str, _: &Scope) -> Result<Map<String, Value>, HostError> {
        self.may_fail("client_claims")?;
        Ok(self.client_claims.borrow().clone())
    }
}

impl ClaimsProvider for TestHost {
    async fn userinfo_claims(&self, _: &str, scope: &Scope) -> Result<Map<String, Value>, HostError> {
        self.may_fail("userinfo_claims")?;
        Ok(if scope.contains("email") { self.userinfo.borrow().clone() } else { Map::new() })
    }

    async fn id_token_claims(&self, _: &str, _: &str, _: &Scope) -> Result<Map<String, Value>, HostError> {
        Ok(Map::new())
    }
}

impl Interaction for TestHost {
    async fn establish(
        &self,
        _: &Request,
        _: u64,
        authorization: &Authorization,
        demand: AuthenticationDemand,
    ) -> Result<Establishment, HostError> {
        self.may_fail("establish")?;
        self.asked.borrow_mut().push(authorization.clone());
        self.demands.borrow_mut().push(demand);
        Ok(match self.person.get() {
            Person::NotSignedIn if demand.interactive => {
                Establishment::Respond(Response::empty(http::StatusCode::OK))
            }
            Person::NotSignedIn => Establishment::None,
            _ if demand.force_reauthentication && !self.ignores_prompt.get() => {
                Establishment::Respond(Response::empty(http::StatusCode::OK))
            }
            _ => Establishment::Authenticated(self.owner.borrow().clone()),
        })
    }

    async fn consent(
        &self,
        _: &Request,
        _: u64,
        _: &Authorization,
        demand: ConsentDemand,
        _: &str,
        grant: &Secret<String>,
    ) -> Result<ConsentDecision, HostError> {
        self.may_fail("consent")?;
        let ask = || {
            self.shown_grant.replace(Some(grant.expose().clone()));
            ConsentDecision::Respond(Response::empty(http::StatusCode::OK))
        };
        Ok(match self.person.get() {
            Person::Refuses => ConsentDecision::Denied,
            Person::AgreesAlready if !demand.force_consent => ConsentDecision::Consented,
            _ if demand.interactive => ask(),
            _ => ConsentDecision::None,
        })
    }

    async fn settle_consent(
        &self,
        _: &Authorization,
        _: &str,
        allowed: bool,
        _: u64,
    ) -> Result<(), HostError> {
        self.may_fail("settle_consent")?;
        self.settled.borrow_mut().push(allowed);
        Ok(())
    }

    async fn handle(&self, _: &Request, _: u64) -> Result<Reply, HostError> {
        self.may_fail("handle")?;
        Ok(self.reply.take().expect("a planted reply"))
    }
}

impl ScopePolicy for TestHost {
    async fn authorize_scope(&self, request: ScopeRequest<'_>) -> Result<Option<Scope>, HostError> {
        self.may_fail("authorize_scope")?;
        Ok(self.granted.borrow().clone().unwrap_or_else(|| Some(request.requested.clone())))
    }

    async fn allowed_resources(&self, _: &str) -> Result<Option<Vec<String>>, HostError> {
        self.may_fail("allowed_resources")?;
        Ok(self.allowed_resources.borrow().clone())
    }

    async fn issue_refresh_token(&self, _: &str, _: &str, scope: &Scope) -> Result<bool, HostError> {
        self.may_fail("issue_refresh_token")?;
        Ok(self.issues_refresh_tokens.get().unwrap_or_else(|| scope.contains("offline_access")))
    }
}

impl EventSink for TestHost {
    async fn emit(&self, event: Event) {
        self.events.borrow_mut().push(event);
    }

    fn log_fault(&self, fault: &str) {
        self.faults.borrow_mut().push(fault.to_owned());
    }
}

impl CodeStore for TestHost {
    async fn put_code(&self, code: StoredCode) -> Result<(), HostError> {
        self.may_fail("put_code")?;
        self.codes.borrow_mut().insert(*code.digest.as_bytes(), (code, false, false, None));
        Ok(())
    }

    async fn peek_code(&self, digest: &Digest, now: u64) -> Result<Option<FoundCode>, HostError> {
        self.may_fail("peek_code")?;
        let codes = self.codes.borrow();
        let Some((code, redeemed, _, issued)) = codes.get(digest.as_bytes()) else { return Ok(None) };
        let live = now < code.expires_at
            || *redeemed && issued.as_ref().is_none_or(|issued| now < issued.expires_at);
        Ok(live.then(|| FoundCode { code: code.clone(), redeemed: *redeemed }))
    }

    async fn redeem_code(&self, digest: &Digest, now: u64) -> Result<Redemption, HostError> {
        self.may_fail("redeem_code")?;
        let mut codes = self.codes.borrow_mut();
        Ok(match codes.get_mut(digest.as_bytes()) {
            Some((_, true, replayed, issued)) => {
                *replayed = true;
                Redemption::Replayed(issued.clone())
            }
            Some((code, redeemed, ..)) if now < code.expires_at => {
                *redeemed = true;
                Redemption::Redeemed
            }
            _ => Redemption::Unknown,
        })
    }

    async fn finalize_code(&self, digest: &Digest, token: &IssuedTokens) -> Result<Finalization, HostError> {
        let mut codes = self.codes.borrow_mut();
        let (_, _, replayed, issued) = codes.get_mut(digest.as_bytes()).unwrap();
        *issued = Some(token.clone());
        let replayed = *replayed || self.replay_during_redemption.get();
        Ok(if replayed { Finalization::Replayed } else { Finalization::Finalized })
    }
}

impl RevokedTokenStore for TestHost {
    async fn revoke_token(&self, jti: &str, expires_at: u64, _: u64) -> Result<(), HostError> {
        self.may_fail("revoke_token")?;
        self.revoked.borrow_mut().insert(jti.to_owned(), expires_at);
        Ok(())
    }

    async fn is_revoked(&self, jti: &str, _: u64) -> Result<bool, HostError> {
        self.may_fail("is_revoked")?;
        Ok(self.revoked.borrow().contains_key(jti))
    }

    async fn revoked_since(&self, _: u64, now: u64) -> Result<RevokedTokens, HostError> {
        self.may_fail("revoked_since")?;
        let revoked = self.revoked.borrow();
        let mut tokens: Vec<_> =
            revoked.iter().filter(|(_, exp)| now < **exp).map(|(jti, exp)| (jti.clone(), *exp)).collect();
        tokens.sort();
        Ok(RevokedTokens { tokens, next: now })
    }
}

impl ReplayStore for TestHost {
    async fn claim(&self, key: &Digest, expires_at: u64, _: u64) -> Result<Claim, HostError> {
        self.may_fail("claim")?;
        let before = self.claimed.borrow_mut().insert(*key.as_bytes(), expires_at);
        Ok(if before.is_none() { Claim::Fresh } else { Claim::Replayed })
    }
}

impl NonceStore for TestHost {
    async fn issue_nonce(&self, nonce: &Digest, expires_at: u64) -> Result<(), HostError> {
        self.may_fail("issue_nonce")?;
        self.nonces.borrow_mut().insert(*nonce.as_bytes(), expires_at);
        Ok(())
    }

    async fn is_nonce_live(&self, nonce: &Digest, now: u64) -> Result<bool, HostError> {
        self.may_fail("is_nonce_live")?;
        Ok(self.nonces.borrow().get(nonce.as_bytes()).is_some_and(|expires_at| now < *expires_at))
    }

    async fn accept_nonce(&self, nonce: &Digest, now: u64) -> Result<bool, HostError> {
        self.may_fail("accept_nonce")?;
        let nonce = self.nonces.borrow_mut().remove(nonce.as_bytes());
        Ok(nonce.is_some_and(|expires_at| now < expires_at))
    }
}

impl Mac for TestHost {
    async fn mac(&self, purpose: &str, input: &[u8]) -> Result<[u8; 32], HostError> {
        self.may_fail("mac")?;
        Ok(*Digest::of_parts([self.mac_secret.get().as_bytes(), purpose.as_bytes(), input]).as_bytes())
    }

    async fn verify_mac(&self, purpose: &str, input: &[u8], tag: &[u8]) -> Result<bool, HostError> {
        Ok(self.mac(purpose, input).await? == tag)
    }
}

impl PushedRequestStore for TestHost {
    async fn put_pushed_request(&self, request: StoredPushedRequest) -> Result<(), HostError> {
        self.may_fail("put_pushed_request")?;
        self.pushed.borrow_mut().insert(*request.digest.as_bytes(), request);
        Ok(())
    }

    async fn fetch_pushed_request(
        &self,
        digest: &Digest,
        now: u64,
    ) -> Result<Option<StoredPushedRequest>, HostError> {
        self.may_fail("fetch_pushed_request")?;
        Ok(self.pushed.borrow().get(digest.as_bytes()).filter(|request| now < request.expires_at).cloned())
    }

    async fn take_pushed_request(&self, digest: &Digest, now: u64) -> Result<bool, HostError> {
        self.may_fail("take_pushed_request")?;
        let taken = self.pushed.borrow_mut().remove(digest.as_bytes());
        Ok(taken.is_some_and(|request| now < request.expires_at && !self.takes_meanwhile.get()))
    }
}

impl Outbound for TestHost {
    async fn fetch_document(&self, url: &str, _: FetchLimits) -> Result<Document, FetchError> {
        match self.documents.borrow_mut().get_mut(url) {
            Some((answer, asked)) => {
                *asked += 1;
                answer.clone()
            }
            None => Err(FetchError::Failed("404".to_owned())),
        }
    }
}

impl DocumentCache for TestHost {
    async fn cached_document(&self, url: &str, now: u64) -> Result<Option<CachedDocument>, HostError> {
        self.may_fail("cached_document")?;
        Ok(self.cached.borrow().get(url).filter(|document| now < document.expires_at).cloned())
    }

    async fn cache_document(&self, url: &str, document: &CachedDocument) -> Result<(), HostError> {
        self.may_fail("cache_document")?;
        self.cached.borrow_mut().insert(url.to_owned(), document.clone());
        Ok(())
    }
}

impl IntrospectionPolicy for TestHost {
    async fn authorize_introspection(&self, _: &str, _: &Map<String, Value>) -> Result<bool, HostError> {
        self.may_fail("authorize_introspection")?;
        Ok(!self.hides_tokens.get())
    }
}

impl ConsentGrantStore for TestHost {
    async fn mint_consent_grant(
        &self,
        token: &Digest,
        binding: &Digest,
        expires_at: u64,
    ) -> Result<(), HostError> {
        self.may_fail("mint_consent_grant")?;
        self.grants.borrow_mut().insert(*token.as_bytes(), (*binding, expires_at, false));
        Ok(())
    }

    async fn consume_consent_grant(
        &self,
        token: &Digest,
        binding: &Digest,
        now: u64,
    ) -> Result<Consumption, HostError> {
        let mut grants = self.grants.borrow_mut();
        Ok(match grants.get_mut(token.as_bytes()) {
            None => Consumption::Unknown,
            Some((bound, ..)) if bound != binding => Consumption::BindingMismatch,
            Some((_, expires_at, _)) if now >= *expires_at => Consumption::Expired,
            Some((_, _, true)) => Consumption::AlreadyConsumed,
            Some((_, _, consumed)) => {
                *consumed = true;
                Consumption::Consumed
            }
        })
    }
}
