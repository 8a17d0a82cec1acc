//! The keys of clients, registered and at a `jwks_uri` (RFC 7591 §2, OIDC Core §10.1.1).

use attesto::client::Client;
use attesto::client_keys::{ClientKeysError, fresher_text, text, verify};
use attesto::host::{CachedDocument, Document, FetchError};
use attesto::jose::{Algorithm, JwsError, SelectError, SigningKey, UnverifiedJws, base64url, jws};
use attesto::request_facts::RequestFacts;
use attesto::server::Context;
use http::HeaderMap;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::json;

use crate::host::{KEYS, NOW, TestHost, ready, server};

const URL: &str = "https://client.example/jwks.json";

fn key() -> &'static SigningKey {
    &KEYS[0]
}

fn set(kids: &[&str]) -> String {
    let keys: Vec<_> = kids.iter().map(|kid| key().public_jwk(Some(kid)).to_value()).collect();
    json!({ "keys": keys }).to_string()
}

fn registered(jwks: &str) -> Client {
    Client { client_id: "bank".to_owned(), jwks: Some(jwks.to_owned()), ..Client::default() }
}

fn remote() -> Client {
    Client { client_id: "bank".to_owned(), jwks_uri: Some(URL.to_owned()), ..Client::default() }
}

/// A host at whose [`URL`] is this.
fn host_with(answer: Result<&str, FetchError>, max_age: Option<u64>) -> TestHost {
    let host = TestHost::new();
    publish(&host, answer, max_age);
    host
}

fn publish(host: &TestHost, answer: Result<&str, FetchError>, max_age: Option<u64>) {
    let document = answer.map(|body| Document {
        body: body.as_bytes().to_vec(),
        content_type: Some("application/json".to_owned()),
        max_age,
    });
    let asked = fetches(host);
    host.documents.borrow_mut().insert(URL.to_owned(), (document, asked));
}

fn fetches(host: &TestHost) -> usize {
    host.documents.borrow().get(URL).map_or(0, |(_, asked)| *asked)
}

fn failure() -> FetchError {
    FetchError::Failed("503".to_owned())
}

fn signed(kid: Option<&str>) -> String {
    let mut header = json!({ "alg": "ES256" });
    if let Some(kid) = kid {
        header["kid"] = kid.into();
    }
    let input = format!("{}.{}", base64url::encode(header.to_string()), base64url::encode("{}"));
    let signature = key().sign(&mut ChaCha20Rng::seed_from_u64(0), input.as_bytes()).unwrap();
    format!("{input}.{}", base64url::encode(signature))
}

/// The outcome for a token that names this key, at a time after [`NOW`].
fn outcome(host: &TestHost, client: &Client, kid: Option<&str>, later: u64) -> Result<(), ClientKeysError> {
    in_context(host, later, async |cx| {
        let token = signed(kid);
        let policy = jws::Policy { algorithms: &[Algorithm::Es256], typ: None };
        verify(cx, client, UnverifiedJws::parse(&token).unwrap(), &policy).await.map(|_| ())
    })
}

fn in_context<T>(
    host: &TestHost,
    later: u64,
    run: impl AsyncFnOnce(&Context<'_, TestHost, ChaCha20Rng>) -> T,
) -> T {
    let facts = RequestFacts::of(&HeaderMap::new(), &server().config.trusted_proxies).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(0);
    let cx = Context {
        server: server(),
        host,
        now: NOW + later,
        rng: &mut rng,
        facts,
        events: Vec::new(),
        dpop_nonce: None,
    };
    ready(run(&cx))
}

fn no_keys(outcome: Result<(), ClientKeysError>) -> String {
    match outcome {
        Err(ClientKeysError::NoKeys(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

const UNKNOWN: Result<(), ClientKeysError> =
    Err(ClientKeysError::Jws(JwsError::Key(SelectError::UnknownKey)));

#[test]
fn registered_keys_verify_and_nothing_is_fetched() {
    let host = host_with(Ok(&set(&["k1"])), None);
    assert_eq!(outcome(&host, &registered(&set(&["k1"])), Some("k1"), 0), Ok(()));
    assert_eq!(outcome(&host, &registered(&set(&["k2"])), Some("k1"), 0), UNKNOWN);
    assert_eq!(fetches(&host), 0);
}

#[test]
fn a_client_has_keys_in_one_place() {
    let host = host_with(Ok(&set(&["k1"])), None);
    let neither = Client::default();
    let both = Client { jwks_uri: Some(URL.to_owned()), ..registered(&set(&["k1"])) };
    for client in [neither, both] {
        no_keys(outcome(&host, &client, Some("k1"), 0));
    }
    assert_eq!(fetches(&host), 0);
}

#[test]
fn registered_text_that_is_no_set_is_no_key() {
    let private = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "AA" }] });
    for jwks in ["", "[]", "{}", &private.to_string()] {
        no_keys(outcome(&TestHost::new(), &registered(jwks), Some("k1"), 0));
    }
    assert_eq!(outcome(&TestHost::new(), &registered(r#"{"keys":[]}"#), Some("k1"), 0), UNKNOWN);
}

#[test]
fn a_set_is_fetched_once_and_kept_for_its_max_age() {
    for (max_age, kept) in
        [(None, 600), (Some(0), 60), (Some(59), 60), (Some(300), 300), (Some(u64::MAX), 86_400)]
    {
        let host = host_with(Ok(&set(&["k1"])), max_age);
        for later in [0, 1, kept - 1] {
            assert_eq!(outcome(&host, &remote(), Some("k1"), later), Ok(()));
        }
        assert_eq!(fetches(&host), 1, "{max_age:?}");
        assert_eq!(outcome(&host, &remote(), Some("k1"), kept), Ok(()));
        assert_eq!(fetches(&host), 2, "{max_age:?}");
    }
}

#[test]
fn an_unknown_kid_has_the_set_fetched_once_more() {
    let host = host_with(Ok(&set(&["k1"])), None);
    assert_eq!(outcome(&host, &remote(), Some("k1"), 0), Ok(()));
    publish(&host, Ok(&set(&["k1", "k2"])), None);
    assert_eq!(outcome(&host, &remote(), Some("k2"), 30), Ok(()));
    assert_eq!(fetches(&host), 2);
}

#[test]
fn names_of_keys_that_do_not_exist_make_no_more_than_a_fetch_in_thirty_seconds() {
    let host = host_with(Ok(&set(&["k1"])), None);
    for second in 0..=90 {
        assert_eq!(outcome(&host, &remote(), Some(&format!("x{second}")), second), UNKNOWN);
    }
    assert_eq!(fetches(&host), 4);
}

#[test]
fn only_a_missing_key_has_the_set_fetched_once_more() {
    let host = host_with(Ok(&set(&["k1"])), None);
    assert_eq!(outcome(&host, &remote(), Some("k1"), 0), Ok(()));
    // No name, and two keys that fit.
    publish(&host, Ok(&set(&["k1", "k2"])), None);
    assert_eq!(outcome(&host, &remote(), None, 600), Err(JwsError::Key(SelectError::Ambiguous).into()));
    assert_eq!(fetches(&host), 2);
    // An algorithm that is not for this use never comes so far.
    let refused = in_context(&host, 700, async |cx| {
        let token = signed(Some("x"));
        let policy = jws::Policy { algorithms: &[Algorithm::Ps256], typ: None };
        verify(cx, &remote(), UnverifiedJws::parse(&token).unwrap(), &policy).await.map(|_| ())
    });
    assert_eq!(refused, Err(JwsError::AlgorithmNotAllowed.into()));
    assert_eq!(fetches(&host), 2);
}

#[test]
fn without_a_kid_the_one_key_that_fits_is_taken() {
    let host = host_with(Ok(&set(&["k1"])), None);
    assert_eq!(outcome(&host, &remote(), None, 0), Ok(()));
}

#[test]
fn a_failure_is_told_to_the_operator_and_not_repeated_at_once() {
    let host = host_with(Err(failure()), None);
    for later in [0, 1, 9] {
        no_keys(outcome(&host, &remote(), Some("k1"), later));
    }
    assert_eq!(fetches(&host), 1);
    assert_eq!(host.faults.borrow().len(), 1);
    assert!(host.faults.borrow()[0].contains(URL), "{:?}", host.faults.borrow());
    publish(&host, Ok(&set(&["k1"])), None);
    assert_eq!(outcome(&host, &remote(), Some("k1"), 10), Ok(()));
}

#[test]
fn a_set_that_cannot_be_read_is_a_failure() {
    for body in ["", "<html>", "{}", r#"{"keys":{}}"#] {
        let host = host_with(Ok(body), Some(3_600));
        no_keys(outcome(&host, &remote(), Some("k1"), 0));
        assert_eq!(host.faults.borrow().len(), 1, "{body}");
        publish(&host, Ok(&set(&["k1"])), None);
        assert_eq!(outcome(&host, &remote(), Some("k1"), 30), Ok(()), "{body}");
    }
}

#[test]
fn a_kept_set_survives_a_failed_refresh_but_not_its_expiry() {
    let host = host_with(Ok(&set(&["k1"])), None);
    assert_eq!(outcome(&host, &remote(), Some("k1"), 0), Ok(()));
    publish(&host, Err(failure()), None);
    no_keys(outcome(&host, &remote(), Some("k2"), 100));
    assert_eq!(fetches(&host), 2);
    assert_eq!(outcome(&host, &remote(), Some("k2"), 129), UNKNOWN, "the failure is kept as well");
    assert_eq!(fetches(&host), 2);
    assert_eq!(outcome(&host, &remote(), Some("k1"), 599), Ok(()));
    no_keys(outcome(&host, &remote(), Some("k1"), 600));
}

#[test]
fn a_stale_set_is_not_used_whatever_the_store_gives() {
    let host = host_with(Err(failure()), None);
    let stale = CachedDocument { body: set(&["k1"]).into_bytes(), fetched_at: NOW - 60, expires_at: NOW };
    host.cached.borrow_mut().insert(URL.to_owned(), stale);
    no_keys(outcome(&host, &remote(), Some("k1"), 0));
}

#[test]
fn a_store_that_does_not_answer_is_a_fault_and_nothing_is_fetched() {
    let host = host_with(Ok(&set(&["k1"])), None);
    host.fault.set("cached_document");
    assert!(matches!(outcome(&host, &remote(), Some("k1"), 0), Err(ClientKeysError::Fault(_))));
    assert_eq!(fetches(&host), 0);
}

#[test]
fn a_set_that_cannot_be_kept_serves_this_request() {
    let host = host_with(Ok(&set(&["k1"])), None);
    host.fault.set("cache_document");
    assert_eq!(outcome(&host, &remote(), Some("k1"), 0), Ok(()));
    assert_eq!(host.faults.borrow().len(), 1);
}

#[test]
fn the_text_of_a_set_is_given_for_certificates_as_well() {
    let host = host_with(Ok(&set(&["k1"])), None);
    let given = |client: &Client, later| in_context(&host, later, async |cx| text(cx, client).await);
    let fresher =
        |client: &Client, later| in_context(&host, later, async |cx| fresher_text(cx, client).await);
    assert_eq!(given(&registered("{}"), 0), Ok("{}".to_owned()));
    assert_eq!(fresher(&registered("{}"), 100), Ok(None));
    assert_eq!(given(&remote(), 0), Ok(set(&["k1"])));
    publish(&host, Ok(&set(&["k2"])), None);
    assert_eq!(given(&remote(), 100), Ok(set(&["k1"])));
    assert_eq!(fresher(&remote(), 29), Ok(None));
    assert_eq!(fresher(&remote(), 30), Ok(Some(set(&["k2"]))));
    assert_eq!(given(&remote(), 100), Ok(set(&["k2"])));
}

/// A URL that hangs must not take every place of the server, nor be asked by every request that waits for it.
#[test]
fn of_those_that_find_nothing_kept_a_few_fetch() {
    let host = host_with(Err(failure()), None);
    let while_others_fetch = |later| {
        host.cached.borrow_mut().clear();
        no_keys(outcome(&host, &remote(), Some("k1"), later))
    };
    for _ in 0..4 {
        assert!(while_others_fetch(0).contains("503"));
    }
    for later in [0, 1] {
        assert!(while_others_fetch(later).contains("is being fetched"));
    }
    assert_eq!(fetches(&host), 4);
    assert!(while_others_fetch(10).contains("503"));
    assert_eq!(fetches(&host), 5);
}
