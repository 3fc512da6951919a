//! The host judged by modules in the text format: each test writes the callbacks it needs and asserts what
//! a client, an upstream or an operator would see.

mod support;

mod calls;
mod clock;
mod configuration;
mod failure;
mod shared;
mod streams;
