//! `edge-auth seal-session`: a session cookie for a test, as api-server makes them at login.

use std::env;
use std::io::Read as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use edge_auth_policy::session::{self, NONCE_BYTES, Purpose, Session, SessionKeys};
use edge_auth_policy::time::UnixTime;

use crate::Report;

/// How to seal.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The environment variable with the keys; the first one seals
    #[arg(long, value_name = "NAME", default_value = "EDGE_SESSION_KEY")]
    key_env: String,
    /// The cookie's name
    #[arg(long, value_name = "NAME", default_value = "__Host-edge-session")]
    cookie: String,
    /// What the feed of revocations calls the session
    #[arg(long, value_name = "ID", default_value = "test-session")]
    session_id: String,
    /// For how long the cookie opens, in seconds
    #[arg(long, value_name = "S", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..=7_776_000))]
    lifetime: u64,
}

/// The longest input: some ten thousand tokens.
const MAX_INPUT_BYTES: u64 = 64 * 1024 * 1024;

/// Reads access tokens from standard input, one per line, and prints the value of a `Cookie` field for each.
pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    let keys = env::var(&arguments.key_env).with_context(|| {
        format!(
            "{} is not set; give it 32 random bytes in base64url",
            arguments.key_env
        )
    })?;
    let keys = SessionKeys::parse(&keys).with_context(|| arguments.key_env.clone())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let expires_at = UnixTime::from_secs((now + Duration::from_secs(arguments.lifetime)).as_secs());
    let mut tokens = String::new();
    std::io::stdin()
        .take(MAX_INPUT_BYTES)
        .read_to_string(&mut tokens)?;
    let mut text = String::new();
    for token in tokens
        .lines()
        .map(str::trim)
        .filter(|token| !token.is_empty())
    {
        let session = Session {
            session_id: arguments.session_id.as_str().into(),
            generation: 0,
            access_token: token.into(),
        };
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let sealed = keys
            .seal(
                Purpose::Session,
                &[],
                expires_at,
                &session.to_bytes(),
                nonce,
            )
            .map_err(|_| anyhow!("the token is too long to be sealed"))?;
        let cookies = session::chunks(&arguments.cookie, &sealed)
            .ok_or_else(|| anyhow!("the token is too long for cookies"))?;
        let cookies: Vec<_> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        text.push_str(&cookies.join("; "));
        text.push('\n');
    }
    Ok(Report::right(text))
}
