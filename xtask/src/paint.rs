//! Colours, where a person is looking.
//!
//! Off when the stream is not a terminal, and wherever `NO_COLOR` is set (no-color.org).

use std::env;
use std::fmt::Display;
use std::io::{IsTerminal, stderr as standard_error, stdout as standard_output};

/// Paints or leaves text alone, as decided once for a stream.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    enabled: bool,
}

/// Paint for standard error.
pub fn stderr() -> Paint {
    Paint::for_terminal(standard_error().is_terminal())
}

/// Paint for standard output.
pub fn stdout() -> Paint {
    Paint::for_terminal(standard_output().is_terminal())
}

impl Paint {
    fn for_terminal(is_terminal: bool) -> Self {
        Self {
            enabled: is_terminal && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// Whether a person at a terminal is looking.
    pub fn enabled(self) -> bool {
        self.enabled
    }

    pub fn red(self, text: impl Display) -> String {
        self.code(31, text)
    }

    pub fn green(self, text: impl Display) -> String {
        self.code(32, text)
    }

    pub fn bold(self, text: impl Display) -> String {
        self.code(1, text)
    }

    pub fn dim(self, text: impl Display) -> String {
        self.code(2, text)
    }

    /// Text in the colour of an SGR code (ECMA-48 §8.3.117).
    pub fn code(self, sgr: u8, text: impl Display) -> String {
        if self.enabled {
            format!("\x1b[{sgr}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }
}
