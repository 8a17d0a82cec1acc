//! Client libraries, unmodified, against the whole application. Each says which grants it has completed, and has failed
//! when one is missing.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "clippy allows these in test functions, and their helpers are test code too"
)]

mod house;
mod program;
mod rust_clients;

use house::House;

/// The grants and the endpoints beside them.
const EVERYTHING: [&str; 6] =
    ["authorization_code", "userinfo", "refresh_token", "client_credentials", "introspection", "revocation"];

/// What oauth4webapi does under either profile of FAPI 2.0, once it has an answer.
const WITH_A_KEY: [&str; 7] = [
    "authorization_code",
    "userinfo",
    "protected resource",
    "refresh_token",
    "client_credentials",
    "signed introspection",
    "revocation",
];

#[test]
fn oauth4webapi_completes_every_grant() {
    let house = House::start();
    assert_eq!(program::node(&house, "oauth4webapi.js"), EVERYTHING);
}

#[test]
fn openid_client_completes_every_grant() {
    let house = House::start();
    assert_eq!(program::node(&house, "openid-client.js"), EVERYTHING);
}

#[test]
fn jose_verifies_every_kind_of_token_against_the_published_keys() {
    let house = House::start();
    let tokens = ["access token of a person", "ID token", "access token of a client"];
    assert_eq!(program::node(&house, "jose.js"), tokens);
}

#[test]
fn authlib_completes_every_grant() {
    let house = House::start();
    assert_eq!(program::python(&house, "authlib_client.py"), EVERYTHING);
}

#[test]
fn openidconnect_completes_every_grant() {
    let house = House::start();
    assert_eq!(rust_clients::openidconnect(&house), EVERYTHING);
}

#[test]
fn oauth2_completes_every_grant() {
    let house = House::start();
    let grants = EVERYTHING.into_iter().filter(|grant| *grant != "userinfo");
    assert_eq!(rust_clients::oauth2(&house), grants.collect::<Vec<_>>());
}

#[test]
fn openid_client_completes_the_message_signing_profile() {
    let house = House::fapi("profile = \"fapi2-message-signing\"");
    assert_eq!(
        program::node(&house, "fapi-openid-client.js"),
        [
            "signed request",
            "pushed request",
            "signed response",
            "authorization_code",
            "userinfo",
            "no userinfo without the key",
            "refresh_token",
            "signed introspection",
            "revocation",
            "no code twice",
        ]
    );
}

#[test]
fn oauth4webapi_completes_the_security_profile_with_nonces_that_are_good_once() {
    let house = House::fapi("profile = \"fapi2-security\"\ndpop_nonces = \"single_use\"");
    assert_eq!(
        program::node(&house, "fapi-oauth4webapi.js"),
        [&["pushed request"][..], &WITH_A_KEY].concat()
    );
}

#[test]
fn oauth4webapi_completes_the_message_signing_profile() {
    let house = House::fapi("profile = \"fapi2-message-signing\"");
    assert_eq!(
        program::node(&house, "fapi-oauth4webapi.js"),
        [&["signed request", "pushed request", "signed response"][..], &WITH_A_KEY].concat()
    );
}
