//! Project Wycheproof's signature sets. Every case is executed, and what they come to is part of the test, so that
//! another edition of the vectors cannot quietly bring fewer.
//!
//! Each key goes the way that keys go: out of its SPKI, then through its JWK.

use attesto::jose::{Algorithm, Jwk, KeyError, VerifyingKey};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

/// What a set came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    accepted: usize,
    refused: usize,
}

impl Tally {
    fn judge(&mut self, case: usize, comment: &str, expected: bool, verified: bool) {
        assert_eq!(verified, expected, "case {case}: {comment}");
        if verified {
            self.accepted += 1;
        } else {
            self.refused += 1;
        }
    }
}

fn key(spki: &[u8]) -> Result<Jwk, KeyError> {
    let jwk = Jwk::new(VerifyingKey::from_spki_der(spki)?);
    assert_eq!(Jwk::from_json(jwk.to_value().to_string().as_bytes()), Ok(jwk.clone()));
    Ok(jwk)
}

#[test]
fn p_256_with_signatures_in_the_form_of_jws() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let mut tally = Tally::default();
    for group in &set.test_groups {
        let key = key(&group.der).unwrap();
        for case in &group.tests {
            let verified = key.verify(Algorithm::Es256, &case.msg, &case.sig).is_ok();
            tally.judge(case.tc_id, &case.comment, case.result == TestResult::Valid, verified);
        }
    }
    assert_eq!(tally, Tally { accepted: 173, refused: 89 });
}

/// JWS knows no DER: as they stand all are refused, and what strict DER can be put into the form of JWS gets the
/// verdict it has there.
#[test]
fn p_256_with_signatures_in_der() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256).unwrap();
    let mut tally = Tally::default();
    for group in &set.test_groups {
        let key = key(&group.der).unwrap();
        for case in &group.tests {
            assert!(key.verify(Algorithm::Es256, &case.msg, &case.sig).is_err(), "case {}", case.tc_id);
            let verified = p256::ecdsa::Signature::from_der(&case.sig)
                .is_ok_and(|sig| key.verify(Algorithm::Es256, &case.msg, &sig.to_bytes()).is_ok());
            tally.judge(case.tc_id, &case.comment, case.result == TestResult::Valid, verified);
        }
    }
    assert_eq!(tally, Tally { accepted: 174, refused: 310 });
}

#[test]
fn ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut tally = Tally::default();
    for group in &set.test_groups {
        let key = key(&group.der).unwrap();
        for case in &group.tests {
            let [verified, by_older_name] = [Algorithm::Ed25519, Algorithm::EdDsa]
                .map(|name| key.verify(name, &case.msg, &case.sig).is_ok());
            assert_eq!(verified, by_older_name);
            tally.judge(case.tc_id, &case.comment, case.result == TestResult::Valid, verified);
        }
    }
    assert_eq!(tally, Tally { accepted: 88, refused: 63 });
}

#[test]
fn rsa_pkcs1_v1_5_with_sha_256() {
    use rsa_pkcs1_verify::{TestFlag, TestName};
    // The last number is of cases under keys with the public exponent 3, which are not keys here.
    for (name, expected, expected_without_key) in [
        (TestName::Rsa2048Sha256, Tally { accepted: 7, refused: 250 }, 2),
        (TestName::Rsa3072Sha256, Tally { accepted: 7, refused: 251 }, 1),
        (TestName::Rsa4096Sha256, Tally { accepted: 7, refused: 251 }, 0),
        (TestName::Rsa8192Sha256, Tally { accepted: 7, refused: 251 }, 0),
    ] {
        let set = rsa_pkcs1_verify::TestSet::load(name).unwrap();
        let (mut tally, mut without_key) = (Tally::default(), 0);
        for group in &set.test_groups {
            let key = match key(&group.der) {
                Ok(key) => key,
                Err(reason) => {
                    assert_eq!((reason, &group.key.e[..]), (KeyError::UnacceptableExponent, &[3][..]));
                    without_key += group.tests.len();
                    continue;
                }
            };
            for case in &group.tests {
                let expected = match case.result {
                    TestResult::Valid => true,
                    TestResult::Invalid => false,
                    // A DigestInfo without the NULL: verifiers MAY accept it "for compatibility with implementations
                    // that omit" it (RFC 8017 §8.2.2 note); no signer of JWTs does.
                    TestResult::Acceptable => {
                        assert_eq!(case.flags, [TestFlag::MissingNull], "case {}", case.tc_id);
                        false
                    }
                };
                let verified = key.verify(Algorithm::Rs256, &case.msg, &case.sig).is_ok();
                tally.judge(case.tc_id, &case.comment, expected, verified);
            }
        }
        assert_eq!((tally, without_key), (expected, expected_without_key), "{name:?}");
    }
}

#[test]
fn rsa_pss_with_sha_256_mgf1_with_sha_256_and_a_salt_of_32() {
    use rsa_pss_verify::TestName;
    for name in [
        TestName::RsaPss2048Sha256Mgf1SaltLen32,
        TestName::RsaPss3072Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha256Mgf1SaltLen32,
    ] {
        let mut tally = Tally::default();
        for group in &rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let key = key(&group.der).unwrap();
            for case in &group.tests {
                let verified = key.verify(Algorithm::Ps256, &case.msg, &case.sig).is_ok();
                tally.judge(case.tc_id, &case.comment, case.result == TestResult::Valid, verified);
            }
        }
        assert_eq!(tally, Tally { accepted: 63, refused: 45 }, "{name:?}");
    }
}

/// "The size of the salt value is the same size as the hash function output" (RFC 7518 §3.5), and MGF1's hash is the
/// same: signatures that are right for other parameters are wrong here.
#[test]
fn rsa_pss_with_other_parameters_is_refused() {
    use rsa_pss_verify::TestName;
    for (name, valid) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen0, 61),
        (TestName::RsaPss2048Sha256Mgf1Sha1_20, 63),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, 95),
        (TestName::RsaPss2048Sha512_256Mgf1SaltLen32, 69),
    ] {
        let mut refused = 0;
        for group in &rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let key = key(&group.der).unwrap();
            for case in group.tests.iter().filter(|case| case.result == TestResult::Valid) {
                assert!(key.verify(Algorithm::Ps256, &case.msg, &case.sig).is_err(), "case {}", case.tc_id);
                refused += 1;
            }
        }
        assert_eq!(refused, valid, "{name:?}");
    }
}

/// Some PSS keys say by their own identifier which hash and salt they are for. They are not read.
#[test]
fn rsa_pss_keys_with_parameters_are_not_keys_here() {
    let name = rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1SaltLen32WithParams;
    let set = rsa_pss_verify::TestSet::load(name).unwrap();
    assert!(!set.test_groups.is_empty());
    for group in &set.test_groups {
        assert_eq!(key(&group.der), Err(KeyError::PssParameters));
    }
}
