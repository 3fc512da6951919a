//! `POST /api/v1/sync/push`

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::change::Change;
use super::store;
use crate::app::App;
use crate::auth::{Caller, DeleteDocuments, RequiredScope as _, WriteDocuments};
use crate::body::JsonObject;
use crate::database::Connection;
use crate::documents::DocumentId;
use crate::documents::model::Draft;
use crate::error::{ApiError, Invalid};
use crate::openapi;
use crate::timestamp::Timestamp;

/// Changes of a batch at most.
const MAX_CHANGES: usize = 100;
/// A device sends fewer changes at once where they are large.
const MAX_BODY_BYTES: usize = 8 << 20;

/// Applies a batch in its order, each change on its own: one that is in conflict stops none of the others. All that
/// is applied is applied in one transaction, so an answer that never arrives can be asked for again by the same keys.
#[utoipa::path(
    post, path = "/api/v1/sync/push", operation_id = "pushChanges", tag = "sync",
    request_body = openapi::Push, security(("bearer" = ["write:documents"])),
    responses(
        (status = 200, description = "One outcome per change", body = Outcomes),
        openapi::Bearer, openapi::WithBody
    )
)]
pub(super) async fn handler(
    State(app): State<App>,
    caller: Caller<WriteDocuments>,
    JsonObject(mut members): JsonObject<MAX_BODY_BYTES>,
) -> Result<Response, ApiError> {
    let changes = match members.remove("changes") {
        Some(Value::Array(changes)) if members.is_empty() && changes.len() <= MAX_CHANGES => {
            changes
        }
        _ => {
            return Err(ApiError::InvalidContent(vec![Invalid::new(
                "/changes",
                format!("must be an array of at most {MAX_CHANGES} changes, and the only member"),
            )]));
        }
    };
    let may_delete = caller.identity().grants(DeleteDocuments::SCOPE);
    let edits: Vec<_> = changes
        .into_iter()
        .map(|change| Edit::parse(change, may_delete))
        .collect();
    let owner = caller.into_subject();
    let now = app.now();
    let outcomes = app
        .database
        .write(move |tx| {
            Box::pin(async move {
                // First: whatever is read after this can't change until the whole batch is applied.
                crate::documents::store::lock_owner(tx, &owner, now).await?;
                let mut outcomes = Vec::with_capacity(edits.len());
                for edit in edits {
                    outcomes.push(match edit {
                        Ok(edit) => apply(tx, &owner, edit, now).await?,
                        Err(refused) => *refused,
                    });
                }
                Ok::<_, ApiError>(outcomes)
            })
        })
        .await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(Outcomes { outcomes })).into_response())
}

/// One outcome per change, in the batch's order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Outcomes {
    outcomes: Vec<Outcome>,
}

/// What became of one change.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    /// The change's own key, if it has a usable one.
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
    #[serde(flatten)]
    verdict: Verdict,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
enum Verdict {
    /// Done, now or by an earlier push with the same key.
    Applied {
        /// The document's version after it.
        version: i64,
    },
    /// The document has another version than the change was made on; nothing was done.
    Conflict {
        /// The server's copy; absent if there never was such a document.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        current: Option<Change>,
    },
    /// The change itself is wrong; pushing it again changes nothing.
    Invalid {
        /// What is wrong, as pointers into the change.
        errors: Vec<Invalid>,
    },
    /// The token lacks the scope for this change.
    Forbidden {
        /// The scope it lacks.
        scope: &'static str,
    },
}

/// A change that can be tried.
#[derive(Debug)]
struct Edit {
    key: String,
    id: DocumentId,
    base_version: i64,
    /// `None` deletes.
    draft: Option<Draft>,
    hash: [u8; 32],
}

impl Edit {
    /// Reads a change, or says what becomes of it.
    fn parse(change: Value, may_delete: bool) -> Result<Self, Box<Outcome>> {
        let hash = Sha256::digest(change.to_string()).into();
        let Value::Object(mut members) = change else {
            let error = Invalid::new("", "must be a JSON object");
            return Err(Box::new(invalid(None, vec![error])));
        };
        let mut errors = Vec::new();
        let key = take_key(&mut members, &mut errors);
        let id = match members.remove("id") {
            Some(Value::String(id)) => DocumentId::parse(&id),
            _ => None,
        };
        if id.is_none() {
            errors.push(Invalid::new("/id", "must be a UUID in lower case"));
        }
        let base_version = match members.remove("baseVersion") {
            None => Some(0),
            Some(version) => version.as_i64().filter(|version| *version >= 0),
        };
        if base_version.is_none() {
            errors.push(Invalid::new(
                "/baseVersion",
                "must be the version the change was made on, or 0 for a new document",
            ));
        }
        let draft = match (members.remove("deleted"), members.remove("document")) {
            (None | Some(Value::Bool(false)), Some(Value::Object(document))) => {
                match Draft::parse(document) {
                    Ok(draft) => Some(draft),
                    Err(error) => {
                        errors.extend(errors_below_document(error));
                        None
                    }
                }
            }
            (Some(Value::Bool(true)), None) => None,
            _ => {
                errors.push(Invalid::new(
                    "",
                    "must have either `document` or `deleted`: true",
                ));
                None
            }
        };
        if !members.is_empty() {
            errors.push(Invalid::new("", "has members that are not of a change"));
        }
        match (key, id, base_version) {
            (Some(key), Some(id), Some(base_version)) if errors.is_empty() => {
                if draft.is_none() && !may_delete {
                    return Err(Box::new(Outcome {
                        idempotency_key: Some(key),
                        verdict: Verdict::Forbidden {
                            scope: DeleteDocuments::SCOPE,
                        },
                    }));
                }
                Ok(Self {
                    key,
                    id,
                    base_version,
                    draft,
                    hash,
                })
            }
            (key, ..) => Err(Box::new(invalid(key, errors))),
        }
    }
}

/// `idempotencyKey`: 1 to 64 visible ASCII characters, new for every change a device makes.
fn take_key(members: &mut Map<String, Value>, errors: &mut Vec<Invalid>) -> Option<String> {
    let key = match members.remove("idempotencyKey") {
        Some(Value::String(key))
            if (1..=64).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            Some(key)
        }
        _ => None,
    };
    if key.is_none() {
        errors.push(Invalid::new(
            "/idempotencyKey",
            "must be 1 to 64 visible ASCII characters",
        ));
    }
    key
}

fn errors_below_document(error: ApiError) -> Vec<Invalid> {
    match error {
        ApiError::InvalidContent(errors) => errors
            .into_iter()
            .map(|error| Invalid::new(format!("/document{}", error.at), error.detail))
            .collect(),
        ApiError::TooLarge { limit_bytes } => vec![Invalid::new(
            "/document",
            format!("must have at most {limit_bytes} bytes"),
        )],
        _ => vec![Invalid::new("/document", "is not acceptable")],
    }
}

fn invalid(idempotency_key: Option<String>, errors: Vec<Invalid>) -> Outcome {
    Outcome {
        idempotency_key,
        verdict: Verdict::Invalid { errors },
    }
}

/// Applies one change under the owner's lock.
async fn apply(
    tx: &mut Connection,
    owner: &str,
    edit: Edit,
    now: Timestamp,
) -> Result<Outcome, ApiError> {
    use crate::documents::store as documents;
    if let Some(before) = store::applied(tx, owner, &edit.key).await? {
        if before.change_hash != edit.hash {
            let error = Invalid::new("/idempotencyKey", "was used for another change");
            return Ok(invalid(Some(edit.key), vec![error]));
        }
        return Ok(Outcome {
            idempotency_key: Some(edit.key),
            verdict: Verdict::Applied {
                version: before.version,
            },
        });
    }
    let current = store::find(tx, owner, &edit.id).await?;
    let (version, deleted) = match &current {
        Some(stored) => (stored.version, stored.deleted_at.is_some()),
        None => (0, true),
    };
    let version = match &edit.draft {
        // Two devices that delete the same document agree.
        None if deleted && current.is_some() => version,
        _ if version != edit.base_version || (edit.draft.is_none() && current.is_none()) => {
            return Ok(Outcome {
                idempotency_key: Some(edit.key),
                verdict: Verdict::Conflict {
                    current: current.map(Change::from),
                },
            });
        }
        None => {
            let change = documents::next_change(tx, owner, now).await?;
            documents::bury(tx, owner, &edit.id, change, now).await?;
            version + 1
        }
        Some(draft) if current.is_none() => {
            documents::insert(tx, owner, &edit.id, draft, now).await?;
            1
        }
        Some(draft) => {
            let change = documents::next_change(tx, owner, now).await?;
            let document = if deleted {
                documents::revive(tx, owner, &edit.id, draft, change, now).await?
            } else {
                documents::replace(tx, owner, &edit.id, draft, change, now).await?
            };
            document.version
        }
    };
    store::remember(tx, owner, &edit.key, (&edit.id, version), &edit.hash, now).await?;
    Ok(Outcome {
        idempotency_key: Some(edit.key),
        verdict: Verdict::Applied { version },
    })
}
