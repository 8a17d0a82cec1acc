use ::http::{HeaderMap, HeaderValue};
use base64ct::{Base64, Encoding};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;
use crate::client::TlsClientAuthSubject;
use crate::config::Config;
use crate::request_facts::{RequestFacts, TrustedProxies};

/// Within the validity of what is not expired.
const NOW: u64 = 1_800_000_000;

const PROXY: &str = "127.0.0.1:40000";
const STRANGER: &str = "192.0.2.9:40000";

/// A certificate of `tests/certificates`, as PEM.
fn pem(name: &str) -> String {
    let path = format!("{}/tests/certificates/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect(name)
}

fn der(name: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(pem(name).as_bytes()).expect(name).to_vec()
}

/// A certificate of `tests/certificates`, as a client shows it.
pub(crate) fn certificate(name: &str) -> ClientCertificate {
    ClientCertificate::from_der(der(name), Vec::new()).expect(name)
}

fn with_chain(name: &str, chain: &[&str]) -> ClientCertificate {
    ClientCertificate::from_der(der(name), chain.iter().map(|name| der(name)).collect()).expect(name)
}

fn config(lines: &str) -> Config {
    let text = format!(
        "issuer = \"https://auth.example\"\naudience = \"https://api.example\"\nscopes_supported = [\"openid\"]\n\
         trusted_proxies = [\"loopback\"]\n{lines}"
    );
    Config::from_toml(&text).expect("valid")
}

fn trusting(authorities: &[&str]) -> Config {
    let pem: String = authorities.iter().map(|name| pem(name)).collect();
    config(&format!("mtls_enabled = true\nmtls_trust_anchors = '''\n{pem}'''"))
}

fn dn(text: &str) -> TlsClientAuthSubject {
    TlsClientAuthSubject::SubjectDn(text.to_owned())
}

fn registered() -> TlsClientAuthSubject {
    dn("CN=client.example,OU=Payments,O=Example Bank,C=DE")
}

/// Why the certificate does not authenticate.
fn refused(
    certificate: &ClientCertificate,
    subject: &TlsClientAuthSubject,
    config: &Config,
    now: u64,
) -> String {
    match certificate.authenticates(subject, config, now) {
        Err(CertificateError::NotTheClients(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

// The header field

/// What is read of these fields in a request from `peer`.
fn read(
    config: &Config,
    peer: &str,
    fields: &[(&'static str, &str)],
) -> Result<Option<ClientCertificate>, CertificateError> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_str(value).expect("a field value"));
    }
    headers.append("spin-client-addr", HeaderValue::from_str(peer).expect("an address"));
    let proxies = TrustedProxies::parse(["loopback"]).expect("a network");
    let facts = RequestFacts::of(&headers, &proxies).expect("well-formed");
    super::certificate(&headers, &facts, config)
}

fn envoy(value: &str) -> Result<Option<ClientCertificate>, CertificateError> {
    read(&config("mtls_enabled = true"), PROXY, &[("x-forwarded-client-cert", value)])
}

fn rfc9440(fields: &[(&'static str, &str)]) -> Result<Option<ClientCertificate>, CertificateError> {
    read(&config("mtls_enabled = true\nmtls_certificate_header = \"client-cert\""), PROXY, fields)
}

/// PEM as Envoy encodes it.
fn url_encoded(pem: &str) -> String {
    [("%", "%25"), ("\n", "%0A"), (" ", "%20"), ("+", "%2B"), ("/", "%2F"), ("=", "%3D")]
        .iter()
        .fold(pem.to_owned(), |text, (character, escape)| text.replace(character, escape))
}

fn cert(name: &str) -> String {
    format!("Cert=\"{}\"", url_encoded(&pem(name)))
}

fn hash(name: &str) -> String {
    Sha256::digest(der(name)).iter().map(|octet| format!("{octet:02x}")).collect()
}

fn byte_sequence(name: &str) -> String {
    format!(":{}:", Base64::encode_string(&der(name)))
}

fn is_malformed(outcome: &Result<Option<ClientCertificate>, CertificateError>) -> bool {
    matches!(outcome, Err(CertificateError::Malformed(_)))
}

#[test]
fn envoys_element_is_read_and_its_other_keys_are_not_looked_at() {
    let by = "By=spiffe://cluster.local/ns/as";
    let subject =
        "Subject=\"CN=client.example,O=\\\"a, b; c=d\\\"\";URI=https://client.example/id;DNS=a;DNS=b";
    let value = format!("{by};Hash={};{};{subject}", hash("client"), cert("client"));
    let read = envoy(&value).expect("well-formed").expect("a certificate");
    assert_eq!((read.der(), read.chain().len()), (&der("client")[..], 0));
}

#[test]
fn envoys_chain_begins_with_the_certificate() {
    let chain = url_encoded(&format!("{}{}", pem("of-intermediate"), pem("intermediate")));
    for value in [format!("{};Chain=\"{chain}\"", cert("of-intermediate")), format!("Chain=\"{chain}\"")] {
        let read = envoy(&value).expect("well-formed").expect("a certificate");
        assert_eq!((read.der(), read.chain()), (&der("of-intermediate")[..], &[der("intermediate")][..]));
    }
    assert!(is_malformed(&envoy(&format!("{};Chain=\"{chain}\"", cert("client")))));
}

#[test]
fn keys_and_hexadecimal_digits_are_read_in_either_case() {
    let value = format!("HASH={};{}", hash("client").to_uppercase(), cert("client").replace("Cert", "cert"));
    assert!(envoy(&value).is_ok_and(|read| read.is_some()));
}

#[test]
fn a_hash_of_another_certificate_refuses() {
    for hash in [hash("self-signed"), String::new(), "0".repeat(64), format!("{}0", hash("client"))] {
        assert!(is_malformed(&envoy(&format!("Hash={hash};{}", cert("client")))), "{hash}");
    }
}

#[test]
fn several_elements_refuse_whoever_wrote_which() {
    let (one, other) = (cert("client"), cert("self-signed"));
    for value in
        [format!("{one},{other}"), format!("Hash=a,{one}"), format!("{one},"), format!("{one} , By=x")]
    {
        assert!(is_malformed(&envoy(&value)), "{value:.40}");
    }
}

#[test]
fn a_key_that_is_there_twice_refuses() {
    let (one, other) = (cert("client"), cert("self-signed"));
    for value in [
        format!("{one};{other}"),
        format!("{one};{}", one.replace("Cert", "CERT")),
        format!("Hash={};Hash={};{one}", hash("client"), hash("client")),
        // A name out of the certificate that its owner chose and the proxy did not escape.
        format!("URI=https://a.example;{other};{one}"),
    ] {
        assert!(is_malformed(&envoy(&value)), "{value:.40}");
    }
}

#[test]
fn what_is_no_element_with_one_certificate_refuses() {
    let two = url_encoded(&format!("{}{}", pem("client"), pem("client")));
    for value in [
        "",
        ";",
        "Cert",
        "Cert=",
        "Cert=\"",
        "Cert=\"\"",
        "Cert=\"a\"b",
        "Cert=\"a\\",
        "=a",
        "By=a\"b",
        "By=spiffe://a;",
        "By=spiffe://a;Hash=00",
        "B y=a",
        "Cert=\"-----BEGIN%20CERTIFICATE-----%0AMIIB%0A\"",
        "Cert=\"-----BEGIN%20CERTIFICATE-----%0A***%0A-----END%20CERTIFICATE-----%0A\"",
        &format!("Cert=\"{}\"", url_encoded(&pem("client.key"))),
        &format!("Cert=\"{two}\""),
        &format!("Chain=\"{}\"", url_encoded(&pem("client").repeat(10))),
        &format!("{};", cert("client")),
        &format!("By=\"{}\";{}", "a".repeat(400_000), cert("client")),
    ] {
        assert!(is_malformed(&envoy(value)), "{value:.80}");
    }
}

#[test]
fn octets_that_are_no_certificate_are_an_invalid_request_and_no_failed_authentication() {
    let junk = "Cert=\"-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----%0A\"";
    for outcome in [envoy(junk), rfc9440(&[("client-cert", ":AAAA:")])] {
        let error = outcome.expect_err("no certificate");
        assert_eq!(error.wire(), (StatusCode::BAD_REQUEST, "invalid_request", "invalid client certificate"));
    }
    let outside = not_the_clients("another's").wire();
    assert_eq!(outside, (StatusCode::BAD_REQUEST, "invalid_client", "client authentication failed"));
}

#[test]
fn a_certificate_from_anyone_but_a_trusted_proxy_is_ignored() {
    let config = config("mtls_enabled = true");
    for value in [cert("client"), "not at all; well-formed".to_owned()] {
        let field = ("x-forwarded-client-cert", value.as_str());
        assert!(matches!(read(&config, STRANGER, &[field]), Ok(None)));
        // The client may write an address of its own; the host's comes after it.
        let forged = [("spin-client-addr", PROXY), ("x-forwarded-for", "127.0.0.1"), field];
        assert!(matches!(read(&config, STRANGER, &forged), Ok(None)));
    }
}

#[test]
fn without_mutual_tls_nothing_is_read() {
    let field = [("x-forwarded-client-cert", "junk"), ("client-cert", "junk")];
    assert!(matches!(read(&config(""), PROXY, &field), Ok(None)));
}

#[test]
fn only_the_configured_field_is_read() {
    let (envoy, standard) = (cert("client"), byte_sequence("client"));
    let mtls = config("mtls_enabled = true");
    assert!(matches!(read(&mtls, PROXY, &[("client-cert", &standard)]), Ok(None)));
    assert!(matches!(rfc9440(&[("x-forwarded-client-cert", &envoy)]), Ok(None)));
    assert!(matches!(read(&mtls, PROXY, &[]), Ok(None)));
}

#[test]
fn a_field_that_is_there_twice_refuses() {
    let (envoy, standard) = (cert("client"), byte_sequence("client"));
    let field = ("x-forwarded-client-cert", envoy.as_str());
    assert!(is_malformed(&read(&config("mtls_enabled = true"), PROXY, &[field, field])));
    let field = ("client-cert", standard.as_str());
    assert!(is_malformed(&rfc9440(&[field, field])));
}

#[test]
fn the_standard_field_and_its_chain_are_read() {
    let (certificate, issuer) = (byte_sequence("of-intermediate"), byte_sequence("intermediate"));
    let root = byte_sequence("ca");
    let list = format!("{issuer} ,\t{root}");
    for chain in [
        vec![("client-cert-chain", list.as_str())],
        vec![("client-cert-chain", &issuer), ("client-cert-chain", &root)],
    ] {
        let fields: Vec<_> = [("client-cert", certificate.as_str())].into_iter().chain(chain).collect();
        let read = rfc9440(&fields).expect("well-formed").expect("a certificate");
        assert_eq!(read.der(), der("of-intermediate"));
        assert_eq!(read.chain(), [der("intermediate"), der("ca")]);
    }
}

#[test]
fn what_is_no_byte_sequence_refuses() {
    let good = byte_sequence("client");
    for value in [
        "",
        ":",
        "::",
        ":AAAA",
        "AAAA:",
        ":AA-_:",
        ":AAA:",
        "\"AAAA\"",
        &good.replace(':', ""),
        &format!("{good}, {good}"),
        &format!("{good};a=b"),
        &format!(":{}:", "A".repeat(24_000)),
    ] {
        assert!(is_malformed(&rfc9440(&[("client-cert", value)])), "{value:.40}");
    }
    for chain in ["", ",", &format!("{good},"), "AAAA", &[good.as_str(); 9].join(",")] {
        let fields = [("client-cert", good.as_str()), ("client-cert-chain", chain)];
        assert!(is_malformed(&rfc9440(&fields)), "{chain:.40}");
    }
    assert!(is_malformed(&rfc9440(&[("client-cert-chain", &good)])), "RFC 9440 §2.3");
}

// The certificate

#[test]
fn the_thumbprint_is_the_sha_256_of_the_der() {
    let digest = crate::jose::base64url::encode(Sha256::digest(der("client")));
    assert_eq!(certificate("client").thumbprint(), digest);
}

#[test]
fn the_example_of_rfc_8705_appendix_a_has_its_thumbprint() {
    // Figure 5: the certificate with the thumbprint of Figure 2's `cnf`, an example of §3.1.
    const CERTIFICATE: &str = "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMj\
                               EyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ\
                               03C7HKW9OylMbnQZjjJ/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwR\
                               gIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQ\
                               j1L+SY=";
    let der = Base64::decode_vec(CERTIFICATE).expect("base64");
    let certificate = ClientCertificate::from_der(der, Vec::new()).expect("X.509");
    assert_eq!(certificate.thumbprint(), "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0");
}

#[test]
fn a_key_this_server_does_not_accept_refuses_the_certificate() {
    for (name, problem) in [("weak", KeyError::ModulusTooSmall), ("p384", KeyError::UnknownCurve)] {
        let error = ClientCertificate::from_der(der(name), Vec::new()).expect_err(name);
        assert_eq!(error.wire().2, "invalid client certificate");
        assert_eq!(error, CertificateError::Key(problem), "{name}");
    }
}

#[test]
fn what_is_not_one_whole_certificate_is_malformed() {
    let mut longer = der("client");
    longer.push(0);
    let shorter = der("client")[..100].to_vec();
    for octets in
        [Vec::new(), b"not DER".to_vec(), longer, shorter, pem("client").into_bytes(), vec![0x30; 20_000]]
    {
        let outcome = ClientCertificate::from_der(octets, Vec::new());
        assert!(matches!(outcome, Err(CertificateError::Malformed(_))), "{outcome:?}");
    }
    let too_many = vec![der("ca"); MAX_CHAIN + 1];
    assert!(ClientCertificate::from_der(der("client"), too_many).is_err());
    assert!(ClientCertificate::from_der(der("client"), vec![vec![0; MAX_CERTIFICATE_LEN + 1]]).is_err());
}

#[test]
fn the_debug_form_of_a_certificate_is_its_thumbprint() {
    let certificate = certificate("client");
    let shown = format!("{certificate:?}");
    assert!(shown.contains(&certificate.thumbprint()) && shown.len() < 120, "{shown}");
}

// tls_client_auth

#[test]
fn a_certificate_of_a_trusted_authority_with_the_registered_subject_authenticates() {
    let config = trusting(&["ca"]);
    assert_eq!(certificate("client").authenticates(&registered(), &config, NOW), Ok(()));
    let chained = with_chain("of-intermediate", &["intermediate"]);
    assert_eq!(chained.authenticates(&registered(), &config, NOW), Ok(()));
    // The authority's own certificate may come with it, and so may others.
    let whole = with_chain("of-intermediate", &["self-signed", "ca", "intermediate"]);
    assert_eq!(whole.authenticates(&registered(), &config, NOW), Ok(()));
}

#[test]
fn each_accepted_signature_algorithm_is_checked() {
    for (authority, names) in [
        ("rsa-ca", &["rsa-sha256", "rsa-sha384", "rsa-sha512", "pss-sha256", "pss-sha384", "pss-sha512"][..]),
        ("ed25519-ca", &["of-ed25519-ca"]),
        ("ca", &["client"]),
    ] {
        let config = trusting(&[authority]);
        for name in names {
            assert_eq!(certificate(name).authenticates(&registered(), &config, NOW), Ok(()), "{name}");
            // The signature is the last thing in it.
            let mut forged = der(name);
            *forged.last_mut().expect("octets") ^= 1;
            let forged = ClientCertificate::from_der(forged, Vec::new()).expect("still X.509");
            let problem = refused(&forged, &registered(), &config, NOW);
            assert!(problem.ends_with("InvalidSignatureForPublicKey"), "{name}: {problem}");
        }
    }
}

#[test]
fn a_chain_that_does_not_hold_refuses_with_its_reason() {
    for (name, chain, reason) in [
        // FAPI 2.0: self-signed where PKI is registered.
        ("self-signed", &[][..], "UnknownIssuer"),
        ("self-signed", &["self-signed", "ca"], "UnknownIssuer"),
        // The registered name in a certificate of an unknown authority, even of one with the trusted one's name.
        ("rsa-sha256", &["rsa-ca"], "UnknownIssuer"),
        ("of-impostor", &["impostor-ca"], "InvalidSignatureForPublicKey"),
        ("of-intermediate", &[], "UnknownIssuer"),
        ("of-intermediate", &["self-signed"], "UnknownIssuer"),
        ("of-too-deep", &["too-deep", "intermediate"], "PathLenConstraintViolated"),
        ("of-client", &["client"], "EndEntityUsedAsCa"),
        ("of-silent-intermediate", &["silent-intermediate"], "EndEntityUsedAsCa"),
        ("of-weak-intermediate", &["weak-intermediate"], "InvalidSignatureForPublicKey"),
        ("intermediate", &[], "CaUsedAsEndEntity"),
        ("server-only", &[], "RequiredEkuNotFoundContext"),
        ("critical", &[], "UnsupportedCriticalExtension"),
        ("ecdsa-sha384", &[], "UnsupportedSignatureAlgorithm"),
    ] {
        let problem = refused(&with_chain(name, chain), &registered(), &trusting(&["ca"]), NOW);
        assert!(problem.contains(reason), "{name}: {problem}");
    }
    let problem = refused(&certificate("rsa-sha1"), &registered(), &trusting(&["rsa-ca"]), NOW);
    assert!(problem.contains("UnsupportedSignatureAlgorithm"), "{problem}");
}

#[test]
fn a_certificate_counts_from_the_first_to_the_last_second_of_its_validity() {
    const NOT_BEFORE: u64 = 1_577_836_800;
    const NOT_AFTER: u64 = 4_922_899_200;
    let (client, config) = (certificate("client"), trusting(&["ca"]));
    for now in [NOT_BEFORE, NOT_AFTER] {
        assert_eq!(client.authenticates(&registered(), &config, now), Ok(()));
    }
    assert!(refused(&client, &registered(), &config, NOT_BEFORE - 1).contains("CertNotValidYet"));
    assert!(refused(&client, &registered(), &config, NOT_AFTER + 1).contains("CertExpired"));
    assert!(refused(&client, &registered(), &config, 0).contains("CertNotValidYet"));
}

#[test]
fn an_expired_trust_anchor_vouches_for_nobody() {
    let (client, config) = (certificate("of-old-ca"), trusting(&["old-ca"]));
    assert_eq!(client.authenticates(&registered(), &config, 1_600_000_000), Ok(()));
    assert!(refused(&client, &registered(), &config, NOW).contains("UnknownIssuer"));
}

#[test]
fn the_path_length_of_a_trust_anchor_is_kept() {
    // `pathlen:0`: clients, and no other authority.
    let config = trusting(&["intermediate"]);
    assert_eq!(certificate("of-intermediate").authenticates(&registered(), &config, NOW), Ok(()));
    let problem = refused(&with_chain("of-too-deep", &["too-deep"]), &registered(), &config, NOW);
    assert!(problem.contains("UnknownIssuer"), "{problem}");
}

#[test]
fn any_of_several_trust_anchors_vouches() {
    let config = trusting(&["old-ca", "impostor-ca", "ca", "rsa-ca"]);
    for name in ["client", "rsa-sha256", "of-impostor"] {
        assert_eq!(certificate(name).authenticates(&registered(), &config, NOW), Ok(()), "{name}");
    }
}

#[test]
fn without_anchors_a_subject_counts_only_where_the_listener_is_declared_to_verify() {
    let undeclared = config("mtls_enabled = true");
    assert_eq!(
        refused(&certificate("client"), &registered(), &undeclared, NOW),
        "nobody has validated its chain"
    );
    let declared = config("mtls_enabled = true\nmtls_listener_verifies = true");
    assert_eq!(certificate("client").authenticates(&registered(), &declared, NOW), Ok(()));
    let other = refused(&certificate("other-client"), &registered(), &declared, NOW);
    assert_eq!(other, "it does not name the registered subject");
    assert_eq!(refused(&certificate("client"), &registered(), &config(""), NOW), "mutual TLS is not enabled");
}

#[test]
fn anchors_are_looked_at_even_where_the_listener_is_declared_to_verify() {
    let pem = pem("ca");
    let both = config(&format!(
        "mtls_enabled = true\nmtls_listener_verifies = true\nmtls_trust_anchors = '''\n{pem}'''"
    ));
    assert!(refused(&certificate("self-signed"), &registered(), &both, NOW).contains("UnknownIssuer"));
}

#[test]
fn the_one_registered_subject_decides_whatever_its_kind() {
    use TlsClientAuthSubject as Subject;
    let config = trusting(&["ca"]);
    let text = str::to_owned;
    for subject in [
        dn("CN=client.example,OU=Payments,O=Example Bank,C=DE"),
        dn("cn=CLIENT.example, ou = payments, O=example  bank , c=de"),
        Subject::SanDns(text("client.example")),
        Subject::SanUri(text("https://client.example/id")),
        Subject::SanIp(text("192.0.2.7")),
        Subject::SanIp(text("2001:DB8:0::7")),
        Subject::SanEmail(text("Payments@client.EXAMPLE")),
    ] {
        assert_eq!(certificate("client").authenticates(&subject, &config, NOW), Ok(()), "{subject:?}");
        // FAPI 2.0: with another client's certificate.
        let problem = refused(&certificate("other-client"), &subject, &config, NOW);
        assert_eq!(problem, "it does not name the registered subject", "{subject:?}");
    }
}

#[test]
fn a_subject_that_is_only_like_the_registered_one_is_another() {
    use TlsClientAuthSubject as Subject;
    let config = trusting(&["ca"]);
    let text = str::to_owned;
    for subject in [
        dn("CN=client.example"),
        dn("C=DE,O=Example Bank,OU=Payments,CN=client.example"),
        dn("CN=client.example,OU=Payments,O=Example Bank,C=DE,C=DE"),
        dn("CN=client.example+OU=Payments,O=Example Bank,C=DE"),
        dn("CN=client.example,OU=Payments,O=ExampleBank,C=DE"),
        dn("O=client.example,OU=Payments,O=Example Bank,C=DE"),
        Subject::SanDns(text("a.client.example")),
        Subject::SanDns(text("example")),
        Subject::SanDns(text("client.example.")),
        Subject::SanDns(text("https://client.example/id")),
        Subject::SanUri(text("HTTPS://client.example/id")),
        Subject::SanUri(text("https://client.example/id/")),
        Subject::SanUri(text("client.example")),
        Subject::SanIp(text("192.0.2.8")),
        Subject::SanIp(text("::ffff:192.0.2.7")),
        Subject::SanEmail(text("payments@client.example")),
        Subject::SanEmail(text("Payments@example")),
    ] {
        let problem = refused(&certificate("client"), &subject, &config, NOW);
        assert_eq!(problem, "it does not name the registered subject", "{subject:?}");
    }
}

#[test]
fn a_registered_subject_that_can_not_be_read_matches_no_certificate() {
    use TlsClientAuthSubject as Subject;
    let config = trusting(&["ca"]);
    let text = str::to_owned;
    for (name, subject) in [
        ("nameless", dn("")),
        ("client", dn("client.example")),
        ("client", Subject::SanDns(String::new())),
        // No wildcard is expanded, on either side.
        ("client", Subject::SanDns(text("*.example"))),
        ("other-client", Subject::SanDns(text("*.example"))),
        ("client", Subject::SanUri(String::new())),
        ("client", Subject::SanIp(text("client.example"))),
        ("client", Subject::SanIp(text("192.0.2.0/24"))),
        ("client", Subject::SanEmail(text("client.example"))),
        ("client", Subject::SanEmail(text("@client.example"))),
    ] {
        let problem = refused(&certificate(name), &subject, &config, NOW);
        assert_eq!(problem, "the registered subject can not be read", "{subject:?}");
    }
}

#[test]
fn a_wildcard_in_a_certificate_is_a_name_like_another() {
    let subject = TlsClientAuthSubject::SanDns("client.example".to_owned());
    let problem = refused(&certificate("other-client"), &subject, &trusting(&["ca"]), NOW);
    assert_eq!(problem, "it does not name the registered subject");
}

// self_signed_tls_client_auth

/// A JWK of the certificate's key, with these members besides.
fn jwk(name: &str, members: serde_json::Value) -> serde_json::Value {
    let mut jwk = crate::jose::Jwk::new(certificate(name).key().clone()).to_value();
    let object = jwk.as_object_mut().expect("an object");
    object.extend(members.as_object().expect("an object").clone());
    jwk
}

fn x5c(name: &str) -> serde_json::Value {
    json!({ "x5c": [Base64::encode_string(&der(name))] })
}

fn set(keys: &[serde_json::Value]) -> String {
    json!({ "keys": keys }).to_string()
}

#[test]
fn a_registered_certificate_is_recognized_by_x5c_and_by_its_key() {
    let own = certificate("self-signed");
    let other = jwk("client", json!({}));
    for key in [
        jwk("self-signed", x5c("self-signed")),
        jwk("self-signed", json!({})),
        // An algorithm of JOSE that is not done here says nothing about TLS.
        jwk("self-signed", json!({ "alg": "ES512" })),
    ] {
        assert_eq!(own.is_among(&set(&[other.clone(), key.clone()])), Ok(()), "{key}");
    }
    let rsa = jwk("rsa-sha256", x5c("rsa-sha256"));
    assert_eq!(certificate("rsa-sha256").is_among(&set(&[rsa])), Ok(()));
}

#[test]
fn a_registered_x5c_is_one_certificate_and_not_its_key() {
    let again = certificate("self-signed-again");
    assert_eq!(again.is_among(&set(&[jwk("self-signed", json!({}))])), Ok(()), "the same key");
    let key = jwk("self-signed", x5c("self-signed"));
    assert!(again.is_among(&set(std::slice::from_ref(&key))).is_err(), "another certificate");
    assert_eq!(again.is_among(&set(&[key, jwk("self-signed-again", x5c("self-signed-again"))])), Ok(()));
}

#[test]
fn neither_validity_nor_signature_of_a_self_signed_certificate_is_looked_at() {
    assert_eq!(certificate("expired").is_among(&set(&[jwk("expired", x5c("expired"))])), Ok(()));
}

#[test]
fn a_certificate_that_is_not_registered_is_refused() {
    let own = certificate("self-signed");
    let certificate_of_another_key = jwk("client", x5c("self-signed"));
    for keys in [
        set(&[]),
        set(&[jwk("client", json!({}))]),
        set(&[jwk("client", x5c("client"))]),
        // RFC 7517 §4.7: the other members are not this certificate's key.
        set(&[certificate_of_another_key]),
        set(&[jwk("self-signed", json!({ "x5c": [] }))]),
        set(&[jwk("self-signed", json!({ "x5c": Base64::encode_string(&der("self-signed")) }))]),
        set(&[jwk("self-signed", json!({ "x5c": [x5c("client")["x5c"][0], x5c("self-signed")["x5c"][0]] }))]),
        set(&[jwk("self-signed", json!({ "use": "enc" }))]),
        String::new(),
        "{}".to_owned(),
        "{\"keys\":{}}".to_owned(),
        "{\"keys\":[1]}".to_owned(),
        set(&vec![jwk("self-signed", json!({})); 65]),
        format!("{{\"keys\":[],\"x\":\"{}\"}}", "a".repeat(300_000)),
    ] {
        let outcome = own.is_among(&keys);
        assert!(matches!(outcome, Err(CertificateError::NotTheClients(_))), "{keys:.80}: {outcome:?}");
    }
}

#[test]
fn a_set_with_a_private_key_registers_nothing() {
    let leaked = jwk("client", json!({ "d": "AAAA" }));
    let keys = set(&[jwk("self-signed", json!({})), leaked]);
    assert!(certificate("self-signed").is_among(&keys).is_err());
}
