//! `edge-auth test`.

use crate::support::{check, edge_auth};

#[test]
fn cases_that_hold() {
    check(
        "test cases.yaml --config plain.yaml",
        0,
        "\
ok    a reader reads
ok    nobody deletes without the role
ok    no token, no documents
ok    the third login within a minute is one too many
ok    plain HTTP is sent to HTTPS
ok    a token that expired is refused
ok    shadow mode lets through
7 cases, 0 failed
",
    );
}

#[test]
fn cases_that_do_not_hold_show_the_difference_and_the_way_there() {
    check(
        "test cases-wrong.yaml --config plain.yaml",
        1,
        "\
FAIL  a reader deletes  (cases-wrong.yaml: cases[0])
        decision: expected forward, got reply
        steps: path (judged as /documents/7, client 192.0.2.1) → https_redirect (came over HTTPS) → rule (delete) → \
credential → provider (auth0) → verification → authorization (claims[0]: missing, or of another type)
FAIL  a header is wrong  (cases-wrong.yaml: cases[1])
        rule: expected write, got read
        header x-user-id: expected \"root\", got \"edge-auth\"
        header x-user-name: expected to be removed, is not
        steps: path (judged as /documents, client 192.0.2.1) → https_redirect (came over HTTPS) → rule (read) → \
credential → provider (auth0) → verification → authorization → forward
2 cases, 2 failed
",
    );
}

#[test]
fn a_slip_in_a_case_is_an_error_and_not_a_pass() {
    let run = edge_auth("test cases-slip.yaml --config plain.yaml");
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(
        run.stderr
            .contains("cases-slip.yaml: cases[0]: unknown field `stauts`"),
        "{}",
        run.stderr
    );
}

#[test]
fn no_cases_are_no_success() {
    let run = edge_auth("test plain.yaml --config plain.yaml");
    assert_eq!(run.code, Some(2), "{run:?}");
}
