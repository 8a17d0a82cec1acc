//! Mutual TLS through a real terminator (RFC 8705): Envoy shakes hands, passes the certificate on, and is the only one that
//! can.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy allows these in test functions, and their helpers are test code too"
)]

use std::fs;
use std::time::Duration;

use attesto::jose::{SigningKey, base64url};
use attesto::secret::Digest;
use serde_json::{Value, json};
use test_support::attesto::{Attesto, REDIRECT_URI};
use test_support::browser::{Browser, Page};
use test_support::person::{VERIFIER, answer, authorize, sign_in};
use test_support::process::{Process, free_ports};
use test_support::{envoy, project_root, target_dir};

const LIMIT: Duration = Duration::from_secs(60);
const CREDENTIALS: &str = "client_credentials";

/// A file of `tests/certificates`.
fn pem(name: &str) -> String {
    let path = project_root().join("tests/certificates").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The base64 text of a certificate: what stands in `x5c` (RFC 7517 §4.7).
fn x5c(certificate: &str) -> String {
    certificate.lines().filter(|line| !line.starts_with("-----")).collect()
}

/// RFC 8705 §3.1, of the first certificate of a PEM text.
fn thumbprint(certificate: &str) -> String {
    let url_safe = x5c(certificate).replace('+', "-").replace('/', "_");
    let der = base64url::decode(url_safe.trim_end_matches('=')).expect("base64");
    base64url::encode(Digest::of(&der).as_bytes())
}

/// An authorization server, Envoy before it, and two clients with certificates.
struct House {
    attesto: Attesto,
    _envoy: Process,
    port: u16,
}

impl House {
    fn start(name: &str) -> Self {
        let [port, admin] = free_ports();
        let ca = pem("ca.pem");
        let attesto = Attesto::start_with(
            |manifest| manifest,
            |settings| {
                let methods =
                    r#"["client_secret_basic", "none", "tls_client_auth", "self_signed_tls_client_auth"]"#;
                format!(
                    "{settings}\nmtls_enabled = true\ntrusted_proxies = [\"127.0.0.2\"]\n\
                     mtls_origin = \"https://localhost:{port}\"\nmtls_trust_anchors = \"\"\"\n{ca}\"\"\"\n\
                     token_endpoint_auth_methods_supported = {methods}\n"
                )
            },
        );
        let bank = ["clients", "add", "--state", "state.db", "--name", "Bank", "--client-id", "bank"];
        let subject = "CN=client.example,OU=Payments,O=Example Bank,C=DE";
        let proves = ["--auth-method", "tls_client_auth", "--tls-subject-dn", subject, "--certificate-bound"];
        attesto.command(&[&bank[..], &proves, &["--grant-type", CREDENTIALS]].concat());
        let key = SigningKey::from_pkcs8_pem(&pem("self-signed.key.pem")).expect("a key");
        let mut jwk = key.public_jwk(None).to_value();
        jwk["x5c"] = json!([x5c(&pem("self-signed.pem"))]);
        let jwks = attesto.file("app.jwks.json", &json!({ "keys": [jwk] }).to_string());
        let app = ["clients", "add", "--state", "state.db", "--name", "App", "--client-id", "app"];
        let proves = ["--auth-method", "self_signed_tls_client_auth", "--jwks", &jwks, "--certificate-bound"];
        let grants = ["--grant-type", "authorization_code", "--redirect-uri", REDIRECT_URI];
        attesto.command(&[&app[..], &proves, &grants].concat());
        let _envoy = terminator(name, &attesto, port, admin);
        Self { attesto, _envoy, port }
    }

    /// What uses this certificate, through Envoy.
    fn with(&self, certificate: Option<(&str, &str)>) -> Browser {
        let pair = certificate.map(|(certificate, key)| (pem(certificate), pem(key)));
        let pair = pair.as_ref().map(|(certificate, key)| (certificate.as_str(), key.as_str()));
        Browser::over_tls(format!("https://localhost:{}", self.port), pair)
    }
}

/// `envoy/mtls.yaml` as it is, but for the ports and the files.
fn terminator(name: &str, attesto: &Attesto, port: u16, admin: u16) -> Process {
    let certificate = |name: &str| project_root().join("tests/certificates").join(name).display().to_string();
    let text = fs::read_to_string(project_root().join("envoy/mtls.yaml")).expect("the configuration");
    let text = [
        ("port_value: 8443", format!("port_value: {port}")),
        ("port_value: 9902", format!("port_value: {admin}")),
        ("port_value: 8080", format!("port_value: {}", attesto.port())),
        ("filename: server.pem", format!("filename: {}", certificate("self-signed.pem"))),
        ("filename: server.key.pem", format!("filename: {}", certificate("self-signed.key.pem"))),
        ("filename: clients-ca.pem", format!("filename: {}", certificate("ca.pem"))),
    ]
    .into_iter()
    .fold(text, |text, (from, to)| {
        assert!(text.contains(from), "`{from}` in envoy/mtls.yaml");
        text.replace(from, &to)
    });
    let folder = target_dir().join("envoy-tests");
    fs::create_dir_all(&folder).expect("a folder under target");
    let path = folder.join(format!("mtls-{name}.yaml"));
    fs::write(&path, text).expect("a configuration");
    let executable = envoy::locate().unwrap_or_else(|error| panic!("{error}"));
    let log = folder.join(format!("mtls-{name}.log"));
    let mut envoy = Process::start(&mut envoy::command(&executable, &path), &log);
    envoy.wait_for_port(port, LIMIT);
    envoy
}

fn token(browser: &Browser, client_id: &str, headers: &[(&str, &str)]) -> Page {
    let form = [("grant_type", CREDENTIALS), ("client_id", client_id), ("scope", "orders:read")];
    browser.post_with("/oauth/token", &form, headers)
}

fn refused(page: &Page, error: &str) {
    assert_eq!((page.status, &page.json()["error"]), (400, &json!(error)), "{}", page.body);
}

/// The claims of a token, its signature not looked at.
fn claims(token: &Value) -> Value {
    let payload = token.as_str().and_then(|token| token.split('.').nth(1)).expect("a JWT");
    serde_json::from_slice(&base64url::decode(payload).expect("base64url")).expect("claims")
}

const CLIENT: (&str, &str) = ("client.pem", "client.key.pem");
const SELF_SIGNED: (&str, &str) = ("self-signed.pem", "self-signed.key.pem");

#[test]
fn a_certificate_of_a_trusted_authority_authenticates_its_client_and_binds_its_token() {
    let house = House::start("pki");
    let page = token(&house.with(Some(CLIENT)), "bank", &[]);
    assert_eq!(page.status, 200, "{}", page.body);
    let tokens = page.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(claims(&tokens["access_token"])["cnf"], json!({ "x5t#S256": thumbprint(&pem("client.pem")) }));

    refused(&token(&house.with(None), "bank", &[]), "invalid_client");
    refused(&token(&house.with(Some(SELF_SIGNED)), "bank", &[]), "invalid_client");
    refused(&token(&house.with(Some(CLIENT)), "app", &[]), "invalid_client");

    let metadata = Browser::new(house.attesto.issuer()).get("/.well-known/openid-configuration").json();
    assert_eq!(metadata["tls_client_certificate_bound_access_tokens"], true);
    let alias = format!("https://localhost:{}/oauth/token", house.port);
    assert_eq!(metadata["mtls_endpoint_aliases"]["token_endpoint"], alias.as_str());
}

#[test]
fn nobody_but_the_terminator_says_what_certificate_a_client_has_shown() {
    let house = House::start("spoof");
    let encoded = pem("client.pem").replace('\n', "%0A").replace('+', "%2B").replace(' ', "%20");
    let forged = format!("Cert=\"{encoded}\"");
    let header = [("x-forwarded-client-cert", forged.as_str())];
    // Past Envoy, the header is the client's word; through it, Envoy replaces it.
    refused(&token(&Browser::new(house.attesto.issuer()), "bank", &header), "invalid_client");
    refused(&token(&house.with(None), "bank", &header), "invalid_client");
    refused(&token(&house.with(Some(SELF_SIGNED)), "bank", &header), "invalid_client");
    let by_envoy = [header[0], ("x-forwarded-for", "127.0.0.2"), ("x-forwarded-proto", "https")];
    refused(&token(&Browser::new(house.attesto.issuer()), "bank", &by_envoy), "invalid_client");
}

#[test]
fn a_self_signed_certificate_authenticates_the_client_that_registered_it_and_opens_userinfo_with_its_token() {
    let house = House::start("self-signed");
    let person = Browser::new(house.attesto.issuer());
    let consent = sign_in(&person, &authorize("app", "openid email"));
    let code = answer(&person, &consent, "allow").parameter("code").expect("a code");
    let redemption = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
        ("code", &code),
    ];
    refused(&house.with(Some(CLIENT)).post("/oauth/token", &redemption), "invalid_client");
    let page = house.with(Some(SELF_SIGNED)).post("/oauth/token", &redemption);
    assert_eq!(page.status, 200, "{}", page.body);
    let tokens = page.json();
    let access = tokens["access_token"].as_str().expect("a token");
    assert_eq!(claims(&tokens["access_token"])["cnf"]["x5t#S256"], thumbprint(&pem("self-signed.pem")));

    // RFC 8705 §3: "if they do not match [the resource server] MUST reject the request with 401 and invalid_token".
    let userinfo = |browser: Browser| browser.get_with_token("/oauth/userinfo", access);
    assert_eq!(userinfo(house.with(Some(SELF_SIGNED))).json()["email"], "alice@example.com");
    for without in [house.with(None), house.with(Some(CLIENT)), Browser::new(house.attesto.issuer())] {
        let page = userinfo(without);
        assert_eq!(page.status, 401);
        assert!(page.header("www-authenticate").contains("error=\"invalid_token\""));
    }
}
