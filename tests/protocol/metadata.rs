//! RFC 8414, OpenID Connect Discovery, RFC 7517 §5, RFC 9728.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::host::*;

fn document(path: &str) -> Value {
    let response = TestHost::new().send(get(path, None));
    assert_eq!(response.status, StatusCode::OK, "{path}");
    assert_eq!(response.headers["cache-control"], "public, max-age=3600");
    json(&response)
}

#[test]
fn the_metadata_says_what_the_server_does() {
    let document = document("/.well-known/oauth-authorization-server");
    for (member, value) in [
        ("issuer", json!("https://auth.example")),
        ("authorization_endpoint", json!("https://auth.example/oauth/authorize")),
        ("token_endpoint", json!("https://auth.example/oauth/token")),
        ("userinfo_endpoint", json!("https://auth.example/oauth/userinfo")),
        ("jwks_uri", json!("https://auth.example/.well-known/jwks.json")),
        (
            "scopes_supported",
            json!(["openid", "email", "offline_access", "read", "write", "orders:read", "orders:write"]),
        ),
        ("response_types_supported", json!(["code"])),
        (
            "response_modes_supported",
            json!(["query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt"]),
        ),
        ("authorization_signing_alg_values_supported", json!(["ES256", "RS256"])),
        ("pushed_authorization_request_endpoint", json!("https://auth.example/oauth/par")),
        ("require_pushed_authorization_requests", json!(false)),
        ("request_parameter_supported", json!(true)),
        ("require_signed_request_object", json!(false)),
        ("request_object_signing_alg_values_supported", json!(["PS256", "ES256", "EdDSA", "Ed25519"])),
        ("grant_types_supported", json!(["authorization_code", "refresh_token", "client_credentials"])),
        (
            "token_endpoint_auth_methods_supported",
            json!(["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]),
        ),
        ("revocation_endpoint", json!("https://auth.example/oauth/revoke")),
        (
            "revocation_endpoint_auth_methods_supported",
            json!(["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]),
        ),
        ("introspection_endpoint", json!("https://auth.example/oauth/introspect")),
        (
            "introspection_endpoint_auth_methods_supported",
            json!(["client_secret_basic", "client_secret_post", "private_key_jwt"]),
        ),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("subject_types_supported", json!(["public"])),
        ("id_token_signing_alg_values_supported", json!(["ES256", "RS256"])),
        ("request_uri_parameter_supported", json!(false)),
        ("protected_resources", json!(["https://api.example"])),
    ] {
        assert_eq!(document[member], value, "{member}");
    }
}

#[test]
fn openid_discovery_says_the_same() {
    let discovery = document("/.well-known/openid-configuration");
    assert_eq!(discovery, document("/.well-known/oauth-authorization-server"));
}

#[test]
fn every_endpoint_in_the_metadata_is_there() {
    let metadata = document("/.well-known/oauth-authorization-server");
    for (name, url) in metadata
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri")
    {
        let path = url.as_str().unwrap().strip_prefix("https://auth.example").unwrap();
        assert_ne!(TestHost::new().send(get(path, None)).status, StatusCode::NOT_FOUND, "{name}");
    }
}

#[test]
fn an_issuer_with_a_path_moves_the_well_known_documents_as_each_specification_says() {
    let server = server_with(|text| text.replace("https://auth.example", "https://auth.example/tenant"));
    let host = TestHost::new();
    for path in [
        "/.well-known/oauth-authorization-server/tenant", // RFC 8414 §3.1
        "/tenant/.well-known/openid-configuration",       // OIDC Discovery §4
    ] {
        let response = host.send_to(&server, get(path, None), NOW);
        assert_eq!(response.status, StatusCode::OK, "{path}");
        assert_eq!(json(&response)["token_endpoint"], "https://auth.example/tenant/oauth/token");
    }
    let response = host.send_to(&server, get("/oauth/token", None), NOW);
    assert_eq!(response.status, StatusCode::NOT_FOUND);
}

#[test]
fn the_jwk_set_holds_public_keys_only() {
    let set = document("/.well-known/jwks.json");
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    for key in keys {
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none(), "{private}");
        }
        assert!(key["kid"].is_string() && key["alg"].is_string());
    }
}

#[test]
fn the_protected_resource_document_names_resource_and_server() {
    let document = document("/.well-known/oauth-protected-resource");
    assert_eq!(document["resource"], "https://api.example");
    assert_eq!(document["authorization_servers"], json!(["https://auth.example"]));
    assert_eq!(document["bearer_methods_supported"], json!(["header"]));
}

#[test]
fn a_resource_with_a_path_has_its_document_below_the_well_known_segment() {
    let server = server_with(|text| text.replace("\"https://api.example\"", "\"https://api.example/v1\""));
    let host = TestHost::new();
    let response = host.send_to(&server, get("/.well-known/oauth-protected-resource/v1", None), NOW);
    assert_eq!(response.status, StatusCode::OK);
}

#[test]
fn documents_are_read_only() {
    let mut request = get("/.well-known/jwks.json", None);
    request.method = Method::POST;
    let response = TestHost::new().send(request);
    assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers["allow"], "GET, HEAD");
}

#[test]
fn elsewhere_there_is_nothing() {
    for path in ["/", "/oauth", "/oauth/token/", "/accounts", "//oauth/token"] {
        assert_eq!(TestHost::new().send(get(path, None)).status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn a_feature_that_is_off_has_no_route_and_no_metadata() {
    for (setting, path, members) in [
        ("revocation_enabled = false", "/oauth/revoke", &["revocation_endpoint"][..]),
        ("introspection_enabled = false", "/oauth/introspect", &["introspection_endpoint"]),
        (
            "grant_types_supported = [\"client_credentials\"]",
            "/oauth/authorize",
            &["authorization_endpoint", "userinfo_endpoint", "code_challenge_methods_supported"],
        ),
        ("par_enabled = false", "/oauth/par", &["pushed_authorization_request_endpoint"]),
        (
            "grant_types_supported = [\"client_credentials\"]",
            "/oauth/par",
            &["require_pushed_authorization_requests"],
        ),
        ("grant_types_supported = [\"client_credentials\"]", "/oauth/userinfo", &["prompt_values_supported"]),
        ("grant_types_supported = [\"client_credentials\"]", "/account/login", &["claims_supported"]),
    ] {
        let server = server_with(|text| format!("{text}\n{setting}"));
        let host = TestHost::new();
        assert_eq!(host.send_to(&server, get(path, None), NOW).status, StatusCode::NOT_FOUND, "{setting}");
        let metadata =
            json(&host.send_to(&server, get("/.well-known/oauth-authorization-server", None), NOW));
        for member in members {
            assert!(metadata.get(member).is_none(), "{setting}: {member}");
        }
        // RFC 8414 §2: REQUIRED.
        assert!(metadata["response_types_supported"].is_array());
    }
}

#[test]
fn a_path_that_lies_elsewhere_is_served_and_advertised_there() {
    let server = server_with(|text| {
        format!(
            "{text}\noauth_path_prefix = \"/mcp/oauth\"\ntoken_path = \"/t\"\nauthorize_path = \"/a\"\n\
             userinfo_path = \"/u\"\nrevocation_path = \"/r\"\npar_path = \"/p\"\n"
        )
    });
    let host = TestHost::new();
    let metadata = json(&host.send_to(&server, get("/.well-known/openid-configuration", None), NOW));
    for (member, path) in [
        ("token_endpoint", "/t"),
        ("authorization_endpoint", "/a"),
        ("userinfo_endpoint", "/u"),
        ("revocation_endpoint", "/r"),
        ("introspection_endpoint", "/mcp/oauth/introspect"),
        ("pushed_authorization_request_endpoint", "/p"),
    ] {
        assert_eq!(metadata[member], format!("https://auth.example{path}"));
        assert_ne!(host.send_to(&server, get(path, None), NOW).status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/oauth/token", "/mcp/oauth/token", "/mcp/oauth/authorize"] {
        assert_eq!(host.send_to(&server, get(path, None), NOW).status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn what_is_said_of_request_objects_follows_from_one_policy() {
    let of = |settings: &str| {
        let server = server_with(|text| format!("{text}\n{settings}"));
        let path = "/.well-known/oauth-authorization-server";
        json(&TestHost::new().send_to(&server, get(path, None), NOW))
    };
    let off = of("request_object_policy = \"off\"");
    assert_eq!(off["request_parameter_supported"], false);
    assert!(off.get("request_object_signing_alg_values_supported").is_none());
    let required = of("require_signed_request_object = true\nrequest_object_signing_algs = [\"PS256\"]");
    assert_eq!(required["require_signed_request_object"], true);
    assert_eq!(required["request_object_signing_alg_values_supported"], json!(["PS256"]));
    assert_eq!(
        of("require_pushed_authorization_requests = true")["require_pushed_authorization_requests"],
        true
    );
}

#[test]
fn every_resource_tokens_are_issued_for_is_named() {
    let server = server_with(|text| format!("{text}\nresource_indicators = [\"https://orders.example\"]"));
    let path = "/.well-known/oauth-authorization-server";
    let metadata = json(&TestHost::new().send_to(&server, get(path, None), NOW));
    assert_eq!(metadata["protected_resources"], json!(["https://api.example", "https://orders.example"]));
}
