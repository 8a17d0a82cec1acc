//! The endpoints that clients call by themselves, whatever they are sent.

use attesto::params::encode;
use http::{HeaderName, header};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use crate::host::{NOW, REDIRECT_URI, VERIFIER, post, server, with_header};
use crate::signing::host;

const PATHS: [&str; 4] = ["/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/par"];

const NAMES: [&str; 15] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "code",
    "code_verifier",
    "redirect_uri",
    "refresh_token",
    "scope",
    "resource",
    "token",
    "token_type_hint",
    "request",
    "request_uri",
];
const VALUES: [&str; 16] = [
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "public",
    "confidential",
    "machine",
    "s3cret",
    "m4chine",
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
    REDIRECT_URI,
    VERIFIER,
    "read",
    "openid offline_access",
    "https://api.example",
    "access_token",
];

const HEADERS: [&str; 6] =
    ["authorization", "dpop", "x-forwarded-client-cert", "client-cert", "forwarded", "x-forwarded-for"];
const FIELDS: [&str; 8] = [
    "Basic Y29uZmlkZW50aWFsOnMzY3JldA==",
    "Basic Og==",
    "Bearer x",
    "DPoP x",
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2In0.e30.AAAA",
    "Cert=\"-----BEGIN%20CERTIFICATE-----\"",
    ":AAAA:",
    "for=192.0.2.1;proto=https",
];

/// Every code of the RFCs these endpoints speak: RFC 6749 §5.2 and §4.1.2.1, 7009 §2.2.1, 8707 §2, 9126 §2.3, 9449 §5 and §8,
/// 9101 §6.
const ERRORS: [&str; 15] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "unsupported_token_type",
    "invalid_target",
    "invalid_dpop_proof",
    "use_dpop_nonce",
    "invalid_request_object",
    "unsupported_response_type",
    "request_not_supported",
    "request_uri_not_supported",
    "access_denied",
];

fn one_of(
    known: &'static [&'static str],
    other: &'static str,
    most: u32,
) -> impl Strategy<Value = String> + Clone {
    prop_oneof![most => proptest::sample::select(known).prop_map(str::to_owned), 1 => other]
}

proptest! {
    #[test]
    fn every_answer_is_what_was_asked_for_or_an_error_of_the_rfcs(
        path in proptest::sample::select(PATHS.as_slice()),
        with_code in any::<bool>(),
        pairs in vec((one_of(&NAMES, ".{0,8}", 9), one_of(&VALUES, ".{0,30}", 4)), 0..9),
        fields in vec((proptest::sample::select(HEADERS.as_slice()), one_of(&FIELDS, "[ -~]{0,40}", 4)), 0..3),
    ) {
        let host = host();
        let code = with_code.then(|| host.code("openid offline_access"));
        let code = code.iter().map(|code| ("code", code.as_str()));
        let form = encode(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(code));
        let request = fields.iter().fold(post(path, &form), |request, (name, value)| {
            with_header(request, HeaderName::from_static(name), value)
        });
        let response = host.send_to(server(), request, NOW);
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        if response.status.is_success() {
            let member = match path {
                "/oauth/token" => "access_token",
                "/oauth/introspect" => "active",
                "/oauth/par" => "request_uri",
                _ => return Ok(()),
            };
            prop_assert!(body.get(member).is_some(), "{path}: {body}");
        } else {
            prop_assert!(response.status.is_client_error(), "{path} {}: {body}", response.status);
            let error = body["error"].as_str().unwrap_or_default();
            prop_assert!(ERRORS.contains(&error), "{path} {}: {body}", response.status);
            prop_assert_eq!(response.status == 401, response.headers.contains_key(header::WWW_AUTHENTICATE));
        }
        prop_assert!(!response.headers.contains_key(header::LOCATION));
    }
}
