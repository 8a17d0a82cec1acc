//! The crates `openidconnect` and `oauth2`, with an HTTP client of ours: theirs are optional, and large.

use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, StandardRevocableToken, TokenUrl};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
    CoreGrantType, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreResponseMode, CoreResponseType, CoreRevocableToken, CoreSubjectIdentifierType, CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AdditionalProviderMetadata, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    HttpRequest, HttpResponse, IntrospectionUrl, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    ProviderMetadata, RedirectUrl, RevocationUrl, Scope, TokenIntrospectionResponse, TokenResponse,
};
use serde::{Deserialize, Serialize};
use test_support::attesto::REDIRECT_URI;
use ureq::Agent;

use crate::house::{API_SCOPE, House, SCOPE};

/// RFC 8414 §2, what OpenID Connect Discovery does not have.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct MoreEndpoints {
    introspection_endpoint: IntrospectionUrl,
    revocation_endpoint: RevocationUrl,
}

impl AdditionalProviderMetadata for MoreEndpoints {}

type Metadata = ProviderMetadata<
    MoreEndpoints,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What `openidconnect` completes.
pub(crate) fn openidconnect(house: &House) -> Vec<&'static str> {
    let mut completed = Vec::new();
    let http = http();
    let metadata = metadata(house, &http);
    let more = metadata.additional_metadata().clone();
    let client = CoreClient::from_provider_metadata(metadata, client_id(house), Some(client_secret(house)))
        .set_redirect_uri(redirect_uri())
        .set_introspection_url(more.introspection_endpoint)
        .set_revocation_url(secure(&more.revocation_endpoint));

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    // The library asks for `openid` by itself.
    let scopes =
        SCOPE.split(' ').filter(|scope| *scope != "openid").map(|scope| Scope::new(scope.to_owned()));
    let (url, state, nonce) = client
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(scopes)
        .set_pkce_challenge(challenge)
        .url();
    let answer = Answer::read(&house.authorize(url.as_str()));
    assert_eq!(&answer.state, state.secret());
    let tokens = client
        .exchange_code(AuthorizationCode::new(answer.code))
        .expect("the metadata names a token endpoint")
        .set_pkce_verifier(verifier)
        .request(&http)
        .expect("the code is good");
    let id_token = tokens.id_token().expect("`openid` was granted");
    let id_verifier = client.id_token_verifier();
    let claims = id_token.claims(&id_verifier, &nonce).expect("the ID token is good");
    let algorithm = id_token.signing_alg().expect("an algorithm the library knows");
    let key = id_token.signing_key(&id_verifier).expect("a key the library knows");
    let hash =
        AccessTokenHash::from_token(tokens.access_token(), algorithm, key).expect("a hash can be made");
    assert_eq!(claims.access_token_hash(), Some(&hash));
    completed.push("authorization_code");

    let about: CoreUserInfoClaims = client
        .user_info(tokens.access_token().clone(), Some(claims.subject().clone()))
        .expect("the metadata names a UserInfo endpoint")
        .request(&http)
        .expect("UserInfo is about the same person");
    assert_eq!(about.subject(), claims.subject());
    completed.push("userinfo");

    let first = tokens.refresh_token().expect("`offline_access` was granted");
    let refreshed = client.exchange_refresh_token(first).expect("the metadata names a token endpoint");
    let refreshed = refreshed.request(&http).expect("the refresh token is good");
    assert_ne!(refreshed.access_token().secret(), tokens.access_token().secret());
    let second = refreshed.refresh_token().expect("refresh tokens rotate");
    assert_ne!(second.secret(), first.secret());
    completed.push("refresh_token");

    let own = client.exchange_client_credentials().expect("the metadata names a token endpoint");
    let own = own.add_scope(Scope::new(API_SCOPE.to_owned())).request(&http).expect("the client may");
    completed.push("client_credentials");

    let known = client.introspect(own.access_token()).request(&http).expect("an answer");
    assert!(known.active() && known.client_id() == Some(&client_id(house)));
    completed.push("introspection");

    let revocation = client.revoke_token(CoreRevocableToken::RefreshToken(second.clone()));
    revocation.expect("the endpoint may be spoken to").request(&http).expect("revocation answers 200");
    let again = client.exchange_refresh_token(second).expect("the metadata names a token endpoint");
    assert!(again.request(&http).is_err(), "a revoked refresh token was honoured");
    completed.push("revocation");
    completed
}

/// What `oauth2` completes: it knows no UserInfo.
pub(crate) fn oauth2(house: &House) -> Vec<&'static str> {
    let mut completed = Vec::new();
    let http = http();
    // It knows no metadata either, so its endpoints are read with the other crate.
    let metadata = metadata(house, &http);
    let more = metadata.additional_metadata().clone();
    let token_url = metadata.token_endpoint().expect("a token endpoint").to_string();
    let client = BasicClient::new(client_id(house))
        .set_client_secret(client_secret(house))
        .set_auth_uri(AuthUrl::new(metadata.authorization_endpoint().to_string()).expect("a URL"))
        .set_token_uri(TokenUrl::new(token_url).expect("a URL"))
        .set_redirect_uri(redirect_uri())
        .set_introspection_url(more.introspection_endpoint)
        .set_revocation_url(secure(&more.revocation_endpoint));

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let scopes = SCOPE.split(' ').map(|scope| Scope::new(scope.to_owned()));
    let request =
        client.authorize_url(CsrfToken::new_random).add_scopes(scopes).set_pkce_challenge(challenge);
    let (url, state) = request.url();
    let answer = Answer::read(&house.authorize(url.as_str()));
    assert_eq!(&answer.state, state.secret());
    let code = client.exchange_code(AuthorizationCode::new(answer.code)).set_pkce_verifier(verifier);
    let tokens = code.request(&http).expect("the code is good");
    completed.push("authorization_code");

    let first = tokens.refresh_token().expect("`offline_access` was granted");
    let refreshed = client.exchange_refresh_token(first).request(&http).expect("the refresh token is good");
    assert_ne!(refreshed.access_token().secret(), tokens.access_token().secret());
    completed.push("refresh_token");

    let own = client.exchange_client_credentials().add_scope(Scope::new(API_SCOPE.to_owned()));
    let own = own.request(&http).expect("the client may");
    completed.push("client_credentials");

    let active = || client.introspect(own.access_token()).request(&http).expect("an answer").active();
    assert!(active());
    completed.push("introspection");

    let revocation = client.revoke_token(StandardRevocableToken::AccessToken(own.access_token().clone()));
    revocation.expect("the endpoint may be spoken to").request(&http).expect("revocation answers 200");
    assert!(!active());
    completed.push("revocation");
    completed
}

fn metadata(house: &House, http: &impl Fn(HttpRequest) -> Result<HttpResponse, ureq::Error>) -> Metadata {
    let issuer = IssuerUrl::new(house.issuer()).expect("a URL");
    Metadata::discover(&issuer, http).unwrap_or_else(|error| panic!("discovery: {error:?}"))
}

/// The libraries send tokens to be revoked to `https` only, without a way to except this machine (RFC 7009 §2 wants
/// TLS). So they get the endpoint as it is behind a TLS terminator, and [`http`] goes to it without one.
fn secure(endpoint: &RevocationUrl) -> RevocationUrl {
    RevocationUrl::new(endpoint.as_str().replacen("http:", "https:", 1)).expect("a URL")
}

/// No redirect is followed, and no status is an error: the libraries judge both.
fn http() -> impl Fn(HttpRequest) -> Result<HttpResponse, ureq::Error> {
    let config = Agent::config_builder().max_redirects(0).max_redirects_will_error(false);
    let agent: Agent = config.http_status_as_error(false).build().into();
    move |mut request| {
        let plain = request.uri().to_string().replacen("https:", "http:", 1);
        *request.uri_mut() = plain.parse().expect("a URL");
        let (parts, mut body) = agent.run(request)?.into_parts();
        Ok(HttpResponse::from_parts(parts, body.read_to_vec()?))
    }
}

fn client_id(house: &House) -> ClientId {
    ClientId::new(house.client_id())
}

fn client_secret(house: &House) -> ClientSecret {
    ClientSecret::new(house.client_secret())
}

fn redirect_uri() -> RedirectUrl {
    RedirectUrl::new(REDIRECT_URI.to_owned()).expect("a URL")
}

/// The authorization response, of which the libraries leave the reading to the application.
struct Answer {
    code: String,
    state: String,
}

impl Answer {
    fn read(callback: &str) -> Self {
        let callback = openidconnect::url::Url::parse(callback).expect("a URL");
        let parameter = |name: &str| {
            let value =
                callback.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned());
            value.unwrap_or_else(|| panic!("no {name} in {callback}"))
        };
        Self { code: parameter("code"), state: parameter("state") }
    }
}
