//! Claims: how a configuration names one, what a rule can ask of one, and how one is written into a header.
//!
//! Names are literal. `https://pymd.io/roles` is one name, dots and slashes included; a claim inside a claim is
//! reached by a path of names and never by splitting a name (Envoy #33603: a name with a dot silently found
//! nothing).

mod header;
mod path;
mod rule;

pub use header::{breaks_a_field, header_text};
pub use path::{ClaimPath, ClaimPathError, MAX_NAME_BYTES, MAX_PATH_NAMES};
pub use rule::{ClaimRule, ClaimTest, ClaimValue};
