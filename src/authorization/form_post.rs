//! The page that posts an answer to the client (OAuth 2.0 Form Post Response Mode).

use ::http::{StatusCode, header};
use askama::Template;
use base64ct::{Base64, Encoding};
use url::Url;

use crate::http::Response;
use crate::redirect_uri::TrustedRedirectUri;
use crate::secret::Digest;

/// All the script there is.
const SCRIPT: &str = "document.forms[0].submit()";

/// Every value is escaped by the template. A user agent that runs no script shows the button.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Back to the app</title></head>
<body><main><form method="post" action="{{ action }}">
{% for (name, value) in fields %}<input type="hidden" name="{{ name }}" value="{{ value }}">
{% endfor %}<noscript><p>Please continue to the app.</p><p><button>Continue</button></p></noscript>
</form></main>
<script>{{ script|safe }}</script></body></html>
"#
)]
struct Page<'a> {
    action: &'a str,
    fields: &'a [(&'a str, &'a str)],
    script: &'static str,
}

/// The page; `None` where it can not be written.
pub(super) fn page(to: &TrustedRedirectUri, fields: &[(&str, &str)]) -> Option<Response> {
    let body = Page { action: to.as_str(), fields, script: SCRIPT }.render().ok()?;
    let script = Base64::encode_string(Digest::of(SCRIPT.as_bytes()).as_bytes());
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{script}'; form-action {}; frame-ancestors 'none'; base-uri 'none'",
        form_action(to)?
    );
    let page = Response { body: body.into_bytes(), ..Response::empty(StatusCode::OK) }
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        // "Because the Authorization Response is intended to be used only once, the Authorization Server MUST instruct the
        // User Agent (and any intermediaries) not to store or reuse the content of the response."
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::PRAGMA, "no-cache")
        .header(header::CONTENT_SECURITY_POLICY, &policy)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        // The address has the request in it. Under `no-referrer` the post would have no `Origin` to be judged by.
        .header(header::REFERRER_POLICY, "strict-origin");
    Some(page)
}

/// What `form-action` must admit (CSP 3 §2.3.1). Browsers hold every redirect that follows a form's submission against it, and so
/// wherever the client's own endpoint leads: no more than schemes, so that the redirect URI writes nothing into the policy.
fn form_action(to: &TrustedRedirectUri) -> Option<String> {
    Some(match Url::parse(to.as_str()).ok()?.scheme() {
        "https" => "https:".to_owned(),
        "http" => "http: https:".to_owned(),
        app => format!("{app}:"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(uri: &str) -> TrustedRedirectUri {
        TrustedRedirectUri::only(&[uri.to_owned()]).expect("a redirect URI")
    }

    #[test]
    fn nothing_a_client_says_leaves_its_attribute() {
        let state = r#""><script>alert(1)</script>'&amp;"#;
        let page = page(&to("https://c.example/cb?a=1&b='2"), &[("state", state)]).expect("a page");
        let body = String::from_utf8(page.body).expect("UTF-8");
        assert_eq!(body.matches("<script>").count(), 1);
        assert_eq!(body.matches('"').count() % 2, 0);
        assert!(!body.contains("alert(1)</script>"), "{body}");
        assert!(body.contains("&#38;amp;"), "{body}");
        assert!(body.contains("action=\"https://c.example/cb?a=1&#38;b=&#39;2\""), "{body}");
    }

    #[test]
    fn the_policy_admits_the_one_script_and_where_the_form_leads() {
        for (uri, form_action) in [
            ("https://c.example/cb", "form-action https:;"),
            ("http://127.0.0.1/cb", "form-action http: https:;"),
            ("com.example.app:/cb", "form-action com.example.app:;"),
        ] {
            let page = page(&to(uri), &[]).expect("a page");
            let policy = page.headers.get(header::CONTENT_SECURITY_POLICY).expect("a policy");
            let policy = policy.to_str().expect("text");
            assert!(policy.contains(form_action), "{policy}");
            let hash = Base64::encode_string(Digest::of(SCRIPT.as_bytes()).as_bytes());
            assert!(policy.contains(&format!("script-src 'sha256-{hash}';")), "{policy}");
            assert!(
                String::from_utf8(page.body).expect("UTF-8").contains(&format!("<script>{SCRIPT}</script>"))
            );
        }
    }
}
