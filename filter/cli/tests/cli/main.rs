//! The command as it is used: files in, text and an exit code out.

mod cases;
mod check;
mod documentation;
mod explain;
mod generate;
mod seal;
mod support;
