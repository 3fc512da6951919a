//! Query strings: every parameter at most once, none that is unknown, all mistakes at once.

use std::borrow::Cow;

use crate::error::{ApiError, Invalid};

/// The parameters of one request that were not taken yet.
#[derive(Debug)]
pub struct Query<'a> {
    parameters: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    errors: Vec<Invalid>,
}

impl<'a> Query<'a> {
    /// Splits and decodes a query string.
    pub fn parse(query: Option<&'a str>) -> Self {
        Self {
            parameters: url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
                .take(MAX_PARAMETERS)
                .collect(),
            errors: Vec::new(),
        }
    }

    /// Takes the parameter `name` through `parse`; `None` where it is wrong, which [`Query::finish`] reports.
    pub fn take<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(Option<&str>) -> Result<T, Invalid>,
    ) -> Option<T> {
        let mut values = self
            .parameters
            .extract_if(.., |(parameter, _)| parameter == name)
            .map(|(_, value)| value);
        let value = values.next();
        let twice = values.next().is_some();
        drop(values);
        let parsed = if twice {
            Err(Invalid::new(name, "is given more than once"))
        } else {
            parse(value.as_deref())
        };
        parsed.map_err(|error| self.errors.push(error)).ok()
    }

    /// # Errors
    /// [`ApiError::InvalidQuery`] if a parameter was wrong or is left over.
    pub fn finish(mut self) -> Result<(), ApiError> {
        self.errors.extend(self.parameters.iter().map(|(name, _)| {
            Invalid::new(
                name.chars().take(64).collect::<String>(),
                "is not a parameter of this resource",
            )
        }));
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(ApiError::InvalidQuery(self.errors))
        }
    }
}

/// Parameters looked at, at most.
const MAX_PARAMETERS: usize = 32;
