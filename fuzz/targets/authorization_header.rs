//! `Authorization` as a resource server and as the token endpoint read it: one value a line.

#![no_main]

use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use attesto::client::Client;
use attesto::client_auth::authenticate;
use attesto::config::Config;
use attesto::host::{ClientStore, HostError};
use attesto::http::{Body, Request};
use attesto::jose::{JwkSet, NumericDate};
use attesto::params::Params;
use attesto::scope::Scope;
use attesto::secret::Secret;
use attesto::verifier::{self, Policy};
use http::{HeaderMap, HeaderValue, Method, header};

/// Knows nobody.
struct NoClients;

impl ClientStore for NoClients {
    async fn load_client(&self, _: &str) -> Result<Option<Client>, HostError> {
        Ok(None)
    }

    async fn authenticate_client(&self, _: &str, _: &Secret<String>) -> Result<Option<Client>, HostError> {
        Ok(None)
    }
}

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    Policy::new("https://as.example", vec!["https://api.example".to_owned()]).expect("a policy")
});

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let minimal = r#"
        issuer = "https://as.example"
        audience = "https://api.example"
        scopes_supported = ["openid"]
    "#;
    Config::from_toml(minimal).expect("a configuration")
});

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let values: Vec<&[u8]> = octets.split(|octet| *octet == b'\n').take(3).collect();
    let request = verifier::Request { authorization: &values, method: "GET", url: "https://api.example/" };
    let now = NumericDate::from_secs(0);
    let refusal = verifier::verify(&request, &Scope::default(), &POLICY, &JwkSet::default(), now);
    assert!(HeaderValue::from_str(&refusal.expect_err("no key").challenge.www_authenticate).is_ok());

    let mut headers = HeaderMap::new();
    for value in values {
        let Ok(value) = HeaderValue::from_bytes(value) else { return };
        headers.append(header::AUTHORIZATION, value);
    }
    let body = Body::Complete(Vec::new());
    let request =
        Request { method: Method::POST, path: "/oauth/token".to_owned(), query: None, headers, body };
    let params = Params::default();
    let answer = pin!(authenticate(&NoClients, &CONFIG, &request, &params));
    match answer.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(client) => assert!(client.is_err()),
        Poll::Pending => panic!("this store never waits"),
    }
});
