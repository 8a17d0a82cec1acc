//! Passwords: Argon2id, kept as PHC strings.

use crate::store::Unavailable;
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{Error, phc::PasswordHash},
};
use unicode_normalization::UnicodeNormalization;

/// The longest password that is hashed at all, in bytes: far above any passphrase, far below a denial of service.
pub const LONGEST: usize = 1024;

/// The shortest password a new user may have, in characters.
pub const SHORTEST: usize = 8;

/// OWASP Password Storage Cheat Sheet, Argon2id: 19 MiB of memory, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes a new password into a PHC string.
pub fn hash(password: &str, salt: &[u8; 16]) -> Result<String, Unavailable> {
    let hash: PasswordHash =
        hasher()?.hash_password_with_salt(&prepare(password), salt).map_err(|error| fault(&error))?;
    Ok(hash.to_string())
}

/// Whether `password` is the one behind `stored`. With nothing stored (an unknown user) the same work is done for a certain
/// no, so that the time does not tell which usernames exist.
pub fn verify(password: &str, stored: Option<&str>) -> Result<bool, Unavailable> {
    if password.len() > LONGEST {
        return Ok(false);
    }
    let Some(stored) = stored else {
        hash(password, b"nobody's salt 16")?;
        return Ok(false);
    };
    let stored =
        PasswordHash::new(stored).map_err(|error| Unavailable(format!("a stored password hash: {error}")))?;
    match hasher()?.verify_password(&prepare(password), &stored) {
        Ok(()) => Ok(true),
        Err(Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(fault(&error)),
    }
}

fn hasher() -> Result<Argon2<'static>, Unavailable> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| Unavailable(format!("Argon2 parameters: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// RFC 8265 §4.2.2: Unicode Normalization Form C, so that one password typed on two systems is one password.
fn prepare(password: &str) -> Vec<u8> {
    password.nfc().collect::<String>().into_bytes()
}

fn fault(error: &Error) -> Unavailable {
    Unavailable(format!("hashing a password: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: [u8; 16] = [7; 16];

    #[test]
    fn a_hash_is_argon2id_with_the_owasp_parameters() {
        let hash = hash("correct horse", &SALT).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }

    #[test]
    fn the_right_password_verifies_and_a_wrong_one_does_not() {
        let stored = hash("correct horse", &SALT).unwrap();
        assert!(verify("correct horse", Some(&stored)).unwrap());
        assert!(!verify("correct horsf", Some(&stored)).unwrap());
        assert!(!verify("", Some(&stored)).unwrap());
    }

    #[test]
    fn composed_and_decomposed_letters_are_the_same_password() {
        let stored = hash("grüße an alle", &SALT).unwrap();
        assert!(verify("gru\u{308}ße an alle", Some(&stored)).unwrap());
    }

    #[test]
    fn an_unknown_user_costs_as_much_as_a_known_one_and_never_verifies() {
        let stored = hash("correct horse", &SALT).unwrap();
        let time = |stored: Option<&str>| {
            (0..3)
                .map(|_| {
                    #[expect(clippy::disallowed_methods, reason = "this test measures time")]
                    let start = std::time::Instant::now();
                    assert!(!verify("wrong", stored).unwrap());
                    start.elapsed()
                })
                .min()
                .unwrap()
        };
        let (known, unknown) = (time(Some(&stored)), time(None));
        let ratio = unknown.as_secs_f64() / known.as_secs_f64();
        assert!((0.3..3.0).contains(&ratio), "known {known:?}, unknown {unknown:?}");
    }

    #[test]
    fn an_overlong_password_is_wrong_without_being_hashed() {
        let long = "a".repeat(LONGEST + 1);
        assert!(!verify(&long, Some("not even a hash")).unwrap());
    }

    #[test]
    fn a_damaged_hash_is_a_fault_and_not_a_wrong_password() {
        assert!(verify("password", Some("$argon2id$damaged")).is_err());
    }
}
