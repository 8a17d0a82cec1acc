//! Where authorization responses go.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::host::{REDIRECT_URI, TestHost, get, location};

const NAMES: [&str; 14] = [
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
    "request_uri",
    "id_token_hint",
];
const VALUES: [&str; 16] = [
    "public",
    "two-uris",
    "grantless",
    REDIRECT_URI,
    "https://client.example/2",
    "https://evil.example/cb",
    "code",
    "query",
    "openid read",
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "S256",
    "none",
    "0",
    "//evil.example",
    "x\r\nLocation: https://evil.example/",
    "",
];

fn pair() -> impl Strategy<Value = (String, String)> {
    let name =
        prop_oneof![9 => proptest::sample::select(NAMES.as_slice()).prop_map(str::to_owned), 1 => ".{0,8}"];
    let value =
        prop_oneof![4 => proptest::sample::select(VALUES.as_slice()).prop_map(str::to_owned), 1 => ".{0,30}"];
    (name, value)
}

proptest! {
    #[test]
    fn no_answer_leaves_the_registered_uris_whatever_is_asked(
        settled in any::<bool>(), pairs in vec(pair(), 0..12),
    ) {
        let base: [(&str, &str); 2] = [("client_id", "public"), ("redirect_uri", REDIRECT_URI)];
        let base = base.iter().filter(|_| settled).copied();
        let asked = pairs.iter().filter(|(name, _)| !settled || !base.clone().any(|(n, _)| n == name));
        let query = attesto::params::encode(base.clone().chain(asked.map(|(n, v)| (n.as_str(), v.as_str()))));
        let response = TestHost::new().send(get("/oauth/authorize", Some(&query)));
        match location(&response) {
            Some(location) => {
                let (uri, answer) = location.split_once('?').unwrap();
                prop_assert!([REDIRECT_URI, "https://client.example/2"].contains(&uri), "{}", location);
                prop_assert_eq!(response.headers.get_all("location").iter().count(), 1);
                let answer = attesto::params::Params::parse(answer.as_bytes()).unwrap();
                prop_assert!(answer.refuse_repeated().is_ok());
                prop_assert!(answer.has("code") != answer.has("error"));
            }
            None => prop_assert!(response.status.is_client_error(), "{}", response.status),
        }
    }
}
