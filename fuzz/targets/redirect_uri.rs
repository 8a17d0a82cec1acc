//! A registered redirect URI and, on the next line, the one of a request.

#![no_main]

use attesto::redirect_uri::{TrustedRedirectUri, is_acceptable};
use url::Url;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (registered, requested) = text.split_once('\n').unwrap_or((text, text));
    let Some(found) = TrustedRedirectUri::find(requested, &[registered.to_owned()]) else { return };
    assert!(is_acceptable(registered) && is_acceptable(requested));
    let answer = found.with_query([("code", "a&b=c#d"), ("state", text)]);
    let (registered, answer) = (Url::parse(registered).expect("a URL"), Url::parse(&answer).expect("a URL"));
    assert_eq!(
        (answer.scheme(), answer.host(), answer.path()),
        (registered.scheme(), registered.host(), registered.path())
    );
    assert_eq!(answer.fragment(), None);
    assert_eq!(answer.query_pairs().filter(|(name, _)| name == "code").count(), 1);
});
