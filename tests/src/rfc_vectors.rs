//! The examples of RFC 7515 appendix A and RFC 8037 appendix A.4, for whoever verifies: the module in wasmtime, Envoy.
//!
//! None of them is an access token: no audience, an end in 2011, or no claims at all. What tells that a signature
//! verified is the next thing that is wrong.

use serde_json::{Value, json};

/// A signed example.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Where it stands.
    pub name: &'static str,
    /// The key that verifies it, as a JWK.
    pub key: &'static str,
    /// The compact form.
    pub token: &'static str,
}

/// Why a signed example is refused though its signature is good: it has no audience.
pub const SIGNED_REFUSED_FOR: &str = "invalid_claims";

/// The examples with a signature that an access token may have, and claims.
pub const SIGNED: [Example; 2] = [
    Example {
        name: "RFC 7515 A.2, RS256",
        key: concat!(
            r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmf"#,
            "HQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wG",
            "zjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZ",
            "lxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54",
            r#"h4FRWyuXpoQ"}"#,
        ),
        token: concat!(
            "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlL",
            "mNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7",
            "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWz",
            "O75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZES",
            "c6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlU",
            "PQGe77Rw",
        ),
    },
    Example {
        name: "RFC 7515 A.3, ES256",
        key: concat!(
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m"#,
            r#"36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        ),
        token: concat!(
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlL",
            "mNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA",
            "pmWQxfKTUJqPP3-Kg6NU1Q",
        ),
    },
];

/// The examples that are refused for what they are, and why.
pub const REFUSED: [(&str, &str, &str); 6] = [
    (
        "RFC 7515 A.1, HS256",
        concat!(
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogI",
            "mh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ),
        "algorithm_not_allowed",
    ),
    (
        "RFC 7515 A.4, ES512 of a text",
        concat!(
            "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWRO",
            "c-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vc",
            "nwNrmxYbSW9ERBXukOXolLzeO_Jn",
        ),
        "malformed_token",
    ),
    (
        "RFC 7515 A.5, none",
        concat!(
            "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm",
            "NvbS9pc19yb290Ijp0cnVlfQ.",
        ),
        "malformed_token",
    ),
    (
        "RFC 7515 A.6, JSON serialization",
        r#"{"payload":"eyJpc3MiOiJqb2UifQ"}"#,
        "opaque_token",
    ),
    (
        "RFC 8037 A.4, EdDSA of a text",
        concat!(
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGc",
            "vMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        ),
        "malformed_token",
    ),
    (
        "RFC 7516, five segments",
        "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AAAA.AAAA.AAAA.AAAA",
        "encrypted_token",
    ),
];

/// A plugin configuration that trusts the keys of the signed examples.
pub fn configuration() -> Value {
    let keys = SIGNED.map(|example| serde_json::from_str::<Value>(example.key).unwrap_or_default());
    json!({
        "version": 1,
        "providers": {"rfc": {
            "issuer": "joe",
            "audiences": ["https://api.pymd.io"],
            "algorithms": ["RS256", "ES256", "ES512", "EdDSA"],
            "local_jwks": {"inline_string": json!({ "keys": keys }).to_string()},
        }},
        "default": {"requires": {"provider": "rfc"}},
        "errors": {"error_uri_base": "https://docs.pymd.io/errors#"},
    })
}

/// Project Wycheproof's tokens with their numbers, good signatures and bad ones: as none of them carries claims, none
/// may be let through, whatever its signature.
pub fn wycheproof() -> Vec<(u32, String)> {
    #[derive(serde::Deserialize)]
    struct Group {
        tests: Vec<(u32, bool, String)>,
    }
    const VECTORS: &str = include_str!("../../filter/policy/src/jwt/tests/wycheproof.json");
    let groups: Vec<Group> = serde_json::from_str(VECTORS).unwrap_or_default();
    let tests = groups.into_iter().flat_map(|group| group.tests);
    tests.map(|(number, _, token)| (number, token)).collect()
}

/// Each signed example with six bits of its signature changed, and with the other's signature.
pub fn forged() -> Vec<(String, String)> {
    let mut forged = Vec::new();
    for (index, example) in SIGNED.iter().enumerate() {
        let Some((input, signature)) = example.token.rsplit_once('.') else {
            continue;
        };
        let first = if signature.starts_with('A') { "B" } else { "A" };
        let mut changed = signature.to_owned();
        changed.replace_range(..1, first);
        let name = format!("{}, changed", example.name);
        forged.push((name, format!("{input}.{changed}")));
        let other = SIGNED
            .get(1 - index)
            .and_then(|other| other.token.rsplit_once('.'));
        if let Some((_, other)) = other {
            let name = format!("{}, another's signature", example.name);
            forged.push((name, format!("{input}.{other}")));
        }
    }
    forged
}
