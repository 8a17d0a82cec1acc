//! Names that the public DNS has no hosts for.

/// The ends of names that mean this machine, the local network, or nobody.
const SUFFIXES: [&str; 15] = [
    // RFC 6761, its registry "Special-Use Domain Names", and .internal, which ICANN has set aside for private use.
    "alt",
    "arpa",
    "example",
    "internal",
    "invalid",
    "local",
    "localhost",
    "onion",
    "test",
    // RFC 6762 Appendix G: what private networks use beside these, and what ICANN does not delegate for that reason.
    "corp",
    "home",
    "intranet",
    "lan",
    "private",
    // What many a hosts file says.
    "localdomain",
];

/// Whether a name is special-use (RFC 6761), or of a kind that only a private network resolves: without a dot in it, or below
/// one of the endings such networks use. Case does not matter; a dot at the end is no part of the name.
pub fn is_special_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    match name.rsplit_once('.') {
        None => true,
        Some((_, last)) => SUFFIXES.iter().any(|suffix| last.eq_ignore_ascii_case(suffix)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_names_are_told_from_public_ones() {
        for special in [
            "",
            ".",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "a.b.localhost.",
            "printer.local",
            "metadata.google.internal",
            "x.test",
            "x.invalid",
            "as.example",
            "x.onion",
            "x.alt",
            "router.home.arpa",
            "1.0.0.127.in-addr.arpa",
            "intranet",
            "db",
            "nas.lan",
            "keys.corp",
            "localhost.localdomain",
        ] {
            assert!(is_special_name(special), "{special}");
        }
        for public in [
            "example.com",
            "client.example.com",
            "localhost.example.com",
            "local.example.org",
            "xn--bcher-kva.example.net",
            "mylocalhost.com",
            "internal.io",
            "notlocal.dev.",
        ] {
            assert!(!is_special_name(public), "{public}");
        }
    }
}
