//! The checks of RFC 7519 §4.1 at their boundaries.

use std::time::Duration;

use attesto::jose::{ClaimError, Claims, NumericDate};
use serde_json::{Value, json};

const NOW: NumericDate = NumericDate::from_secs(1_000);
const NO_SKEW: Duration = Duration::ZERO;
const SKEW: Duration = Duration::from_secs(30);

fn claims(value: Value) -> Claims {
    Claims::from(value.as_object().unwrap().clone())
}

#[test]
fn a_token_is_refused_on_and_after_its_expiry() {
    let check =
        |exp: Value, skew| claims(json!({ "exp": exp })).check_exp(NOW, skew).map(NumericDate::as_secs);
    assert_eq!(check(json!(1_001), NO_SKEW), Ok(1_001));
    assert_eq!(check(json!(1_000), NO_SKEW), Err(ClaimError::Expired));
    assert_eq!(check(json!(999), NO_SKEW), Err(ClaimError::Expired));
    assert_eq!(check(json!(971), SKEW), Ok(971));
    assert_eq!(check(json!(970), SKEW), Err(ClaimError::Expired));
    assert_eq!(claims(json!({})).check_exp(NOW, SKEW), Err(ClaimError::Missing("exp")));
}

#[test]
fn a_token_is_refused_before_its_start() {
    let check = |nbf: Value, skew| claims(json!({ "nbf": nbf })).check_nbf(NOW, skew);
    assert_eq!(check(json!(1_000), NO_SKEW), Ok(()));
    assert_eq!(check(json!(1_001), NO_SKEW), Err(ClaimError::NotYetValid));
    assert_eq!(check(json!(1_030), SKEW), Ok(()));
    assert_eq!(check(json!(1_031), SKEW), Err(ClaimError::NotYetValid));
    assert_eq!(check(json!("1000"), NO_SKEW), Err(ClaimError::Malformed("nbf")));
    assert_eq!(claims(json!({})).check_nbf(NOW, NO_SKEW), Ok(()));
}

#[test]
fn a_time_of_issue_in_the_future_is_refused() {
    let check = |iat: Value| claims(json!({ "iat": iat })).check_iat(NOW, SKEW).map(NumericDate::as_secs);
    assert_eq!(check(json!(1_030)), Ok(1_030));
    assert_eq!(check(json!(1_031)), Err(ClaimError::IssuedInFuture));
    assert_eq!(claims(json!({})).check_iat(NOW, SKEW), Err(ClaimError::Missing("iat")));
}

#[test]
fn fractions_of_a_second_never_lengthen_a_life() {
    assert_eq!(claims(json!({ "exp": 1_000.9 })).check_exp(NOW, NO_SKEW), Err(ClaimError::Expired));
    assert!(claims(json!({ "exp": 1_001.1 })).check_exp(NOW, NO_SKEW).is_ok());
    assert_eq!(claims(json!({ "nbf": 1_000.1 })).check_nbf(NOW, NO_SKEW), Err(ClaimError::NotYetValid));
    assert_eq!(claims(json!({ "nbf": 999.9 })).check_nbf(NOW, NO_SKEW), Ok(()));
    assert_eq!(claims(json!({ "iat": 1e3 })).time("iat"), Ok(Some(NOW)));
}

#[test]
fn a_time_must_be_a_number_that_a_clock_can_show() {
    for exp in [json!("1001"), json!(null), json!(true), json!([1_001]), json!({}), json!(-1), json!(-0.5)] {
        assert_eq!(
            claims(json!({ "exp": exp })).check_exp(NOW, NO_SKEW),
            Err(ClaimError::Malformed("exp")),
            "{exp}"
        );
    }
    for exp in [json!(1_u64 << 53), json!(u64::MAX), json!(1e300), json!(9.1e15)] {
        assert_eq!(
            claims(json!({ "exp": exp })).check_exp(NOW, NO_SKEW),
            Err(ClaimError::Malformed("exp")),
            "{exp}"
        );
    }
}

#[test]
fn arithmetic_at_the_ends_of_time_does_not_wrap() {
    let end = NumericDate::from_secs(u64::MAX);
    assert_eq!(claims(json!({ "exp": 1 })).check_exp(end, Duration::MAX), Err(ClaimError::Expired));
    assert_eq!(claims(json!({ "nbf": 1 })).check_nbf(NumericDate::from_secs(0), SKEW), Ok(()));
}

#[test]
fn the_issuer_must_match_exactly() {
    let check = |iss: Value| claims(json!({ "iss": iss })).check_iss("https://as.example");
    assert_eq!(check(json!("https://as.example")), Ok(()));
    for iss in ["https://as.example/", "https://AS.example", "", "https://as.example.evil.test"] {
        assert_eq!(check(json!(iss)), Err(ClaimError::WrongIssuer), "{iss}");
    }
    assert_eq!(check(json!(["https://as.example"])), Err(ClaimError::Malformed("iss")));
    assert_eq!(claims(json!({})).check_iss("a"), Err(ClaimError::Missing("iss")));
}

#[test]
fn the_audience_is_a_string_or_an_array_that_names_the_reader() {
    let check =
        |aud: Value| claims(json!({ "aud": aud })).check_aud(&["https://a.example", "https://b.example"]);
    assert_eq!(check(json!("https://b.example")), Ok(()));
    assert_eq!(check(json!(["https://other.example", "https://a.example"])), Ok(()));
    assert_eq!(check(json!("https://other.example")), Err(ClaimError::WrongAudience));
    assert_eq!(check(json!(["https://a.example/"])), Err(ClaimError::WrongAudience));
    assert_eq!(check(json!([])), Err(ClaimError::Malformed("aud")));
    assert_eq!(check(json!(["https://a.example", 1])), Err(ClaimError::Malformed("aud")));
    assert_eq!(check(json!({ "a": "https://a.example" })), Err(ClaimError::Malformed("aud")));
    assert_eq!(check(json!(null)), Err(ClaimError::Malformed("aud")));
    assert_eq!(claims(json!({})).check_aud(&["a"]), Err(ClaimError::Missing("aud")));
    // Nobody is not everybody.
    assert_eq!(claims(json!({ "aud": "a" })).check_aud::<&str>(&[]), Err(ClaimError::WrongAudience));
}

#[test]
fn required_strings_are_present_and_not_empty() {
    let claims = claims(json!({ "sub": "alice", "client_id": "", "jti": 1 }));
    assert_eq!(claims.required_string("sub"), Ok("alice"));
    assert_eq!(claims.required_string("client_id"), Err(ClaimError::Malformed("client_id")));
    assert_eq!(claims.required_string("jti"), Err(ClaimError::Malformed("jti")));
    assert_eq!(claims.required_string("iss"), Err(ClaimError::Missing("iss")));
}
