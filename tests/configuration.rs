//! docs/configuration.md says what is so: every key there is, with its default, and a place for every key of the
//! reference.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "clippy allows these in test functions, and their helpers are test code too"
)]

use std::collections::BTreeSet;

use attesto::config::Config;

const PAGE: &str = include_str!("../docs/configuration.md");

/// Every member of the reference's `AttestoPhoenix.Config`.
const REFERENCE: &str = "
    access_token_ttl acr_values_supported audience authenticate_device_user authenticate_resource_owner
    authorization_code_ttl authorization_endpoint authorization_response_iss authorize_path authorize_scope basic_realm
    bearer_methods_supported build_id_token_claims build_principal build_userinfo_claims cert_der
    claims_parameter_supported claims_provider claims_supported client_auth_signing_algs
    client_backchannel_logout_session_required client_backchannel_logout_uri client_grant_types client_id
    client_id_metadata client_jwks client_post_logout_redirect_uris client_public? client_redirect_uris
    client_registration_access_token_hash client_requires_dpop? client_requires_mtls? client_store code_store consent
    consent_grant_store consent_policy device_authorization device_authorization_path device_code_store
    device_verification_path dpop_enabled dpop_nonce_required end_session_path event_sink grant_types_supported htu
    introspection_authorize introspection_path issue_refresh_token? issuer jwt_bearer keystore load_client
    load_principal logout logout_session_store mtls_enabled no_store nonce_store oauth_path_prefix on_event par_path
    par_store par_ttl principal_kinds principal_store refresh_store refresh_token_rotation_grace_seconds
    refresh_token_ttl register_client registration registration_default_scope registration_enabled registration_path
    render_device_verification render_logged_out replay_check repo request_object_policy require_https require_nonce
    require_pkce require_pushed_authorization_requests resolve_jwt_bearer_subject resource_indicators resource_metadata
    revocation_path scope_policy scopes_supported send_error sweep_interval_ms table_prefix terminate_session
    token_endpoint_auth_methods_supported token_path trusted_proxies ui_locales_supported unregister_client
    userinfo_endpoint userinfo_path verify_client_secret www_authenticate";

/// One for each required key.
const REQUIRED: [(&str, &str); 3] = [
    ("issuer", "\"https://auth.example\""),
    ("audience", "\"https://api.example\""),
    ("scopes_supported", "[\"openid\"]"),
];

/// The required keys, and `line`.
fn with(line: &str) -> Result<Config, String> {
    let required: String = REQUIRED.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    Config::from_toml(&format!("{required}{line}")).map_err(|error| error.to_string())
}

/// The rows of the table below this heading, cell by cell.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).expect("the section is there");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix('|'));
    // The first is the heading; the line below it begins with a hyphen.
    rows.skip(1).map(|row| row.split(" |").map(str::trim).collect()).collect()
}

/// What stands in backticks, if that is all.
fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`').filter(|code| !code.contains('`'))
}

fn cell<'a>(row: &[&'a str], number: usize) -> &'a str {
    row.get(number).copied().unwrap_or_else(|| panic!("{row:?} has no cell {number}"))
}

/// The keys the settings have, as the message about an unknown one lists them.
fn accepted() -> BTreeSet<String> {
    let refusal = with("no_such_key = 1").expect_err("an unknown key");
    let (_, expected) = refusal.split_once("expected one of ").expect("the keys there are");
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_setting_is_documented_and_every_documented_one_is_there() {
    let documented: Vec<_> =
        table("Settings").iter().map(|row| code(cell(row, 0)).expect("a key").to_owned()).collect();
    let unique: BTreeSet<_> = documented.iter().cloned().collect();
    assert_eq!(unique.len(), documented.len(), "a key is there twice");
    assert_eq!(unique, accepted());
}

#[test]
fn the_documented_defaults_are_what_holds_without_the_key() {
    let unchanged = format!("{:?}", with("").expect("the required keys are enough"));
    for row in table("Settings") {
        let (key, default) = (code(cell(&row, 0)).expect("a key"), cell(&row, 1));
        match (default, code(default)) {
            ("required", _) => assert!(REQUIRED.iter().any(|(required, _)| *required == key), "{key}"),
            ("none", _) => {}
            (_, Some(default)) => {
                let config = with(&format!("{key} = {default}")).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(format!("{config:?}"), unchanged, "{key}");
            }
            _ => panic!("the default of {key} is neither a value, nor `none`, nor `required`"),
        }
    }
}

#[test]
fn what_is_documented_as_required_is_refused_when_missing() {
    for (missing, _) in REQUIRED {
        let rest = REQUIRED.iter().filter(|(key, _)| *key != missing);
        let text: String = rest.map(|(key, value)| format!("{key} = {value}\n")).collect();
        let refusal = Config::from_toml(&text).expect_err("a required key is missing").to_string();
        assert!(refusal.contains(missing), "{refusal}");
    }
}

#[test]
fn every_key_of_the_reference_has_a_row_in_alphabetical_order() {
    let rows = table("Coming from attesto_phoenix");
    let keys: Vec<_> = rows.iter().map(|row| code(cell(row, 0)).expect("a key")).collect();
    assert_eq!(keys, REFERENCE.split_whitespace().collect::<Vec<_>>());
    assert!(rows.iter().all(|row| row.len() == 4), "a row has not four cells");
}

#[test]
fn the_places_named_for_the_references_keys_exist() {
    let accepted = accepted();
    for row in table("Coming from attesto_phoenix") {
        let (reference, here, note) = (cell(&row, 0), cell(&row, 1), cell(&row, 3));
        let exists = match here.split_once(' ') {
            Some(("manifest:", package)) => code(package).is_some_and(in_manifest),
            Some(("command:", _)) => true,
            Some((package, function)) => in_contract(code(package), code(function)),
            None if matches!(here, "planned" | "no") => !note.is_empty(),
            None => code(here).is_some_and(|key| accepted.contains(key)),
        };
        assert!(exists, "{reference} is said to be {here}");
    }
}

fn in_manifest(package: &str) -> bool {
    include_str!("../spin.toml").contains(&format!("\"{package}@"))
}

/// Whether the WIT package has the interface, or the function of it.
fn in_contract(package: Option<&str>, place: Option<&str>) -> bool {
    let (Some(package), Some(place)) = (package.and_then(|name| name.strip_prefix("attesto:")), place) else {
        return false;
    };
    let file = format!("{}/wit/{package}/{package}.wit", env!("CARGO_MANIFEST_DIR"));
    let contract = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let (interface, function) =
        place.split_once('.').map_or((place, None), |(interface, function)| (interface, Some(function)));
    let Some((_, body)) = contract.split_once(&format!("\ninterface {interface} {{\n")) else { return false };
    let body = body.split("\n}").next().unwrap_or_default();
    function.is_none_or(|function| body.contains(&format!("\n  {function}: async func(")))
}
