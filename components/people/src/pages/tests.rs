use super::*;
use crate::secret::tests::counting;

fn settings() -> Settings {
    Settings::new("default", "https://id.example.com", "/account").unwrap()
}

fn secret() -> Secret {
    Secret::random(&counting()).unwrap()
}

fn html(response: &Response) -> &str {
    std::str::from_utf8(&response.body).unwrap()
}

fn policy(response: &Response) -> &str {
    let (_, value) = response.headers.iter().find(|(name, _)| *name == "content-security-policy").unwrap();
    value
}

fn consent_page(client: &str, redirect_uri: &str, scope: &str) -> Response {
    let form = ConsentForm {
        parameters: "a=1&b=2",
        grant: "grant-1",
        client_id: "app",
        redirect_uri,
        scope,
        resources: &[],
    };
    consent(&settings(), &secret(), &form, client, "Alice").unwrap()
}

#[test]
fn the_consent_page_says_at_which_resources() {
    let resources = ["https://a.example/<1>".to_owned(), "https://b.example".to_owned()];
    let scope = "read";
    let redirect_uri = "https://app.example/cb";
    let form = ConsentForm {
        parameters: "",
        grant: "",
        client_id: "app",
        redirect_uri,
        scope,
        resources: &resources,
    };
    let page = consent(&settings(), &secret(), &form, "App", "Alice").unwrap();
    let html = String::from_utf8(page.body).unwrap();
    assert!(html.contains("https://a.example/&#60;1&#62;") && html.contains("https://b.example"), "{html}");
    let without = ConsentForm { resources: &[], ..form };
    let page = consent(&settings(), &secret(), &without, "App", "Alice").unwrap();
    assert!(!String::from_utf8(page.body).unwrap().contains("id=\"resources\""));
}

fn sign_in_page(client: &str, redirect_uri: &str, username: &str, problem: Option<Problem>) -> Response {
    let form = SignInForm { parameters: "a=1&b=2", client, redirect_uri };
    sign_in(&settings(), &secret(), &form, username, problem).unwrap()
}

#[test]
fn pages_are_neither_stored_nor_framed_nor_sniffed_and_load_nothing_from_elsewhere() {
    let settings = settings();
    for page in [
        sign_in_page("App", "https://app.example.com/cb", "", None),
        consent_page("App", "https://app.example.com/cb", "openid"),
        account(&settings, None).unwrap(),
        notice(&settings, 404, "Not found", "No.").unwrap(),
    ] {
        let header = |name: &str| {
            page.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
        };
        assert_eq!(header("cache-control"), Some("no-store"));
        assert_eq!(header("x-frame-options"), Some("DENY"));
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
        assert_eq!(header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(header("referrer-policy"), Some("same-origin"));
        for directive in
            ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'self'"]
        {
            assert!(policy(&page).split("; ").any(|known| known == directive), "{directive}");
        }
        for forbidden in ["<script", "<style", " style=", "javascript:", "http://", "https://cdn"] {
            assert!(!html(&page).contains(forbidden), "{forbidden}");
        }
    }
}

#[test]
fn forms_may_lead_here_and_along_the_clients_scheme_only() {
    let of = |page: &Response| {
        policy(page).split("; ").find(|one| one.starts_with("form-action")).unwrap().to_owned()
    };
    let site = "https://app.example.com:8443/cb?x";
    assert_eq!(of(&consent_page("App", site, "openid")), "form-action 'self' https:");
    assert_eq!(of(&sign_in_page("App", site, "", None)), "form-action 'self' https:");
    assert_eq!(
        of(&consent_page("App", "com.example.app:/cb", "openid")),
        "form-action 'self' com.example.app:"
    );
    assert_eq!(of(&account(&settings(), None).unwrap()), "form-action 'self'");
}

#[test]
fn a_redirect_uri_cannot_write_into_the_policy() {
    for uri in [
        "https://a.example;script-src *",
        "https://a.example/;script-src *",
        "x;y:/",
        "https://*/",
        "\r\nx: y",
    ] {
        for page in [consent_page("App", uri, "openid"), sign_in_page("App", uri, "", None)] {
            assert!(!policy(&page).contains(['*', '\r', '\n', ',']), "{uri}: {}", policy(&page));
            assert!(!policy(&page).contains("script-src"), "{uri}: {}", policy(&page));
        }
    }
}

#[test]
fn what_others_chose_cannot_become_markup() {
    let attack = "\"><script>alert(1)</script><b x='";
    let label = client_label(attack, "app");
    for page in [
        consent_page(&label, "https://app.example.com/cb", attack),
        sign_in_page(&label, attack, attack, Some(Problem::Wrong)),
    ] {
        let html = html(&page);
        assert!(!html.contains("<script") && !html.contains("<b x"), "{html}");
    }
}

#[test]
fn the_consent_page_says_who_wants_what_and_where_it_leads() {
    let page = consent_page("Photo Shelf", "https://photos.example.com/cb", "openid email photos.read");
    let html = html(&page);
    for part in [
        "<bdi class=\"name\">Photo Shelf</bdi>",
        "<strong>photos.example.com</strong>",
        "Recognise you when you sign in",
        "See your email address",
        "<code><bdi>photos.read</bdi></code>",
        ">Alice</bdi>",
        "value=\"deny\"",
        "value=\"allow\"",
        "Use another account",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
}

#[test]
fn every_scope_value_is_on_the_consent_page() {
    let page = consent_page(
        "App",
        "https://a.example/",
        "openid profile email address phone offline_access urn:x:y",
    );
    assert_eq!(html(&page).matches("<li>").count(), 7);
    assert!(html(&consent_page("App", "https://a.example/", "")).contains("no particular permission"));
}

#[test]
fn an_app_on_the_device_is_named_by_scheme_or_loopback_address_with_a_warning() {
    let by_scheme = consent_page("App", "com.example.app:/cb", "openid");
    assert!(html(&by_scheme).contains("<strong>com.example.app:</strong>"));
    let by_address = consent_page("App", "http://127.0.0.1:8080/cb", "openid");
    assert!(html(&by_address).contains("<strong>127.0.0.1:8080</strong>"));
    for page in [by_scheme, by_address] {
        assert!(html(&page).contains("Allow this only if you have just started it there."));
    }
}

#[test]
fn each_field_has_a_label_and_says_what_fills_it() {
    let page = sign_in_page("App", "https://a.example/", "", None);
    for part in [
        "<label for=\"username\">",
        "<label for=\"password\">",
        "autocomplete=\"username\"",
        "autocomplete=\"current-password\"",
        "<html lang=\"en\">",
    ] {
        assert!(html(&page).contains(part), "{part}");
    }
    assert!(!html(&page).contains("role=\"alert\""));
    assert_eq!(page.status, 200);
}

#[test]
fn a_problem_is_announced_and_tied_to_the_fields() {
    let page = sign_in_page("App", "https://a.example/", "alice", Some(Problem::Wrong));
    assert_eq!(page.status, 422);
    assert!(html(&page).contains("id=\"problem\" role=\"alert\""));
    assert_eq!(html(&page).matches("aria-describedby=\"problem\"").count(), 2);
    assert!(html(&page).contains("<title>Error: Sign in"));
    assert_eq!(sign_in_page("App", "https://a.example/", "alice", Some(Problem::Throttled)).status, 429);
}

#[test]
fn the_cursor_starts_in_the_first_field_that_is_empty() {
    let focused = |username: &str| {
        let page = sign_in_page("App", "https://a.example/", username, None);
        let before = html(&page).split(" autofocus").next().unwrap().to_owned();
        before.rsplit_once("<input id=\"").unwrap().1.split('"').next().unwrap().to_owned()
    };
    assert_eq!(focused(""), "username");
    assert_eq!(focused("alice"), "password");
}

#[test]
fn a_client_name_is_one_line_of_bounded_length_that_turns_no_direction() {
    assert_eq!(client_label("  Photo\r\n\tShelf ", "app"), "Photo Shelf");
    assert_eq!(client_label("\u{202E}evil\u{2066}\u{200F}\u{FEFF}", "app"), "evil");
    assert_eq!(client_label("a\0b\u{7f}c\u{85}d", "app"), "a b c d");
    assert_eq!(client_label(&"x".repeat(80), "app"), "x".repeat(80));
    assert_eq!(client_label(&"é".repeat(100_000), "app"), format!("{}…", "é".repeat(80)));
    assert_eq!(client_label("مرحبا", "app"), "مرحبا");
}

#[test]
fn a_client_without_a_name_is_called_by_its_id() {
    assert_eq!(client_label("", "app"), "app");
    assert_eq!(client_label(" \u{200B}\u{202E} ", "app\u{202E}"), "app");
}

#[test]
fn the_assets_address_changes_with_their_content() {
    let page = notice(&settings(), 404, "Not found", "No.").unwrap();
    assert!(html(&page).contains(&format!("/account/style.css?v={}", &*VERSION)));
    assert_eq!(VERSION.len(), 10);
}

#[test]
fn the_stylesheet_loads_nothing() {
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
}
