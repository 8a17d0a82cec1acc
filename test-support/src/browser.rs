//! A browser of few words: it keeps cookies, follows no redirect unless told, and fills in forms.

use std::time::Duration;

use ureq::Agent;
use ureq::http::Response;
use ureq::tls::{Certificate, ClientCert, PrivateKey, TlsConfig};

const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The browser of one person.
#[derive(Debug)]
pub struct Browser {
    agent: Agent,
    origin: String,
}

/// A page, or whatever else came back.
#[derive(Debug)]
pub struct Page {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: ureq::http::HeaderMap,
    /// The body.
    pub body: String,
}

impl Browser {
    /// A browser without a past, at this origin (`http://host:port`).
    pub fn new(origin: impl Into<String>) -> Self {
        Self::with(origin, TlsConfig::default())
    }

    /// What shows this certificate, or none, at an https origin: certificate and private key, PEM. It does not look at the
    /// server's certificate.
    pub fn over_tls(origin: impl Into<String>, certificate: Option<(&str, &str)>) -> Self {
        let certificate = certificate.map(|(certificate, key)| {
            let certificate = Certificate::from_pem(certificate.as_bytes()).expect("a certificate");
            let key = PrivateKey::from_pem(key.as_bytes()).expect("a private key");
            ClientCert::new_with_certs(&[certificate], key)
        });
        Self::with(origin, TlsConfig::builder().disable_verification(true).client_cert(certificate).build())
    }

    fn with(origin: impl Into<String>, tls: TlsConfig) -> Self {
        let config = Agent::config_builder()
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(TIME_LIMIT))
            .tls_config(tls)
            .build();
        Self { agent: config.into(), origin: origin.into() }
    }

    /// `GET` of a path, or of a whole URL.
    pub fn get(&self, target: &str) -> Page {
        Page::read(self.agent.get(self.url(target)).call())
    }

    /// `GET` with an access token.
    pub fn get_with_token(&self, target: &str, token: &str) -> Page {
        Page::read(self.agent.get(self.url(target)).header("authorization", format!("Bearer {token}")).call())
    }

    /// `POST` of a form.
    pub fn post(&self, target: &str, fields: &[(&str, &str)]) -> Page {
        self.post_with(target, fields, &[])
    }

    /// `POST` of a form with further header fields.
    pub fn post_with(&self, target: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Page {
        let mut request = self.agent.post(self.url(target));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Page::read(request.send_form(fields.iter().copied()))
    }

    /// `POST` of anything.
    pub fn post_body(&self, target: &str, media_type: &str, body: &[u8]) -> Page {
        Page::read(self.agent.post(self.url(target)).header("content-type", media_type).send(body))
    }

    /// Fills in the page's form for `action` and sends it: its hidden fields as they are, and `fields`.
    pub fn submit(&self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        let hidden = page.form(action);
        let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let fields: Vec<_> = hidden.chain(fields.iter().copied()).collect();
        // As a real browser does on a page of the same origin.
        self.post_with(action, &fields, &[("origin", &self.origin), ("sec-fetch-site", "same-origin")])
    }

    fn url(&self, target: &str) -> String {
        if target.starts_with('/') { format!("{}{target}", self.origin) } else { target.to_owned() }
    }
}

impl Page {
    fn read(response: Result<Response<ureq::Body>, ureq::Error>) -> Self {
        let response = response.unwrap_or_else(|error| panic!("no answer: {error}"));
        let (parts, mut body) = response.into_parts();
        let body = body.read_to_string().unwrap_or_else(|error| panic!("no readable body: {error}"));
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// A header field, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or_default())
    }

    /// Where the redirect leads.
    pub fn location(&self) -> &str {
        assert!(self.status == 303, "no redirect but {}: {}", self.status, self.body);
        self.header("location")
    }

    /// A parameter of the redirect's query.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.location().split_once('?')?;
        form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}: {}", self.status, self.body))
    }

    /// The hidden fields of the form for `action`.
    pub fn form(&self, action: &str) -> Vec<(String, String)> {
        let forms = self.body.split("<form").skip(1).filter_map(|form| form.split_once("</form>"));
        let mut forms = forms.map(|(form, _)| form);
        let form = forms.find(|form| attribute(form, "action").as_deref() == Some(action));
        form.unwrap_or_else(|| panic!("no form for {action} in {}: {}", self.status, self.body))
            .split("<input")
            .skip(1)
            .filter_map(|input| input.split_once('>').map(|(tag, _)| tag))
            .filter(|tag| tag.contains("type=\"hidden\""))
            .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?)))
            .collect()
    }
}

/// The value of an attribute, its character references resolved.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(unescaped(value))
}

/// The text with its character references resolved, each once.
fn unescaped(text: &str) -> String {
    const REFERENCES: [(&str, &str); 6] =
        [("&#38;", "&"), ("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&amp;", "&")];
    let mut pieces = text.split('&');
    let mut unescaped = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let piece = format!("&{piece}");
        let reference = REFERENCES.iter().find(|(reference, _)| piece.starts_with(reference));
        match reference {
            Some((reference, character)) => {
                unescaped.push_str(character);
                unescaped.push_str(piece.strip_prefix(reference).unwrap_or_default());
            }
            None => unescaped.push_str(&piece),
        }
    }
    unescaped
}
