//! What a DPoP proof is for.

use std::time::Duration;

use attesto::dpop::{Htu, ProofPolicy, ProofTarget, proof};
use attesto::jose::{Algorithm, NumericDate};
use proptest::collection::vec;
use proptest::prelude::*;

/// A path segment that is none of dots alone.
fn segment() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~-]{0,5}"
}

/// The same text in another spelling: what `choices` picks is encoded, with digits of either case.
fn respelled(text: &str, choices: &[u8]) -> String {
    let mut choices = choices.iter().copied().cycle();
    text.bytes()
        .map(|octet| match (choices.next(), octet) {
            (Some(0), b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'~' | b'-') => {
                format!("%{octet:02x}")
            }
            (Some(1), b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'~' | b'-') => {
                format!("%{octet:02X}")
            }
            _ => char::from(octet).to_string(),
        })
        .collect()
}

proptest! {
    #[test]
    fn equivalent_uris_are_one_and_others_are_not(
        host in "[a-z]{1,8}(\\.[a-z]{1,8}){0,2}", https in any::<bool>(), path in vec(segment(), 0..5),
        choices in vec(0..6u8, 1..20), detours in vec(0..5u8, 5), tail in "([?][!-~]{0,9})?(#[!-~]{0,9})?",
        other in segment(),
    ) {
        let (scheme, port) = if https { ("https", 443) } else { ("http", 80) };
        let uri = format!("{scheme}://{host}/{}", path.join("/"));
        let detour = |(segment, detour): (&String, &u8)| match detour {
            0 => format!("./{}", respelled(segment, &choices)),
            1 => format!("{other}/../{}", respelled(segment, &choices)),
            2 => format!("{other}/%2E%2e/%2e/{}", respelled(segment, &choices)),
            _ => respelled(segment, &choices),
        };
        let roundabout = path.iter().zip(&detours).map(detour).collect::<Vec<_>>().join("/");
        let authority = match choices[0] {
            0 => format!("{}:{port}", host.to_uppercase()),
            1 => format!("{host}:"),
            _ => host.clone(),
        };
        let spelled = format!("{}://{authority}/{roundabout}{tail}", scheme.to_uppercase());
        let normal = Htu::parse(&uri).unwrap();
        prop_assert_eq!(Htu::parse(&spelled), Ok(normal.clone()), "{}", spelled);
        prop_assert_eq!(Htu::parse(normal.as_str()), Ok(normal.clone()));
        for different in [
            format!("{uri}/"), format!("{uri}{other}"), uri.replacen("://", "://x", 1),
            uri.replacen(&host, &format!("{host}:8443"), 1), uri.replacen(scheme, if https { "http" } else { "https" }, 1),
        ] {
            prop_assert_ne!(Htu::parse(&different), Ok(normal.clone()), "{}", different);
        }
    }

    #[test]
    fn a_normal_form_is_its_own_and_has_no_tail(text in prop_oneof![".{0,40}", "https?://[!-~]{0,40}", "https://[a.]{1,3}(/|[.]|%2[eE]|%[0-9a-f]{2}|[a?#:@]){0,12}"]) {
        if let Ok(htu) = Htu::parse(&text) {
            prop_assert_eq!(Htu::parse(htu.as_str()), Ok(htu.clone()));
            prop_assert!(!htu.as_str().contains(['?', '#', ' ']));
            // What is before the path is `https:`, nothing, and the authority.
            let mut path = htu.as_str().split('/').skip(3);
            prop_assert!(path.all(|segment| segment != "." && segment != ".."));
        }
    }

    #[test]
    fn no_text_without_a_signature_is_a_proof(text in "[A-Za-z0-9_-]{0,60}(\\.[A-Za-z0-9_-]{0,60}){0,3}", any_text in ".{0,60}") {
        let policy = ProofPolicy {
            algorithms: Algorithm::ALL.to_vec(),
            max_age: Duration::from_secs(60),
            clock_skew: Duration::from_secs(10),
        };
        let target = ProofTarget { method: "POST", urls: &["https://as.example/token"], access_token: None };
        for text in [text, any_text] {
            prop_assert!(proof::verify(&text, &target, &policy, NumericDate::from_secs(0)).is_err());
        }
    }
}
