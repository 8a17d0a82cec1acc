//! A DPoP proof: as somebody sent it; and, of two lines, header and claims as whoever holds a key may have signed them. Then
//! the text as the URI it is for.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use attesto::dpop::{Htu, ProofPolicy, ProofTarget, proof};
use attesto::jose::{Algorithm, NumericDate, base64url, ed25519};

/// The private key of RFC 8037 A.1, which the seeds name in their headers.
static KEY: LazyLock<ed25519::SigningKey> = LazyLock::new(|| {
    let d = base64url::decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").expect("base64url");
    ed25519::SigningKey::from_octets(&d).expect("a key")
});

static POLICY: LazyLock<ProofPolicy> = LazyLock::new(|| ProofPolicy {
    algorithms: Algorithm::ALL.to_vec(),
    max_age: Duration::from_secs(60),
    clock_skew: Duration::from_secs(10),
});

const URL: &str = "https://server.example.com/token";

libfuzzer_sys::fuzz_target!(|text: &str| {
    // The time of the example in RFC 9449 §4.2.
    let now = NumericDate::from_secs(1_562_262_616);
    let target = ProofTarget { method: "POST", urls: &[URL], access_token: None };
    let check = |text: &str| {
        let Ok(verified) = proof::verify(text, &target, &POLICY, now) else { return };
        assert!((1..=proof::MAX_JTI_LEN).contains(&verified.jti.len()) && verified.jkt.len() == 43);
        assert!(verified.expires_at > now, "what is accepted now must be remembered now");
    };
    check(text);
    if let Some((header, claims)) = text.split_once('\n') {
        let input = format!("{}.{}", base64url::encode(header), base64url::encode(claims));
        let signature = KEY.sign(input.as_bytes());
        check(&format!("{input}.{}", base64url::encode(signature)));
    }
    if let Ok(htu) = Htu::parse(text) {
        assert_eq!(Htu::parse(htu.as_str()), Ok(htu.clone()), "a normalized URI is its own normal form");
        assert!(!htu.as_str().contains(['?', '#']));
    }
});
