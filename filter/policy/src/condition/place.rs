//! Where in a requirement a condition stands, written as an operator would write it.

use std::fmt;

/// A place below `requires`, built on the way down without allocating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'p> {
    parent: Option<&'p Self>,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Root,
    Scopes,
    Claims(usize),
    Organization,
    Providers,
    All(usize),
    Any(usize),
    Not,
}

impl Place<'_> {
    pub(super) const ROOT: Place<'static> = Place {
        parent: None,
        step: Step::Root,
    };
}

impl<'p> Place<'p> {
    pub(super) const fn below(&'p self, step: Step) -> Self {
        Self {
            parent: Some(self),
            step,
        }
    }
}

/// As in `any[1].claims[0]`.
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent
            && parent.step != Step::Root
        {
            write!(f, "{parent}.")?;
        }
        match self.step {
            Step::Root => f.write_str("requires"),
            Step::Scopes => f.write_str("scopes"),
            Step::Claims(index) => write!(f, "claims[{index}]"),
            Step::Organization => f.write_str("organization"),
            Step::Providers => f.write_str("providers"),
            Step::All(index) => write!(f, "all[{index}]"),
            Step::Any(index) => write!(f, "any[{index}]"),
            Step::Not => f.write_str("not"),
        }
    }
}
