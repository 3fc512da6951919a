//! `session`: the cookie that is opened at the edge, and which environment variables hold its keys.
//!
//! A key is a secret and stands in no configuration: this names where it is, and [`Config::with_secrets`] looks there.

use super::Config;
use super::reader::{ConfigError, List, Object, Parsed, Text};
use crate::audit::SubjectKey;
use crate::session::SessionKeys;
use crate::token::is_token;

/// The session cookie, and what opens it.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// The cookie's name; begins with `__Host-`.
    pub cookie: Box<str>,
    /// The environment variables that hold the keys, newest first.
    pub keys_env: Vec<Box<str>>,
    /// The keys, once [`Config::with_secrets`] has found them. Without them no cookie can be opened.
    pub keys: Option<SessionKeys>,
}

pub(super) fn session(o: &mut Object<'_>) -> Option<SessionSettings> {
    let cookie = o.default(
        "cookie",
        Parsed {
            of: Text { max: 64 },
            with: cookie_name,
        },
        ("__Host-edge-session", "__Host-edge-session".into()),
        "The name of the cookie that api-server seals; over 4 KiB it comes in pieces called NAME.0, NAME.1, …",
    );
    let keys_env = o.required(
        "keys_env",
        List {
            of: Parsed {
                of: Text { max: 64 },
                with: variable_name,
            },
            min: 1,
            max: 8,
        },
        "The environment variables of the VM that hold the keys: each one or several, 32 random bytes in base64url \
         without padding, separated by commas or spaces. All of them open a cookie.",
    )?;
    Some(SessionSettings {
        cookie,
        keys_env,
        keys: None,
    })
}

/// The name of an environment variable (POSIX.1-2017 §8.1, with lower case).
pub(super) fn variable_name(name: Box<str>) -> Result<Box<str>, String> {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain && !name.starts_with(|first: char| first.is_ascii_digit()) {
        Ok(name)
    } else {
        Err("is no name of an environment variable: letters, digits and `_`".to_owned())
    }
}

/// What begins with `__Host-` a browser takes only from the very host it is for, over TLS (RFC 6265bis §4.1.3.2).
fn cookie_name(name: Box<str>) -> Result<Box<str>, String> {
    let is_bound = name.strip_prefix("__Host-").is_some_and(is_token);
    if is_bound {
        Ok(name)
    } else {
        Err(
            "must begin with `__Host-`: any other cookie can be planted by a page of a sibling domain"
                .to_owned(),
        )
    }
}

impl Config {
    /// The environment variables in which [`with_secrets`](Self::with_secrets) looks for secrets.
    pub fn secret_names(&self) -> impl Iterator<Item = &str> {
        let session = self.session.iter().flat_map(|session| &session.keys_env);
        let audit = self.audit.iter().flat_map(|audit| &audit.subject_key_env);
        session.chain(audit).map(AsRef::as_ref)
    }

    /// The configuration with the secrets it names, which `lookup` finds by the names of environment variables.
    ///
    /// # Errors
    /// Every secret that is missing or no key, by its place; nothing of the secret itself.
    pub fn with_secrets(
        mut self,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<ConfigError>> {
        let mut errors = Vec::new();
        if let Some(session) = &mut self.session {
            let mut lists = Vec::new();
            for (index, name) in session.keys_env.iter().enumerate() {
                let found = secret(name, lookup).and_then(|text| {
                    SessionKeys::parse(&text).map_err(|error| format!("{name} {error}"))
                });
                match found {
                    Ok(keys) => lists.push(keys),
                    Err(error) => errors.push(ConfigError::at(
                        &format!("session.keys_env[{index}]"),
                        &error,
                    )),
                }
            }
            if errors.is_empty() {
                match SessionKeys::concat(lists) {
                    Ok(keys) => session.keys = Some(keys),
                    Err(error) => errors.push(ConfigError::at("session.keys_env", &error)),
                }
            }
        }
        if let Some(audit) = &mut self.audit
            && let Some(name) = &audit.subject_key_env
        {
            let found = secret(name, lookup).and_then(|text| {
                SubjectKey::parse(&text).map_err(|error| format!("{name} {error}"))
            });
            match found {
                Ok(key) => audit.subject_key = Some(key),
                Err(error) => errors.push(ConfigError::at("audit.subject_key_env", &error)),
            }
        }
        if errors.is_empty() {
            Ok(self)
        } else {
            Err(errors)
        }
    }
}

/// The text of one environment variable.
fn secret(name: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    lookup(name).filter(|text| !text.trim().is_empty()).ok_or_else(|| {
        format!(
            "{name} is not set for this VM: name it in vm_config.environment_variables (Istio: vmConfig.env, Envoy \
             Gateway: env.hostKeys) and set it where the proxy starts"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    fn config(session: &serde_json::Value) -> Result<Config, Vec<String>> {
        let config = serde_json::json!({
            "version": 1,
            "providers": {"auth0": {
                "issuer": "https://tenant.auth0.com/",
                "audiences": ["https://api.pymd.io"],
                "remote_jwks": {"http_uri": {
                    "uri": "https://tenant.auth0.com/.well-known/jwks.json",
                    "cluster": "auth0",
                }},
            }},
            "default": {"requires": {"provider": "auth0"}},
            "session": session,
        });
        Config::from_json(config.to_string().as_bytes()).map_err(|errors| told(&errors))
    }

    fn told(errors: &[ConfigError]) -> Vec<String> {
        errors.iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn check_section(session: &serde_json::Value, expected: &[&str]) {
        assert_eq!(config(session).unwrap_err(), expected);
    }

    #[test]
    fn a_cookie_that_others_can_plant_and_names_that_are_none_are_refused() {
        check_section(
            &serde_json::json!({"cookie": "session", "keys_env": ["1KEY", "A-B"], "key": "x"}),
            &[
                "session.cookie: must begin with `__Host-`: any other cookie can be planted by a page of a sibling \
                 domain",
                "session.keys_env[0]: is no name of an environment variable: letters, digits and `_`",
                "session.keys_env[1]: is no name of an environment variable: letters, digits and `_`",
                "session.key: is not known; known fields are cookie, keys_env",
            ],
        );
        check_section(&serde_json::json!({}), &["session.keys_env: is required"]);
    }

    #[track_caller]
    fn check_secrets(names: &[&str], expected: Result<&str, &[&str]>) {
        let config = config(&serde_json::json!({"keys_env": names})).unwrap();
        assert_eq!(config.secret_names().collect::<Vec<_>>(), names);
        let lookup = |name: &str| match name {
            "GOOD" => Some(KEY.to_owned()),
            "EMPTY" => Some(" ".to_owned()),
            "SHORT" => Some("c2VjcmV0".to_owned()),
            "HEX" => Some("00".repeat(32)),
            "ZERO" => Some("A".repeat(43)),
            "NINE" => Some([KEY; 9].join(",")),
            _ => None,
        };
        let found = config.with_secrets(&lookup);
        match (found, expected) {
            (Ok(config), Ok(keys)) => {
                assert_eq!(format!("{:?}", config.session.unwrap().keys.unwrap()), keys);
            }
            (Err(errors), Err(expected)) => assert_eq!(told(&errors), expected),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    /// Every mistake at once, by its place and its variable, and nothing of any secret.
    #[test]
    fn keys_that_are_missing_or_none_are_told_without_showing_them() {
        check_secrets(&["GOOD", "GOOD"], Ok("SessionKeys(2)"));
        check_secrets(
            &["GOOD", "SHORT", "HEX", "ZERO", "NINE"],
            Err(&[
                "session.keys_env[1]: SHORT must hold keys of 32 bytes each, in base64url without padding (43 \
                 characters)",
                "session.keys_env[2]: HEX must hold keys of 32 bytes each, in base64url without padding (43 \
                 characters)",
                "session.keys_env[3]: ZERO holds a key that is not random",
                "session.keys_env[4]: NINE must hold 1 to 8 keys",
            ]),
        );
        for name in ["EMPTY", "MISSING"] {
            let error = format!(
                "session.keys_env[0]: {name} is not set for this VM: name it in vm_config.environment_variables \
                 (Istio: vmConfig.env, Envoy Gateway: env.hostKeys) and set it where the proxy starts"
            );
            check_secrets(&[name], Err(&[&error]));
        }
    }
}
