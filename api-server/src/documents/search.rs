//! What a search asks for: words, all of which occur, each in full or as the beginning of a longer one.
//!
//! The same rule on both engines, whatever their own query languages can do: a query is taken apart into letters
//! and digits here, so nothing a client writes is an operator there.

use crate::error::Invalid;

/// The words of a query; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(Vec<String>);

/// A query in the language of each engine.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) fts5: String,
    pub(super) tsquery: String,
}

/// Words of a query at most.
pub const MAX_WORDS: usize = 16;
/// Characters of a query at most.
pub const MAX_QUERY_CHARS: usize = 256;

impl Words {
    /// Takes `text` apart.
    ///
    /// # Errors
    /// It has no word, or too many.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let words: Vec<_> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        if (1..=MAX_WORDS).contains(&words.len()) && text.chars().count() <= MAX_QUERY_CHARS {
            Ok(Self(words))
        } else {
            Err(Invalid::new(
                "q",
                format!("must have 1 to {MAX_WORDS} words in at most {MAX_QUERY_CHARS} characters"),
            ))
        }
    }

    pub(super) fn to_query(&self, owner: &str) -> Query {
        let prefixes = |quote: &str, suffix: &str, and: &str| {
            let words: Vec<_> = self
                .0
                .iter()
                .map(|word| format!("{quote}{word}{quote}{suffix}"))
                .collect();
            words.join(and)
        };
        Query {
            // An FTS5 string is quoted, with inner quotes doubled.
            fts5: format!(
                "owner : \"{}\" AND {{title tags content}} : ({})",
                owner.replace('"', "\"\""),
                prefixes("\"", " *", " AND ")
            ),
            tsquery: prefixes("", ":*", " & "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_of_neither_engine_get_through() {
        let words = Words::parse("a\"b OR content:c* & !d | (e) NEAR 'f' -g").unwrap();
        let query = words.to_query("auth0|\"u");
        assert_eq!(
            query.tsquery,
            "a:* & b:* & or:* & content:* & c:* & d:* & e:* & near:* & f:* & g:*"
        );
        assert!(
            query
                .fts5
                .starts_with("owner : \"auth0|\"\"u\" AND {title tags content} : (\"a\" * AND"),
            "{}",
            query.fts5
        );
    }

    #[test]
    fn a_query_has_a_word_and_not_too_many() {
        for (text, ok) in [
            ("x".to_owned(), true),
            (String::new(), false),
            ("-- \" *".to_owned(), false),
            ("w ".repeat(16), true),
            ("w ".repeat(17), false),
            ("w".repeat(257), false),
        ] {
            assert_eq!(Words::parse(&text).is_ok(), ok, "{text}");
        }
    }
}
