//! The command as it is used: files in, text and an exit code out.

mod cases;
mod check;
mod documentation;
mod documents;
mod explain;
mod generate;
mod generate_envoy;
mod module;
mod seal;
mod support;
