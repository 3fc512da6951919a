//! Spellings, slips of the pen, durations.

use super::*;

#[test]
fn both_spellings_of_a_proto_field_are_its_name() {
    assert!(names("cache_duration", "cache_duration"));
    assert!(names("cacheDuration", "cache_duration"));
    for other in [
        "cacheduration",
        "CacheDuration",
        "cache_Duration",
        "cacheDurations",
        "",
    ] {
        assert!(!names(other, "cache_duration"), "{other}");
    }
}

#[test]
fn slips_of_the_pen_are_recognised_and_other_words_are_not() {
    assert!(close("audience", "audiences"));
    assert!(close("cahce_duration", "cache_duration"));
    assert!(close("maxLifetme", "max_lifetime"));
    assert!(!close("jwks_uri", "audiences"));
    assert!(!close("x", "id"));
}

#[track_caller]
fn check(text: &str, expected: Result<u64, &str>) {
    let mut report = Report::default();
    let value = Value::String(text.into());
    let kind = Seconds::millis(100, 7_200_000);
    let read = kind
        .read(&value, &Path::ROOT, &mut report)
        .map(|it| it.as_millis());
    let errors = report.into_errors();
    match expected {
        Ok(millis) => assert_eq!(
            (read, errors.len()),
            (Some(u128::from(millis)), 0),
            "{text}"
        ),
        Err(part) => assert!(errors[0].message.contains(part), "{text}: {errors:?}"),
    }
}

#[test]
fn durations_have_a_unit_and_bounds() {
    check("300s", Ok(300_000));
    check("0.5s", Ok(500));
    check("250ms", Ok(250));
    check("2h", Ok(7_200_000));
    check("1m", Ok(60_000));
    check("3h", Err("is 3h; 100ms to 2h are allowed"));
    check("50ms", Err("is 50ms; 100ms to 2h are allowed"));
    for text in [
        "300",
        "s",
        "-1s",
        "1 s",
        "1.s",
        ".5s",
        "1d",
        "99999999999999999999s",
        "1.0000000000s",
    ] {
        check(text, Err("is no duration"));
    }
}
