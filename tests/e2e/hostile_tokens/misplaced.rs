//! Tokens in the wrong place, and too many of them (RFC 6750 §2).

use gateway_tests::client::Request;

use super::{check, lives_on, start};

#[tokio::test]
async fn tokens_in_the_wrong_place_or_too_many_of_them_are_refused() {
    let (gateway, auth0) = start().await;
    let token = auth0.token().build();
    let bearer = format!("Bearer {token}");
    let authorization = |value: &[u8]| Request::get("/").header("authorization", value);
    let cases = vec![
        ("no_token", Request::get("/"), 401, "missing_token"),
        (
            "another_scheme",
            authorization(b"Basic dXNlcjpwYXNz"),
            401,
            "missing_token",
        ),
        (
            "the_token_without_its_scheme",
            authorization(token.as_bytes()),
            401,
            "missing_token",
        ),
        (
            "an_empty_bearer",
            authorization(b"Bearer "),
            401,
            "opaque_token",
        ),
        (
            "bytes_that_are_no_text",
            authorization(b"Bearer \xff\xfe\xfd.\xff.\xff"),
            401,
            "malformed_token",
        ),
        (
            "cve_2025_64527_two_authorization_fields",
            Request::get("/").bearer(&token).bearer(&token),
            400,
            "several_tokens",
        ),
        (
            "cve_2026_26308_two_tokens_in_one_field",
            authorization(format!("{bearer}, {bearer}").as_bytes()),
            400,
            "several_tokens",
        ),
        (
            // Envoy joins the two fields by a comma; an upstream may find either.
            "a_second_field_of_another_scheme",
            Request::get("/")
                .header("authorization", "Basic dXNlcjpwYXNz")
                .bearer(&token),
            400,
            "several_tokens",
        ),
        (
            "in_the_query",
            Request::get(format!("/?access_token={token}")),
            401,
            "missing_token",
        ),
        (
            "in_a_cookie",
            Request::get("/").header("cookie", format!("access_token={token}")),
            401,
            "missing_token",
        ),
        (
            "in_a_proxy_header",
            Request::get("/").header("proxy-authorization", &bearer),
            401,
            "missing_token",
        ),
    ];
    check(&gateway, cases).await;
    lives_on(&gateway, &auth0).await;
}
