//! Where authorization responses go, whichever way the request comes: as it is, signed, or pushed.

use std::sync::LazyLock;

use attesto::http::Response;
use attesto::params::{Params, encode};
use attesto::server::Server;
use http::header;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::host::{CHALLENGE, NOW, REDIRECT_URI, TestHost, get, location, post, server_with, with_header};
use crate::signing::{CLIENT_KEY, host, signed};

const REGISTERED: [&str; 2] = [REDIRECT_URI, "https://client.example/2"];

const NAMES: [&str; 17] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "prompt",
    "max_age",
    "resource",
    "request",
    "request_uri",
    "id_token_hint",
    "dpop_jkt",
    "registration",
];
const VALUES: [&str; 24] = [
    "public",
    "two-uris",
    "grantless",
    "confidential",
    REDIRECT_URI,
    "https://client.example/2",
    "https://evil.example/cb",
    "code",
    "query",
    "fragment",
    "form_post",
    "jwt",
    "fragment.jwt",
    "form_post.jwt",
    "openid read",
    CHALLENGE,
    "S256",
    "none",
    "login",
    "0",
    "https://api.example",
    "//evil.example",
    "x\r\nLocation: https://evil.example/",
    "\"><script>alert(1)</script>",
];

static SERVER: LazyLock<Server> =
    LazyLock::new(|| server_with(|text| format!("{text}\npar_public_clients = true")));

/// Request objects of the client `confidential`: one to be honoured, one that leads elsewhere, one that is signed by nobody.
static OBJECTS: LazyLock<[String; 3]> = LazyLock::new(|| {
    let sign = |redirect_uri: &str| {
        let claims = json!({
            "client_id": "confidential", "response_type": "code", "redirect_uri": redirect_uri, "scope": "read",
            "code_challenge": CHALLENGE, "code_challenge_method": "S256", "response_mode": "fragment",
        });
        signed(&CLIENT_KEY, &json!({ "alg": "ES256" }), &claims)
    };
    [sign(REDIRECT_URI), sign("https://evil.example/cb"), "e30.e30.".to_owned()]
});

/// What a request is made of: pairs of its own, one of the objects, or the reference to what was pushed.
fn pair() -> impl Strategy<Value = (String, String)> {
    let name =
        prop_oneof![9 => proptest::sample::select(NAMES.as_slice()).prop_map(str::to_owned), 1 => ".{0,8}"];
    let value = prop_oneof![
        4 => proptest::sample::select(VALUES.as_slice()).prop_map(str::to_owned),
        1 => ".{0,30}",
    ];
    let object = (0..3_usize).prop_map(|number| ("request".to_owned(), OBJECTS[number].clone()));
    prop_oneof![12 => (name, value), 1 => object, 1 => Just(("request_uri".to_owned(), PUSHED.to_owned()))]
}

/// Stands for the reference to what was pushed before.
const PUSHED: &str = "pushed";

/// The pairs, some of them put in the place of a valid request's.
fn parameters(base: &[(&str, &str)], pairs: &[(String, String)], request_uri: &str) -> String {
    let pairs = || {
        pairs.iter().map(|(name, value)| {
            (name.as_str(), if name == "request_uri" && value == PUSHED { request_uri } else { value })
        })
    };
    encode(base.iter().copied().filter(|(name, _)| !pairs().any(|(other, _)| other == *name)).chain(pairs()))
}

/// A valid request of this client.
fn valid(client_id: &str) -> [(&str, &str); 6] {
    [
        ("client_id", client_id),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", "read"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

/// What is asked for, and in which words.
type Pairs = Vec<(String, String)>;

/// Which client, whether its request begins as a valid one, what is pushed before, and what is then brought.
fn settings() -> impl Strategy<Value = (&'static str, bool, Pairs, Pairs)> {
    let client_id = proptest::sample::select(["public", "confidential"].as_slice());
    (client_id, any::<bool>(), vec(pair(), 0..8), vec(pair(), 0..8))
}

/// Pushes as the client; the reference, where there is one.
fn pushed(host: &TestHost, client_id: &str, form: &str) -> (Response, Option<String>) {
    let request = post("/oauth/par", form);
    let request = match client_id {
        "confidential" => with_header(request, header::AUTHORIZATION, "Basic Y29uZmlkZW50aWFsOnMzY3JldA=="),
        _ => request,
    };
    let response = host.send_to(&SERVER, request, NOW);
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    let request_uri = body["request_uri"].as_str().map(str::to_owned);
    (response, request_uri)
}

/// The answer stays with the registered URIs, whatever it says.
fn check(response: &Response) -> Result<(), TestCaseError> {
    let answer = match location(response) {
        Some(location) => {
            let (uri, answer) = location.split_once(['?', '#']).unwrap();
            prop_assert!(REGISTERED.contains(&uri), "{}", location);
            prop_assert_eq!(response.headers.get_all("location").iter().count(), 1);
            Params::parse(answer.as_bytes()).unwrap()
        }
        // A page of the person's, for which the host in memory has no text.
        None if response.status.is_success() && response.body.is_empty() => return Ok(()),
        None if response.status.is_success() => {
            let page = std::str::from_utf8(&response.body).unwrap();
            let (_, form) = page.split_once("<form method=\"post\" action=\"").unwrap();
            let (uri, rest) = form.split_once('"').unwrap();
            prop_assert!(REGISTERED.contains(&uri), "{}", page);
            prop_assert_eq!(page.matches("<form").count(), 1);
            prop_assert_eq!(page.matches("<script>").count(), 1);
            let names = rest.split("name=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
            Params::new(names.map(|name| (name.to_owned(), "there".to_owned()))).unwrap()
        }
        None => {
            prop_assert!(response.status.is_client_error(), "{}", response.status);
            return Ok(());
        }
    };
    prop_assert!(answer.refuse_repeated().is_ok());
    let is_one = ["code", "error", "response"].iter().filter(|name| answer.has(name)).count();
    prop_assert_eq!(is_one, 1);
    Ok(())
}

proptest! {
    #[test]
    fn no_answer_leaves_the_registered_uris_whatever_is_asked(
        (client_id, begins_valid, pushed_pairs, pairs) in settings(),
    ) {
        let host = host();
        let base = valid(client_id);
        let base = if begins_valid { &base[..] } else { &[] };
        let form = parameters(&valid(client_id), &pushed_pairs, PUSHED);
        let (response, request_uri) = pushed(&host, client_id, &form);
        prop_assert!(response.status == 201 || response.status.is_client_error(), "{}", response.status);
        prop_assert_eq!(response.status == 201, request_uri.is_some());

        let request_uri = request_uri.as_deref().unwrap_or("urn:ietf:params:oauth:request_uri:x");
        let by_reference = encode([("client_id", client_id), ("request_uri", request_uri)]);
        for query in [parameters(base, &pairs, request_uri), by_reference] {
            check(&host.send_to(&SERVER, get("/oauth/authorize", Some(&query)), NOW))?;
        }
    }
}
