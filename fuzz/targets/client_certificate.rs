//! A client certificate as a trusted proxy passes it on, and its comparison with what a client registered: two lines of
//! a subject and a JWK Set, then a header field's value or a certificate in DER.

#![no_main]

use std::sync::LazyLock;

use attesto::client::TlsClientAuthSubject as Subject;
use attesto::config::Config;
use attesto::mtls::{ClientCertificate, TrustAnchors, certificate};
use attesto::request_facts::{RequestFacts, TrustedProxies};
use http::{HeaderMap, HeaderValue};

const NOW: u64 = 1_800_000_000;

static CONFIGS: LazyLock<[Config; 2]> = LazyLock::new(|| {
    ["x-forwarded-client-cert", "client-cert"].map(|header| {
        let anchors = include_str!("../../tests/certificates/ca.pem");
        let text = format!(
            "issuer = \"https://as.example\"\naudience = \"https://api.example\"\nscopes_supported = [\"openid\"]\n\
             trusted_proxies = [\"loopback\"]\nmtls_enabled = true\nmtls_certificate_header = \"{header}\"\n\
             mtls_trust_anchors = '''\n{anchors}'''"
        );
        Config::from_toml(&text).expect("valid")
    })
});

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let mut parts = octets.splitn(3, |octet| *octet == b'\n');
    let (Some(subject), Some(jwks), Some(octets)) = (parts.next(), parts.next(), parts.next()) else {
        return;
    };
    let (Ok(subject), Ok(jwks)) = (std::str::from_utf8(subject), std::str::from_utf8(jwks)) else { return };
    let _ = TrustAnchors::parse(&String::from_utf8_lossy(octets));
    let mut certificates =
        Vec::from_iter(ClientCertificate::from_der(octets.to_vec(), vec![octets.to_vec()]));
    if let Ok(value) = HeaderValue::from_bytes(octets) {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-client-cert", value.clone());
        headers.append("client-cert", value.clone());
        headers.append("client-cert-chain", value);
        headers.append("spin-client-addr", HeaderValue::from_static("127.0.0.1:1"));
        let proxies = TrustedProxies::parse(["loopback"]).expect("a network");
        let facts = RequestFacts::of(&headers, &proxies).expect("well-formed");
        for config in &*CONFIGS {
            certificates.extend(certificate(&headers, &facts, config).ok().flatten());
        }
    }
    for certificate in certificates {
        assert_eq!(certificate.thumbprint().len(), 43);
        let _ = certificate.is_among(jwks);
        for kind in [Subject::SubjectDn, Subject::SanDns, Subject::SanUri, Subject::SanIp, Subject::SanEmail]
        {
            let _ = certificate.authenticates(&kind(subject.to_owned()), &CONFIGS[0], NOW);
        }
    }
});
