//! Settings: text in, values that can't be wrong out, all mistakes at once.
//!
//! Every setting has one name. The environment gives it as `API_NAME`, a file (`API_CONFIG_FILE`, YAML) as `name`;
//! the environment wins. `API_NAME_FILE` names a file that holds the value, as secrets are mounted. No value of a
//! secret is ever printed, not even in an error.

mod login;
mod management;
mod parse;
mod reader;
mod secret;
mod source;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use edge_auth_policy::signature::AlgorithmSet;
use url::Url;

pub use login::LoginSettings;
pub use management::ManagementSettings;
pub use reader::{Mistake, Mistakes, Setting};
pub use secret::Secret;
pub use source::{Environment, Source};

use crate::database;
use crate::telemetry::LogFormat;
use reader::Reader;

/// Everything the server is told from outside.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where clients (the edge) connect.
    pub listen: SocketAddr,
    /// Where `/internal` and `/metrics` are served; never the public listener.
    pub internal_listen: SocketAddr,
    /// The database.
    pub database_url: database::Url,
    /// Connections to `PostgreSQL`, or readers of `SQLite`, at most; 1 to 1000.
    pub database_max_connections: u32,
    /// Who issues the tokens: `iss`, compared byte by byte.
    pub issuer: String,
    /// Whom the tokens are for: one `aud` has to be this.
    pub audience: String,
    /// Where the issuer's keys are.
    pub jwks_uri: Url,
    /// How the key set is fetched and kept.
    pub keys: KeySettings,
    /// The algorithms tokens may be signed with.
    pub algorithms: AlgorithmSet,
    /// How browsers log in; without it, the API takes bearer tokens only.
    pub login: Option<LoginSettings>,
    /// How profiles are read and changed at the provider; without it they are kept here only.
    pub management: Option<ManagementSettings>,
    /// The browser app's files; without it, no app is served.
    pub web_folder: Option<PathBuf>,
    /// The claim that holds a user's roles, by its literal name.
    pub roles_claim: String,
    /// What the provider's Action and log stream prove themselves with; at least 32 characters.
    pub internal_token: Option<Secret>,
    /// Proxies in front whose `x-forwarded-for` counts; 0 to 16. With 0 a client's address is its connection's.
    pub trusted_hops: usize,
    /// Tolerance for `exp`, `nbf` and `iat`; at most 300 s.
    pub clock_skew: Duration,
    /// A token that lives longer, from `iat` to `exp`, is refused; 1 min to 400 days.
    pub max_lifetime: Duration,
    /// What is logged, in the syntax of `tracing-subscriber`'s `EnvFilter`.
    pub log: String,
    /// Text for people or JSON for machines.
    pub log_format: LogFormat,
    /// How long a request may take; 1 s to 10 min.
    pub request_timeout: Duration,
    /// How long requests in flight may go on after a signal to stop; at most 10 min.
    pub shutdown_timeout: Duration,
    /// Connections held open at once on the public listener, at most.
    pub max_connections: usize,
}

/// How the issuer's keys are kept.
#[derive(Clone, Copy, Debug)]
pub struct KeySettings {
    /// After this the key set is fetched again; 1 s to 24 h.
    pub cache_duration: Duration,
    /// How long keys outlive an identity provider that can't be reached; up to 7 days.
    pub max_stale: Duration,
    /// The least time between two fetches asked for by unknown key ids or failures.
    pub cooldown: Duration,
    /// How long one fetch may take.
    pub timeout: Duration,
}

impl Settings {
    /// Reads every setting.
    ///
    /// # Errors
    /// All settings that are missing or wrong, each with its name and what was expected.
    pub fn read(source: &dyn Source) -> Result<Self, Mistakes> {
        let mut reader = Reader::new(source);
        let settings = Self::read_all(&mut reader);
        reader.finish()?;
        // Whatever is missing here has left a mistake above.
        settings.ok_or_else(Mistakes::default)
    }

    /// Every setting there is, in the order they are read.
    pub fn all() -> Vec<Setting> {
        let nothing = BTreeMap::new();
        let mut reader = Reader::new(&nothing);
        let _ = Self::read_all(&mut reader);
        reader.into_settings()
    }

    fn read_all(reader: &mut Reader<'_>) -> Option<Self> {
        let seconds = Duration::from_secs;
        let listen = reader.or("listen", "127.0.0.1:8080", parse::address);
        let internal_listen = reader.or("internal_listen", "127.0.0.1:9080", parse::address);
        let database_url = reader.secret_or(
            "database_url",
            "sqlite:edge-auth.db",
            str::parse::<database::Url>,
        );
        let database_max_connections =
            reader.or("database_max_connections", "8", parse::number(1..=1000));
        let issuer = reader.required("issuer", parse::issuer);
        let audience = reader.or("audience", "https://api.pymd.io", parse::text);
        let jwks_default = issuer
            .as_ref()
            .map(|issuer| format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/')));
        let jwks_uri = match &jwks_default {
            Some(default) => reader.or("jwks_uri", default, parse::provider_url),
            None => reader.optional("jwks_uri", parse::provider_url).flatten(),
        };
        let algorithms = reader.or("algorithms", "RS256", parse::algorithms);
        let clock_skew = reader.or(
            "clock_skew",
            "60s",
            parse::duration(seconds(0)..=seconds(300)),
        );
        let max_lifetime = reader.or(
            "max_lifetime",
            "24h",
            parse::duration(seconds(60)..=seconds(400 * 86_400)),
        );
        let keys = KeySettings::read(reader);
        let login = LoginSettings::read(reader);
        let management = ManagementSettings::read(reader, issuer.as_deref());
        let web_folder = reader.optional("web_folder", parse::app_folder);
        let roles_claim = reader.or("roles_claim", "https://pymd.io/roles", parse::text);
        let internal_token = reader.optional_secret("internal_token", parse::token);
        let trusted_hops = reader.or("trusted_hops", "0", parse::number(0..=16));
        let log = reader.or("log", "info", parse::log_filter);
        let log_format = reader.or("log_format", "text", str::parse::<LogFormat>);
        let request_timeout = reader.or(
            "request_timeout",
            "30s",
            parse::duration(seconds(1)..=seconds(600)),
        );
        let shutdown_timeout = reader.or(
            "shutdown_timeout",
            "20s",
            parse::duration(seconds(0)..=seconds(600)),
        );
        let max_connections = reader.or("max_connections", "1024", parse::number(1..=100_000));
        Some(Self {
            listen: listen?,
            internal_listen: internal_listen?,
            database_url: database_url?,
            database_max_connections: database_max_connections?,
            issuer: issuer?,
            audience: audience?,
            jwks_uri: jwks_uri?,
            keys: keys?,
            algorithms: algorithms?,
            login: login?,
            management: management?,
            web_folder: web_folder?,
            roles_claim: roles_claim?,
            internal_token: internal_token?,
            trusted_hops: usize::try_from(trusted_hops?).ok()?,
            clock_skew: clock_skew?,
            max_lifetime: max_lifetime?,
            log: log?,
            log_format: log_format?,
            request_timeout: request_timeout?,
            shutdown_timeout: shutdown_timeout?,
            max_connections: usize::try_from(max_connections?).ok()?,
        })
    }
}

impl KeySettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let seconds = Duration::from_secs;
        let cache_duration = reader.or(
            "jwks_cache_duration",
            "300s",
            parse::duration(seconds(1)..=seconds(86_400)),
        );
        let max_stale = reader.or(
            "jwks_max_stale",
            "24h",
            parse::duration(seconds(0)..=seconds(7 * 86_400)),
        );
        let cooldown = reader.or(
            "jwks_cooldown",
            "30s",
            parse::duration(seconds(1)..=seconds(3_600)),
        );
        let timeout = reader.or(
            "jwks_timeout",
            "5s",
            parse::duration(Duration::from_millis(100)..=seconds(60)),
        );
        Some(Self {
            cache_duration: cache_duration?,
            max_stale: max_stale?,
            cooldown: cooldown?,
            timeout: timeout?,
        })
    }
}
