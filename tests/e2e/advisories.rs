//! `docs/advisories.md` names tests that exist.

use std::fs;

use gateway_tests::sources;

#[test]
fn every_advisory_has_a_test_and_every_test_named_exists() {
    let page = fs::read_to_string(sources::root().join("docs/advisories.md")).unwrap();
    let known = sources::tests().unwrap();
    let mut advisories = 0;
    for line in page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| advisory"))
    {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let ["", advisory, what, tests, ""] = cells[..] else {
            panic!("no row of three: {line}");
        };
        assert!(!what.is_empty(), "{advisory} says not what happened");
        let named: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{advisory} has no test");
        for test in named {
            assert!(known.contains(test), "{advisory}: there is no test {test}");
        }
        advisories += 1;
    }
    assert!(advisories > 40, "{advisories}");
}
