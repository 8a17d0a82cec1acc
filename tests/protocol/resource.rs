//! RFC 8707 at the authorization endpoint.

use attesto::host::Reply;
use attesto::http::Response;
use attesto::secret::Secret;
use attesto::server::Server;
use http::StatusCode;

use crate::host::*;
use crate::par::grant;

const API: &str = "https://api.example";
const ORDERS: &str = "https://orders.example/v1";
const BILLING: &str = "https://billing.example";

fn server() -> Server {
    server_with(|text| format!("{text}\nresource_indicators = [\"{ORDERS}\", \"{BILLING}\"]"))
}

fn asking(resources: &[&str]) -> String {
    let resources = attesto::params::encode(resources.iter().map(|resource| ("resource", *resource)));
    format!("{}&{resources}", authorize_query(&[]))
}

fn ask(host: &TestHost, resources: &[&str]) -> Response {
    host.send_to(&server(), get("/oauth/authorize", Some(&asking(resources))), NOW)
}

#[track_caller]
fn assert_granted(host: &TestHost, asked: &[&str], granted: &[&str]) {
    assert!(query(&ask(host, asked)).contains_key("code"));
    assert_eq!(grant(host).resources, granted);
}

#[track_caller]
fn assert_invalid_target(host: &TestHost, asked: &[&str]) {
    assert_eq!(query(&ask(host, asked))["error"], "invalid_target", "{asked:?}");
    assert!(host.codes.borrow().is_empty());
}

#[test]
fn the_resources_asked_for_are_bound_to_the_code_once_each() {
    assert_granted(&TestHost::new(), &[], &[]);
    assert_granted(&TestHost::new(), &[API], &[API]);
    assert_granted(&TestHost::new(), &[ORDERS, API, ORDERS], &[ORDERS, API]);
}

#[test]
fn a_resource_this_server_issues_no_tokens_for_is_an_invalid_target() {
    for other in [
        "https://other.example",
        "https://orders.example",
        "https://orders.example/v1/",
        "HTTPS://api.example",
    ] {
        assert_invalid_target(&TestHost::new(), &[other]);
        assert_invalid_target(&TestHost::new(), &[API, other]);
    }
}

/// §2: "MUST be an absolute URI [and] MUST NOT include a fragment component".
#[test]
fn a_resource_that_is_no_absolute_uri_or_has_a_fragment_is_an_invalid_target() {
    for other in ["https://api.example#x", "https://api.example#", "//api.example", "/v1", "api"] {
        assert_invalid_target(&TestHost::new(), &[other]);
    }
}

#[test]
fn a_client_asks_for_what_it_is_registered_for() {
    let host = TestHost::new();
    host.clients.borrow_mut().get_mut("public").unwrap().0.resources = Some(vec![ORDERS.to_owned()]);
    assert_invalid_target(&host, &[BILLING]);
    assert_invalid_target(&host, &[ORDERS, API]);
    assert_granted(&host, &[ORDERS], &[ORDERS]);
}

#[test]
fn a_policy_takes_away_and_does_not_give() {
    let host = TestHost::new();
    host.allowed_resources.replace(Some(vec![ORDERS.to_owned(), "https://other.example".to_owned()]));
    assert_invalid_target(&host, &[BILLING]);
    assert_invalid_target(&host, &["https://other.example"]);
    assert_granted(&host, &[ORDERS], &[ORDERS]);
}

/// §2: "the authorization server […] predefined default resource": one the client may have.
#[test]
fn a_client_that_names_no_resource_gets_no_more_than_it_may_name() {
    let host = TestHost::new();
    let limit = |resources: Option<&[&str]>| {
        let resources = resources.map(|list| list.iter().map(|resource| (*resource).to_owned()).collect());
        host.clients.borrow_mut().get_mut("public").unwrap().0.resources = resources;
    };
    limit(Some(&[ORDERS, BILLING]));
    assert_granted(&host, &[], &[ORDERS, BILLING]);
    host.codes.borrow_mut().clear();
    limit(Some(&[ORDERS, API]));
    assert_granted(&host, &[], &[]);
    host.codes.borrow_mut().clear();
    limit(Some(&["https://gone.example"]));
    assert_invalid_target(&host, &[]);
    limit(None);
    host.allowed_resources.replace(Some(vec![ORDERS.to_owned()]));
    assert_invalid_target(&host, &[]);
}

#[test]
fn a_policy_that_can_not_be_asked_is_a_fault_where_there_is_something_to_choose() {
    let host = TestHost::new();
    host.fault.set("allowed_resources");
    assert_eq!(query(&ask(&host, &[]))["error"], "server_error");
    assert!(host.faults.borrow()[0].contains("allowed_resources is down"));
    assert!(query(&host.send(authorize(&[]))).contains_key("code"), "one resource leaves no choice");
}

#[test]
fn consent_to_some_resources_approves_no_others() {
    let answer = |host: &TestHost, resources: &[&str]| {
        let grant = Secret::new(host.shown_grant.borrow().clone().unwrap());
        host.reply.replace(Some(Reply::Answered { parameters: asking(resources), grant, allowed: true }));
        host.send_to(&server(), post("/account/consent", ""), NOW)
    };
    let host = TestHost::new();
    host.person.set(Person::MustBeAsked);
    ask(&host, &[API, ORDERS]);
    for others in [&[][..], &[ORDERS], &[API, ORDERS, BILLING]] {
        assert_eq!(answer(&host, others).status, StatusCode::BAD_REQUEST, "{others:?}");
    }
    assert!(query(&answer(&host, &[ORDERS, API])).contains_key("code"), "in whatever order");
}

/// RFC 9449 §10.
#[test]
fn consent_for_one_key_approves_no_other() {
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let host = TestHost::new();
    host.person.set(Person::MustBeAsked);
    host.send(authorize(&[("dpop_jkt", jkt)]));
    let answer = |jkt| {
        let grant = Secret::new(host.shown_grant.borrow().clone().unwrap());
        let parameters = authorize_query(&[("dpop_jkt", jkt)]);
        host.reply.replace(Some(Reply::Answered { parameters, grant, allowed: true }));
        host.send(post("/account/consent", ""))
    };
    assert_eq!(answer("").status, StatusCode::BAD_REQUEST);
    assert_eq!(answer(CHALLENGE).status, StatusCode::BAD_REQUEST);
    assert!(query(&answer(jkt)).contains_key("code"));
}
