//! The command as it is used: files in, text and an exit code out.

mod check;
mod documentation;
mod support;
