//! Credentials in the `Authorization` field.

use attesto::client::{Client, ClientAuthMethod};
use attesto::client_auth::authenticate;
use attesto::http::{Body, Request};
use attesto::jose::{JwkSet, NumericDate};
use attesto::params::Params;
use attesto::request_facts::RequestFacts;
use attesto::scope::Scope;
use attesto::server::Context;
use attesto::verifier::{self, Policy, Reason};
use base64ct::{Base64, Encoding};
use http::{HeaderMap, HeaderValue, Method, header};
use proptest::collection::vec;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

use crate::host::{NOW, TestHost, ready, server};

fn basic(value: &[u8], host: &TestHost) -> Option<Client> {
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_bytes(value).ok()?)]);
    let body = Body::Complete(Vec::new());
    let request =
        Request { method: Method::POST, path: "/oauth/token".to_owned(), query: None, headers, body };
    let mut rng = ChaCha20Rng::seed_from_u64(0);
    let facts = RequestFacts::of(&request.headers, &server().config.trusted_proxies).ok()?;
    let cx = Context {
        server: server(),
        host,
        now: NOW,
        rng: &mut rng,
        facts,
        events: Vec::new(),
        dpop_nonce: None,
    };
    ready(authenticate(&cx, &request, &Params::default())).ok().map(|authenticated| authenticated.client)
}

fn encoded(client_id: &str, secret: &str) -> Vec<u8> {
    let form = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", Base64::encode_string(format!("{}:{}", form(client_id), form(secret)).as_bytes()))
        .into_bytes()
}

fn bearer(values: &[&[u8]]) -> Reason {
    let policy = Policy::new("https://as.example", vec!["https://api.example".to_owned()]).unwrap();
    let request = verifier::Request { authorization: values, method: "GET", ..verifier::Request::default() };
    let now = NumericDate::from_secs(0);
    verifier::verify(&request, &Scope::default(), &policy, &JwkSet::default(), now)
        .expect_err("no key")
        .reason
}

proptest! {
    #[test]
    fn basic_credentials_survive_their_encoding(
        client_id in ".{1,20}", secret in ".{1,20}", other in ".{1,20}",
    ) {
        let host = TestHost::new();
        let client = Client {
            client_id: client_id.clone(),
            token_endpoint_auth_method: ClientAuthMethod::ClientSecretBasic,
            ..Client::default()
        };
        host.clients.borrow_mut().insert(client_id.clone(), (client, Some(secret.clone())));
        let found = basic(&encoded(&client_id, &secret), &host);
        prop_assert_eq!(found.map(|client| client.client_id), Some(client_id.clone()));
        prop_assert_eq!(basic(&encoded(&client_id, &other), &host).is_some(), other == secret);
    }

    #[test]
    fn any_octets_are_no_client(value in vec(any::<u8>(), 0..60), text in ".{0,40}") {
        let host = TestHost::new();
        let wrapped = format!("Basic {}", Base64::encode_string(text.as_bytes()));
        prop_assert!(basic(&value, &host).is_none() && basic(wrapped.as_bytes(), &host).is_none());
    }

    #[test]
    fn a_bearer_credential_is_one_token_of_its_grammar(token in "[A-Za-z0-9._~+/-]{1,60}={0,2}", spaces in 1..4usize) {
        let value = format!("bEARER{}{token}", " ".repeat(spaces));
        prop_assert!(!matches!(bearer(&[value.as_bytes()]), Reason::MalformedAuthorization | Reason::NoCredentials));
        let twice = format!("{value}, {value}");
        prop_assert_eq!(bearer(&[twice.as_bytes()]), Reason::MalformedAuthorization);
        prop_assert_eq!(bearer(&[value.as_bytes(), value.as_bytes()]), Reason::RepeatedAuthorization);
    }

    #[test]
    fn any_octets_are_refused_as_bearer(values in vec(vec(any::<u8>(), 0..60), 0..3), text in "Bearer [ -~]{0,40}") {
        bearer(&values.iter().map(Vec::as_slice).collect::<Vec<_>>());
        bearer(&[text.as_bytes()]);
    }
}
