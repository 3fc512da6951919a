//! Who is logged in, and what was handed out for it: sessions, codes, refresh tokens, access tokens.
//!
//! A refresh token is good once, and the answer has the next one. One that comes back was copied by somebody, so its
//! whole family ends (RFC 9700 §4.14.2). A code that comes back ends what it was exchanged for (RFC 6749 §4.1.2).
//! Time is an argument, in seconds since the epoch.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::RngCore;
use sha2::{Digest, Sha256};

use crate::User;

/// What a user allowed a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) session: Session,
    /// Granted scopes, in the order they were asked for.
    pub(crate) scope: Vec<String>,
    /// The API; `None` gives an access token for the user's own profile only, which is opaque.
    pub(crate) audience: Option<String>,
}

impl Grant {
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scope.iter().any(|one| one == scope)
    }
}

/// A login at the tenant, which its cookie names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// `sid` of ID tokens.
    pub(crate) sid: String,
    pub(crate) user: &'static User,
    /// When the password was given.
    pub(crate) auth_time: u64,
}

/// A code, with what its exchange must agree with.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    /// S256 of the verifier (RFC 7636 §4.2).
    pub(crate) challenge: String,
    pub(crate) nonce: Option<String>,
    pub(crate) expires_at: u64,
}

/// Why an exchange is refused, in Auth0's words.
pub(crate) type Refused = &'static str;

/// Everything handed out.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    /// By the cookie's value.
    sessions: HashMap<String, Session>,
    codes: HashMap<String, Code>,
    /// The family of a code that was exchanged.
    used_codes: HashMap<String, String>,
    /// The family of every refresh token there ever was.
    refresh_tokens: HashMap<String, String>,
    families: HashMap<String, Family>,
    access_tokens: HashMap<String, Grant>,
}

#[derive(Debug)]
struct Family {
    grant: Grant,
    current: String,
}

impl Grants {
    /// Logs a user in; gives the session and its cookie's value.
    pub(crate) fn log_in(&mut self, user: &'static User, now: u64) -> (Session, String) {
        let session = Session {
            sid: random(),
            user,
            auth_time: now,
        };
        let cookie = random();
        self.sessions.insert(cookie.clone(), session.clone());
        (session, cookie)
    }

    pub(crate) fn session(&self, cookie: &str) -> Option<&Session> {
        self.sessions.get(cookie)
    }

    pub(crate) fn log_out(&mut self, cookie: &str) {
        self.sessions.remove(cookie);
    }

    pub(crate) fn hand_out(&mut self, code: Code) -> String {
        let text = random();
        self.codes.insert(text.clone(), code);
        text
    }

    /// Exchanges a code; gives what it stood for.
    pub(crate) fn redeem(
        &mut self,
        text: &str,
        client_id: &str,
        redirect_uri: &str,
        code_verifier: &str,
        now: u64,
    ) -> Result<Code, Refused> {
        if let Some(family) = self.used_codes.get(text) {
            self.families.remove(family);
            return Err("Invalid authorization code");
        }
        // Whatever comes of it, a code is tried once.
        let code = self.codes.remove(text);
        let code = code.filter(|code| code.grant.client_id == client_id && now < code.expires_at);
        let code = code.ok_or("Invalid authorization code")?;
        if code.redirect_uri != redirect_uri {
            return Err("The redirect_uri is not the one of the authorization request");
        }
        if BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(code_verifier)) != code.challenge {
            return Err("Failed to verify code verifier");
        }
        Ok(code)
    }

    /// The first refresh token for the grant of a code.
    pub(crate) fn begin_family(&mut self, code: &str, grant: Grant) -> String {
        let (family, current) = (random(), random());
        self.used_codes.insert(code.to_owned(), family.clone());
        self.refresh_tokens.insert(current.clone(), family.clone());
        let begun = Family {
            grant,
            current: current.clone(),
        };
        self.families.insert(family, begun);
        current
    }

    /// Exchanges a refresh token for the next one.
    pub(crate) fn rotate(
        &mut self,
        refresh_token: &str,
        client_id: &str,
    ) -> Result<(Grant, String), Refused> {
        const UNKNOWN: Refused = "Unknown or invalid refresh token.";
        let id = self.refresh_tokens.get(refresh_token).cloned();
        let id = id.ok_or(UNKNOWN)?;
        let family = self.families.get_mut(&id).ok_or(UNKNOWN)?;
        if family.grant.client_id != client_id {
            return Err(UNKNOWN);
        }
        if family.current != refresh_token {
            self.families.remove(&id);
            return Err(UNKNOWN);
        }
        family.current = random();
        let next = (family.grant.clone(), family.current.clone());
        self.refresh_tokens.insert(next.1.clone(), id);
        Ok(next)
    }

    /// Remembers an access token for the user info endpoint.
    pub(crate) fn issue(&mut self, access_token: &str, grant: Grant) {
        self.access_tokens.insert(access_token.to_owned(), grant);
    }

    pub(crate) fn issued(&self, access_token: &str) -> Option<&Grant> {
        self.access_tokens.get(access_token)
    }
}

/// 192 bits nobody can guess, as text.
pub(crate) fn random() -> String {
    let mut bytes = [0; 24];
    rand::rngs::OsRng.fill_bytes(&mut bytes);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const CALLBACK: &str = "https://app.example.com/callback";
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    /// Of [`VERIFIER`], from RFC 7636 appendix B.
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn handed_out(grants: &mut Grants) -> String {
        let (session, _) = grants.log_in(&User::all()[0], NOW);
        grants.hand_out(Code {
            grant: Grant {
                client_id: "app".into(),
                session,
                scope: vec!["openid".into()],
                audience: None,
            },
            redirect_uri: CALLBACK.into(),
            challenge: CHALLENGE.into(),
            nonce: None,
            expires_at: NOW + 60,
        })
    }

    #[track_caller]
    fn check(client: &str, callback: &str, verifier: &str, now: u64, expected: Option<Refused>) {
        let mut grants = Grants::default();
        let code = handed_out(&mut grants);
        let redeemed = grants.redeem(&code, client, callback, verifier, now);
        assert_eq!(redeemed.err(), expected);
    }

    #[test]
    fn a_code_is_good_for_its_client_callback_and_verifier_and_for_a_minute() {
        check("app", CALLBACK, VERIFIER, NOW, None);
        check("app", CALLBACK, VERIFIER, NOW + 59, None);
        let unknown = Some("Invalid authorization code");
        check("app", CALLBACK, VERIFIER, NOW + 60, unknown);
        check("other", CALLBACK, VERIFIER, NOW, unknown);
        let elsewhere = "https://evil.example/callback";
        let mismatch = Some("The redirect_uri is not the one of the authorization request");
        check("app", elsewhere, VERIFIER, NOW, mismatch);
        let unverified = Some("Failed to verify code verifier");
        check("app", CALLBACK, "another", NOW, unverified);
        check("app", CALLBACK, CHALLENGE, NOW, unverified);
    }

    #[test]
    fn a_code_that_comes_back_ends_what_it_was_exchanged_for() {
        let mut grants = Grants::default();
        let text = handed_out(&mut grants);
        let code = grants.redeem(&text, "app", CALLBACK, VERIFIER, NOW);
        let refresh_token = grants.begin_family(&text, code.unwrap().grant);
        let again = grants.redeem(&text, "app", CALLBACK, VERIFIER, NOW);
        assert!(again.is_err());
        assert!(grants.rotate(&refresh_token, "app").is_err());
    }

    #[test]
    fn a_refresh_token_is_good_once_and_its_reuse_ends_the_family() {
        let mut grants = Grants::default();
        let text = handed_out(&mut grants);
        let code = grants.redeem(&text, "app", CALLBACK, VERIFIER, NOW);
        let first = grants.begin_family(&text, code.unwrap().grant);
        let (_, second) = grants.rotate(&first, "app").unwrap();
        assert!(grants.rotate(&second, "other").is_err());
        let (_, third) = grants.rotate(&second, "app").unwrap();
        assert!(grants.rotate(&first, "app").is_err());
        assert!(
            grants.rotate(&third, "app").is_err(),
            "the family outlives a reuse"
        );
    }
}
