//! What the metadata says works, and what it does not say does not: value by value.

use std::sync::LazyLock;

use attesto::http::Response;
use attesto::jose::{Algorithm, SigningKey};
use attesto::params::encode;
use attesto::server::Server;
use http::{HeaderName, StatusCode, header};
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::{Value, json};

use crate::fapi::{Bank, asserted, signed};
use crate::host::*;
use crate::proof;

const TOKEN: &str = "https://auth.example/oauth/token";
const DPOP: HeaderName = HeaderName::from_static("dpop");

/// A key for every algorithm there is, by its name.
static CLIENT_KEYS: LazyLock<Vec<(&'static str, SigningKey)>> = LazyLock::new(|| {
    let mut rng = ChaCha20Rng::seed_from_u64(21);
    let new = |alg, rng: &mut ChaCha20Rng| SigningKey::generate(alg, rng).unwrap();
    let rsa = KEYS.iter().find(|key| key.algorithm() == Algorithm::Rs256).unwrap();
    let rsa_as =
        |alg| SigningKey::from_pkcs8_pem(&rsa.to_pkcs8_pem().unwrap()).unwrap().with_algorithm(alg).unwrap();
    let ed25519 = new(Algorithm::Ed25519, &mut rng);
    let older_name = SigningKey::from_pkcs8_pem(&ed25519.to_pkcs8_pem().unwrap()).unwrap();
    vec![
        ("ES256", new(Algorithm::Es256, &mut rng)),
        ("PS256", rsa_as(Algorithm::Ps256)),
        ("RS256", rsa_as(Algorithm::Rs256)),
        ("Ed25519", ed25519),
        ("EdDSA", older_name.with_algorithm(Algorithm::EdDsa).unwrap()),
    ]
});

/// A client that registered all of them.
fn bank(server: &Server) -> Bank<'_> {
    let bank = Bank::at(server);
    let keys: Vec<_> =
        CLIENT_KEYS.iter().map(|(name, key)| key.public_jwk(Some(&format!("k-{name}"))).to_value()).collect();
    bank.change("bank", |client| {
        client.jwks = Some(json!({ "keys": keys }).to_string());
        client.dpop_bound_access_tokens = false;
    });
    bank
}

fn metadata(server: &Server) -> Value {
    json(&TestHost::new().send_to(server, get("/.well-known/oauth-authorization-server", None), NOW))
}

fn advertised(server: &Server, member: &str) -> Vec<String> {
    let values = metadata(server)[member].as_array().cloned().unwrap_or_default();
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// Every algorithm there is does exactly where the metadata says so.
fn as_advertised(server: &Server, member: &str, accepted: impl Fn(&SigningKey, &str) -> Response) {
    let advertised = advertised(server, member);
    assert!(!advertised.is_empty(), "{member}");
    for (name, key) in CLIENT_KEYS.iter() {
        let response = accepted(key, &format!("k-{name}"));
        let works = response.status.is_success();
        assert_eq!(works, advertised.iter().any(|alg| alg == name), "{member} {name}: {response:?}");
    }
}

#[test]
fn assertions_are_accepted_with_the_algorithms_of_the_metadata_and_no_others() {
    for settings in [
        "",
        "client_auth_signing_algs = [\"ES256\"]",
        "client_auth_signing_algs = [\"RS256\", \"Ed25519\", \"EdDSA\"]",
    ] {
        let server = server_with(|text| format!("{text}\n{settings}"));
        let bank = bank(&server);
        let own = [("grant_type", "client_credentials"), ("scope", "read"), ("token", "x")];
        for (member, path) in [
            ("token_endpoint_auth_signing_alg_values_supported", "/oauth/token"),
            ("introspection_endpoint_auth_signing_alg_values_supported", "/oauth/introspect"),
            ("revocation_endpoint_auth_signing_alg_values_supported", "/oauth/revoke"),
        ] {
            as_advertised(&server, member, |key, kid| {
                bank.send(asserted(path, &own, &bank.assertion_with(key, kid)))
            });
        }
    }
}

#[test]
fn proofs_are_accepted_with_the_algorithms_of_the_metadata_and_no_others() {
    for settings in ["", "dpop_signing_algs = [\"PS256\"]", "profile = \"fapi2-security\""] {
        let server = server_with(|text| format!("{text}\n{settings}"));
        let bank = bank(&server);
        let (_, es256) = &CLIENT_KEYS[0];
        as_advertised(&server, "dpop_signing_alg_values_supported", |key, _| {
            let proof = proof::proof(key, "POST", TOKEN, NOW, &bank.next(), None, None);
            let own = [("grant_type", "client_credentials"), ("scope", "read")];
            let request = asserted("/oauth/token", &own, &bank.assertion_with(es256, "k-ES256"));
            bank.send(with_header(request, DPOP, &proof))
        });
    }
    let off = server_with(|text| format!("{text}\ndpop_enabled = false"));
    assert!(advertised(&off, "dpop_signing_alg_values_supported").is_empty());
}

#[test]
fn request_objects_are_accepted_with_the_algorithms_of_the_metadata_and_no_others() {
    for settings in ["", "request_object_signing_algs = [\"RS256\"]", "profile = \"fapi2-message-signing\""] {
        let server = server_with(|text| format!("{text}\n{settings}"));
        assert_eq!(metadata(&server)["request_parameter_supported"], true);
        let bank = bank(&server);
        let (_, es256) = &CLIENT_KEYS[0];
        as_advertised(&server, "request_object_signing_alg_values_supported", |key, kid| {
            let claims = json!({
                "iss": "bank", "aud": "https://auth.example", "client_id": "bank", "response_type": "code",
                "redirect_uri": REDIRECT_URI, "scope": "read", "code_challenge": CHALLENGE,
                "code_challenge_method": "S256", "nbf": NOW, "exp": NOW + 60,
            });
            let header = json!({ "alg": key.algorithm(), "kid": kid, "typ": "oauth-authz-req+jwt" });
            let request = signed(key, &header, &claims);
            let params = [("client_id", "bank"), ("request", request.as_str())];
            bank.send(asserted("/oauth/par", &params, &bank.assertion_with(es256, "k-ES256")))
        });
    }
    let off = metadata(&server_with(|text| format!("{text}\nrequest_object_policy = \"off\"")));
    assert_eq!(off["request_parameter_supported"], false);
    assert!(off.get("request_object_signing_alg_values_supported").is_none());
}

#[test]
fn every_advertised_response_mode_answers_and_no_other() {
    let host = TestHost::new();
    let answer = |mode: &str| host.send(authorize(&[("response_mode", mode)]));
    let modes = advertised(server(), "response_modes_supported");
    assert_eq!(modes.len(), 7);
    for mode in &modes {
        let response = answer(mode);
        let (body, location) = (String::from_utf8_lossy(&response.body).into_owned(), location(&response));
        let sent = location.unwrap_or(&body);
        let signed = mode.contains("jwt");
        assert!(sent.contains(if signed { "response" } else { "code" }), "{mode}: {sent}");
        assert!(!sent.contains("error"), "{mode}: {sent}");
    }
    for mode in ["web_message", "QUERY", "form_post.jws"] {
        assert_eq!(query(&answer(mode))["error"], "invalid_request", "{mode}");
    }
}

#[test]
fn introspection_and_authorization_responses_are_signed_with_every_advertised_algorithm_and_no_other() {
    let host = TestHost::new();
    let change = |change: &dyn Fn(&mut attesto::client::Client)| {
        let mut clients = host.clients.borrow_mut();
        change(&mut clients.get_mut("confidential").unwrap().0);
    };
    let introspection = advertised(server(), "introspection_signing_alg_values_supported");
    let authorization = advertised(server(), "authorization_signing_alg_values_supported");
    for (alg, _) in CLIENT_KEYS.iter() {
        change(&|client| client.introspection_signed_response_alg = Some((*alg).to_owned()));
        let request = post("/oauth/introspect", "token=x");
        let request = with_header(request, header::AUTHORIZATION, crate::token::BASIC);
        let response = host.send(with_header(request, header::ACCEPT, "application/token-introspection+jwt"));
        assert_eq!(response.status == StatusCode::OK, introspection.iter().any(|name| name == alg), "{alg}");

        change(&|client| client.authorization_signed_response_alg = Some((*alg).to_owned()));
        let request = authorize_query(&[("client_id", "confidential"), ("response_mode", "jwt")]);
        let response = host.send(get("/oauth/authorize", Some(&request)));
        let is_signed = location(&response).is_some_and(|location| location.contains("?response="));
        assert_eq!(is_signed, authorization.iter().any(|name| name == alg), "{alg}");
    }
}

#[test]
fn every_advertised_grant_type_is_served_and_every_other_refused() {
    for settings in ["", "grant_types_supported = [\"client_credentials\"]"] {
        let server = server_with(|text| format!("{text}\n{settings}"));
        let bank = bank(&server);
        let (_, es256) = &CLIENT_KEYS[0];
        let grants = advertised(&server, "grant_types_supported");
        for grant in ["authorization_code", "refresh_token", "client_credentials", "password", "implicit"] {
            let params =
                [("grant_type", grant), ("code", "x"), ("refresh_token", "x"), ("code_verifier", VERIFIER)];
            let response =
                bank.send(asserted("/oauth/token", &params, &bank.assertion_with(es256, "k-ES256")));
            let served =
                response.status.is_success() || crate::token::error(&response) != "unsupported_grant_type";
            assert_eq!(served, grants.iter().any(|name| name == grant), "{grant}");
        }
    }
}

#[test]
fn pushing_is_required_and_possible_exactly_as_the_metadata_says() {
    for (settings, endpoint, required) in [
        ("", true, false),
        ("require_pushed_authorization_requests = true", true, true),
        ("par_enabled = false", false, false),
    ] {
        let server = server_with(|text| format!("{text}\n{settings}"));
        let metadata = metadata(&server);
        let host = TestHost::new();
        assert_eq!(metadata.get("pushed_authorization_request_endpoint").is_some(), endpoint);
        let there = host.send_to(&server, post("/oauth/par", ""), NOW).status != StatusCode::NOT_FOUND;
        assert_eq!(there, endpoint);
        assert_eq!(metadata["require_pushed_authorization_requests"] == true, required);
        let direct = query(&host.send_to(&server, authorize(&[]), NOW));
        assert_eq!(direct.contains_key("code"), !required, "{direct:?}");
    }
}

#[test]
fn authentication_methods_work_as_advertised() {
    let own = encode([("grant_type", "client_credentials"), ("scope", "read")]);
    let (_, es256) = &CLIENT_KEYS[0];
    let request = |bank: &Bank<'_>, method: &str| match method {
        "client_secret_basic" => {
            with_header(post("/oauth/token", &own), header::AUTHORIZATION, crate::token::BASIC)
        }
        "client_secret_post" => {
            post("/oauth/token", &format!("{own}&client_id=machine&client_secret=m4chine"))
        }
        "private_key_jwt" => asserted(
            "/oauth/token",
            &[("grant_type", "client_credentials"), ("scope", "read")],
            &bank.assertion_with(es256, "k-ES256"),
        ),
        _ => token(&[("code", "x")]),
    };
    const METHODS: [&str; 4] = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
    for listed in METHODS {
        let server =
            server_with(|text| format!("{text}\ntoken_endpoint_auth_methods_supported = [\"{listed}\"]"));
        assert_eq!(advertised(&server, "token_endpoint_auth_methods_supported"), [listed]);
        let bank = bank(&server);
        for method in METHODS {
            let response = bank.send(request(&bank, method));
            let known = response.status.is_success() || crate::token::error(&response) != "invalid_client";
            assert_eq!(known, method == listed, "{method} where {listed} is listed: {response:?}");
        }
    }
}

#[test]
fn id_tokens_are_signed_with_every_advertised_algorithm_and_no_other() {
    for settings in ["", "profile = \"fapi2-security\""] {
        let server = server_with(|text| format!("{text}\n{settings}"));
        let listed = advertised(&server, "id_token_signing_alg_values_supported");
        let bank = Bank::at(&server);
        for (name, _) in CLIENT_KEYS.iter() {
            bank.change("bank", |client| {
                client.id_token_signed_response_alg = Some((*name).to_owned());
            });
            let code = bank.code(&[], None);
            let response = bank.redeem(&code);
            let is_listed = listed.iter().any(|alg| alg == name);
            assert_eq!(response.status == StatusCode::OK, is_listed, "{settings} {name}: {response:?}");
            if is_listed {
                let id_token = json(&response)["id_token"].as_str().unwrap().to_owned();
                let (head, _) = id_token.split_once('.').unwrap();
                let head: Value =
                    serde_json::from_slice(&attesto::jose::base64url::decode(head).unwrap()).unwrap();
                assert_eq!(head["alg"], *name);
            }
        }
    }
}

#[test]
fn what_the_metadata_says_of_the_authorization_request_holds() {
    let host = TestHost::new();
    for (settings, member) in [
        ("require_signed_request_object = true", "require_signed_request_object"),
        ("authorization_response_iss = false", "authorization_response_iss_parameter_supported"),
    ] {
        for server in [server_with(str::to_owned), server_with(|text| format!("{text}\n{settings}"))] {
            let said = metadata(&server)[member] == true;
            let response = query(&host.send_to(&server, authorize(&[]), NOW));
            let does = match member {
                "require_signed_request_object" => !response.contains_key("code"),
                _ => response.contains_key("iss"),
            };
            assert_eq!(does, said, "{member}: {response:?}");
        }
    }

    assert_eq!(advertised(server(), "code_challenge_methods_supported"), ["S256"]);
    for method in ["plain", "S512", "s256"] {
        let response = query(&host.send(authorize(&[("code_challenge_method", method)])));
        assert_eq!(response["error"], "invalid_request", "{method}");
    }
    assert_eq!(advertised(server(), "response_types_supported"), ["code"]);
    for response_type in ["token", "id_token", "code id_token", "none"] {
        let response = query(&host.send(authorize(&[("response_type", response_type)])));
        assert_eq!(response["error"], "unsupported_response_type", "{response_type}");
    }
    let prompts = advertised(server(), "prompt_values_supported");
    for prompt in ["none", "login", "consent", "select_account", "create", "hello"] {
        let response = host.send(authorize(&[("prompt", prompt)]));
        let refused = location(&response).is_some_and(|location| location.contains("error=invalid_request"));
        assert_eq!(!refused, prompts.iter().any(|name| name == prompt), "{prompt}: {response:?}");
    }
}

#[test]
fn tokens_are_for_the_advertised_resources_and_no_others() {
    let server = server_with(|text| {
        format!("{text}\nresource_indicators = [\"https://files.example\", \"https://mail.example\"]")
    });
    let bank = Bank::at(&server);
    bank.change("bank", |client| client.dpop_bound_access_tokens = false);
    let resources = advertised(&server, "protected_resources");
    assert_eq!(resources.len(), 3);
    for resource in resources.iter().map(String::as_str).chain(["https://other.example", "urn:x"]) {
        let response = bank.send(bank.own_token(&[("resource", resource)]));
        if resources.iter().any(|listed| listed == resource) {
            let token = &json(&response)["access_token"];
            assert_eq!(payload(token)["aud"], resource, "{response:?}");
        } else {
            assert_eq!(crate::token::error(&response), "invalid_target", "{resource}");
        }
    }
}
