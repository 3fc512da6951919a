//! The examples of RFC 7515, RFC 7519, RFC 7520 and RFC 8037.

use crate::json;
use crate::jwk::KeySet;
use crate::jwt::jws::Jws;
use crate::jwt::{Error, UnverifiedToken, verify};
use crate::signature::InModule;
use crate::time::UnixTime;

const A2_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const A3_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const A4_TOKEN: &str = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
const A2_KEY: &str = concat!(
    r#"{"kty":"RSA","e":"AQAB","n":""#,
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    r#""}"#
);
const A3_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const A4_KEY: &str = r#"{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}"#;
const RFC_8037_KEY: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const RFC_8037_TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn set_of(jwk: &str) -> KeySet {
    KeySet::parse(format!(r#"{{"keys":[{jwk}]}}"#).as_bytes()).unwrap()
}

/// The signature verifies with the example's key, and with nobody else's.
#[track_caller]
fn check_signature(jwk: &str, compact: &str) {
    let jws = Jws::parse(compact.as_bytes()).unwrap();
    assert!(jws.signer(&set_of(jwk), &mut InModule).is_ok());
    for other in [A2_KEY, A3_KEY, A4_KEY, RFC_8037_KEY] {
        if other != jwk {
            assert!(jws.signer(&set_of(other), &mut InModule).is_err());
        }
    }
}

#[track_caller]
fn check_refused(compact: &str, expected: Error) {
    assert_eq!(
        UnverifiedToken::parse(compact.as_bytes()).unwrap_err(),
        expected
    );
}

#[test]
fn rfc_7515_a1_hmac_is_refused() {
    check_refused(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        Error::UnsupportedAlgorithm,
    );
}

#[test]
fn rfc_7515_a2_rs256_verifies() {
    check_signature(A2_KEY, A2_TOKEN);
}

#[test]
fn rfc_7515_a3_es256_verifies() {
    check_signature(A3_KEY, A3_TOKEN);
}

#[test]
fn rfc_7515_a4_es512_verifies() {
    check_signature(A4_KEY, A4_TOKEN);
    // Its payload is a text and no claims, so it is a JWS and not a JWT.
    check_refused(A4_TOKEN, Error::ClaimsJson(json::Error::Syntax));
}

#[test]
fn rfc_7515_a5_unsecured_is_refused() {
    check_refused(
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
        Error::Segments,
    );
}

#[test]
fn rfc_7515_a6_json_serialization_is_refused() {
    check_refused(
        r#"{"payload":"eyJpc3MiOiJqb2UifQ","signatures":[{"protected":"eyJhbGciOiJSUzI1NiJ9","signature":"cC4h"}]}"#,
        Error::NotAJwt,
    );
}

#[test]
fn rfc_7515_e_critical_header_is_refused() {
    let token = concat!(
        "eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9leGFtcGxlLmNvbS9V",
        "TkRFRklORUQiOnRydWUNCn0.RkFJTA."
    );
    check_refused(token, Error::Segments);
    check_refused(&format!("{token}AAAA"), Error::CriticalHeader);
}

#[test]
fn rfc_8037_a4_ed25519_verifies() {
    check_signature(RFC_8037_KEY, RFC_8037_TOKEN);
}

#[test]
fn rfc_7519_a1_encrypted_jwt_is_refused() {
    check_refused(
        "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.QR1Owv2ug2WyPBnbQrRARTeEk9kDO2w8qDcjiHnSJflSdv1iNqhWXaKH4MqAkQtM.AxY8DCtDaGlsbGljb3RoZQ.MKOle7UQrG6nSxTLX6Mqwt0orbHvAKeWnDYvpIAeZ72deHxz3roJDXQyhxx0wKaM.fiK51VwhsxJ-siBMR-YFiA",
        Error::Encrypted,
    );
}

#[test]
fn rfc_7515_a2_claims_are_judged_after_the_signature() {
    let mut profile = super::profile();
    profile.issuers = vec!["joe".into()];
    let at = |now| {
        let token = UnverifiedToken::parse(A2_TOKEN.as_bytes()).unwrap();
        assert_eq!(token.unverified_issuer(), Some("joe"));
        verify(
            token,
            &profile,
            &set_of(A2_KEY),
            &mut InModule,
            UnixTime::from_secs(now),
        )
        .unwrap_err()
    };
    // The example has no audience, which no resource server should do without (RFC 8725 §3.9).
    assert_eq!(at(1_300_000_000), Error::MissingClaim("aud"));
}
