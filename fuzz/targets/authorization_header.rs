//! `Authorization` as a resource server and as the token endpoint read it: one value a line.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use attesto::client_auth::credential;
use attesto::dpop::ProofPolicy;
use attesto::http::{Body, Request};
use attesto::jose::{Algorithm, JwkSet, NumericDate};
use attesto::params::Params;
use attesto::scope::Scope;
use attesto::verifier::{self, Policy};
use http::{HeaderMap, HeaderValue, Method, header};

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let proofs = ProofPolicy {
        algorithms: vec![Algorithm::Es256],
        max_age: Duration::from_secs(60),
        clock_skew: Duration::ZERO,
    };
    let policy = Policy::new("https://as.example", vec!["https://api.example".to_owned()]);
    policy.expect("a policy").with_dpop(proofs)
});

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let values: Vec<&[u8]> = octets.split(|octet| *octet == b'\n').take(3).collect();
    let request = verifier::Request { authorization: &values, method: "GET", ..verifier::Request::default() };
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
    // Whatever it reads is a credential or a reason; no client is known to it.
    let _ = credential(&request, &params);
});
