//! A real Envoy: its bootstrap, its process, what its admin interface tells, what it can be configured with.

mod bootstrap;
pub mod descriptor;
mod process;
mod stats;

pub use bootstrap::{Bootstrap, Listener, WasmFilter};
pub use process::{Envoy, binary};
