//! What a document is, and what one may contain.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::database::{Column, Error, Row};
use crate::documents::{DocumentId, ETag};
use crate::error::{ApiError, Invalid};
use crate::timestamp::Timestamp;

/// UTF-8 bytes of title, tags and content together, at most: 1 MiB.
pub const MAX_BYTES: usize = 1 << 20;
/// Characters of a title at most.
pub const MAX_TITLE_CHARS: usize = 500;
/// Tags of a document at most.
pub const MAX_TAGS: usize = 32;
/// Characters of a tag at most.
pub const MAX_TAG_CHARS: usize = 64;

/// A document as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// A UUID, unique among its owner's documents.
    pub id: String,
    /// One more with every change.
    pub version: i64,
    /// May be empty.
    pub title: String,
    /// In the order they were given.
    pub tags: Tags,
    /// Markdown.
    pub content: String,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

crate::record!(Document: id, version, title, tags, content, created_at, updated_at);

impl Document {
    /// The first version of what `draft` says.
    pub fn new(id: DocumentId, draft: Draft, now: Timestamp) -> Self {
        Self {
            id: id.into(),
            version: 1,
            title: draft.title,
            tags: draft.tags,
            content: draft.content,
            created_at: now,
            updated_at: now,
        }
    }

    /// Names this version.
    pub fn etag(&self) -> ETag {
        ETag::of_version(self.version)
    }

    /// The members a client can change, as a merge patch sees them.
    pub fn editable(&self) -> Map<String, Value> {
        Map::from_iter([
            ("title".to_owned(), Value::from(self.title.as_str())),
            // What is JSON already makes a value without fail.
            (
                "tags".to_owned(),
                serde_json::to_value(&self.tags).unwrap_or_default(),
            ),
            ("content".to_owned(), Value::from(self.content.as_str())),
        ])
    }
}

/// A document in a list: everything but its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = DocumentSummary)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// A UUID, unique among its owner's documents.
    pub id: String,
    /// One more with every change.
    pub version: i64,
    /// May be empty.
    pub title: String,
    /// In the order they were given.
    pub tags: Tags,
    /// UTF-8 bytes of title, tags and content.
    pub size_bytes: i64,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

crate::record!(Summary: id, version, title, tags, size_bytes, created_at, updated_at);

/// A document's tags: the JSON array that the database holds, sent as it is.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = Vec<String>)]
pub struct Tags(Box<RawValue>);

impl PartialEq for Tags {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for Tags {}

impl Tags {
    /// As the database has them.
    pub fn as_json(&self) -> &str {
        self.0.get()
    }
}

impl Column for Tags {
    fn read(row: &mut Row<'_>) -> Result<Self, Error> {
        serde_json::from_str(row.text()?)
            .map(Self)
            .map_err(Error::unreadable)
    }
}

/// What a client wants a document to contain; within every limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    title: String,
    tags: Tags,
    content: String,
    size_bytes: usize,
}

impl Draft {
    /// Reads title, tags and content, each empty if absent.
    ///
    /// # Errors
    /// [`ApiError::InvalidContent`] with all members that are wrong, [`ApiError::TooLarge`].
    pub fn parse(mut members: Map<String, Value>) -> Result<Self, ApiError> {
        let mut errors = Vec::new();
        let title = text(&mut members, "title", &mut errors);
        let content = text(&mut members, "content", &mut errors);
        let tags = tags(&mut members, &mut errors);
        if title.chars().count() > MAX_TITLE_CHARS {
            errors.push(Invalid::new(
                "/title",
                format!("must have at most {MAX_TITLE_CHARS} characters"),
            ));
        }
        if title.contains(['\n', '\r']) {
            errors.push(Invalid::new("/title", "must be one line"));
        }
        let mut unknown: Vec<_> = members.keys().collect();
        unknown.sort_unstable();
        errors.extend(unknown.into_iter().map(|name| {
            let name = name.chars().take(64).collect::<String>();
            Invalid::new(
                format!("/{}", name.replace('~', "~0").replace('/', "~1")),
                "is not a member of a document",
            )
        }));
        if !errors.is_empty() {
            errors.truncate(MAX_ERRORS);
            return Err(ApiError::InvalidContent(errors));
        }
        let size_bytes = title.len() + content.len() + tags.iter().map(String::len).sum::<usize>();
        if size_bytes > MAX_BYTES {
            return Err(ApiError::TooLarge {
                limit_bytes: MAX_BYTES,
            });
        }
        let tags = serde_json::value::to_raw_value(&tags);
        Ok(Self {
            title,
            tags: Tags(tags.map_err(|_| ApiError::Internal("strings that are no JSON"))?),
            content,
            size_bytes,
        })
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The tags.
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// The content.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// UTF-8 bytes of title, tags and content; at most [`MAX_BYTES`].
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }
}

/// Errors one reply reports at most: a body may have a million wrong members.
const MAX_ERRORS: usize = 20;

fn text(members: &mut Map<String, Value>, name: &str, errors: &mut Vec<Invalid>) -> String {
    match members.remove(name) {
        None => String::new(),
        // PostgreSQL's text can't hold U+0000, and no Markdown needs it.
        Some(Value::String(text)) if !text.contains('\0') => text,
        Some(_) => {
            errors.push(Invalid::new(
                format!("/{name}"),
                "must be a string without U+0000",
            ));
            String::new()
        }
    }
}

fn tags(members: &mut Map<String, Value>, errors: &mut Vec<Invalid>) -> Vec<String> {
    let parsed = match members.remove("tags") {
        None => Some(Vec::new()),
        Some(Value::Array(values)) if values.len() <= MAX_TAGS => values
            .into_iter()
            .map(|value| match value {
                Value::String(tag)
                    if (1..=MAX_TAG_CHARS).contains(&tag.chars().count())
                        && !tag.chars().any(char::is_control) =>
                {
                    Some(tag)
                }
                _ => None,
            })
            .collect(),
        Some(_) => None,
    };
    parsed.unwrap_or_else(|| {
        errors.push(Invalid::new(
            "/tags",
            format!(
                "must be at most {MAX_TAGS} strings of 1 to {MAX_TAG_CHARS} characters, no control characters"
            ),
        ));
        Vec::new()
    })
}
