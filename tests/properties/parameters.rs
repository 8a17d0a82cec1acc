//! Parameters, redirect URIs and PKCE.

use attesto::params::{Params, encode};
use attesto::pkce::CodeChallenge;
use attesto::redirect_uri::{TrustedRedirectUri, is_acceptable};
use base64ct::{Base64UrlUnpadded, Encoding};
use proptest::collection::vec;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

proptest! {
    #[test]
    fn parameters_survive_their_encoding(pairs in vec((".{0,20}", ".{1,20}"), 0..20)) {
        let text = encode(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let params = Params::parse(text.as_bytes()).unwrap();
        for (name, _) in &pairs {
            let expected: Vec<_> = pairs.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect();
            prop_assert_eq!(params.all(name).collect::<Vec<_>>(), expected);
        }
        prop_assert_eq!(params.encode(), text);
    }

    #[test]
    fn what_is_read_of_any_octets_is_read_again(octets in vec(any::<u8>(), 0..200)) {
        if let Ok(params) = Params::parse(&octets) {
            let text = params.encode();
            prop_assert_eq!(Params::parse(text.as_bytes()).unwrap().encode(), text);
        }
    }

    #[test]
    fn only_a_registered_uri_or_its_loopback_port_is_trusted(
        registered in "(https|http|com\\.app|javascript)://(client\\.example|127\\.0\\.0\\.1|\\[::1\\])(:[0-9]{1,5})?/[a-z./%?=&]{0,12}",
        requested in "(https|http|com\\.app|javascript)://(client\\.example|127\\.0\\.0\\.1|\\[::1\\])(:[0-9]{1,5})?/[a-z./%?=&]{0,12}",
        other in ".{0,60}",
    ) {
        for requested in [&requested, &other, &registered] {
            let Some(found) = TrustedRedirectUri::find(requested, std::slice::from_ref(&registered)) else { continue };
            prop_assert_eq!(found.as_str(), requested);
            prop_assert!(is_acceptable(&registered) && is_acceptable(requested));
            if *requested != registered {
                let without_port = |uri: &str| {
                    let mut url = url::Url::parse(uri).unwrap();
                    url.set_port(None).unwrap();
                    url
                };
                prop_assert_eq!(without_port(requested), without_port(&registered));
                prop_assert!(registered.starts_with("http://127.0.0.1") || registered.starts_with("http://[::1]"));
            }
        }
    }

    #[test]
    fn no_verifier_but_its_own_meets_a_challenge(
        verifier in "[A-Za-z0-9._~-]{43,128}",
        other in prop_oneof!["[A-Za-z0-9._~-]{43,128}", ".{0,130}"],
    ) {
        let text = Base64UrlUnpadded::encode_string(&Sha256::digest(&verifier));
        let challenge = CodeChallenge::from_request(&text, Some("S256")).unwrap();
        prop_assert_eq!(challenge.as_str(), &text);
        prop_assert!(challenge.is_met_by(&verifier));
        prop_assert_eq!(challenge.is_met_by(&other), other == verifier);
    }

    #[test]
    fn any_challenge_is_judged(challenge in ".{0,60}", method in proptest::option::of(".{0,6}")) {
        if let Ok(challenge) = CodeChallenge::from_request(&challenge, method.as_deref()) {
            prop_assert_eq!(challenge.as_str().len(), 43);
        }
    }
}
