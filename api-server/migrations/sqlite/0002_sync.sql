-- Pushed changes that were applied, so that a device that never heard the answer can push again.
CREATE TABLE applied_pushes (
    owner           TEXT    NOT NULL REFERENCES users (subject),
    idempotency_key TEXT    NOT NULL,
    -- SHA-256 of what was pushed: the same key with another change is a mistake, not a repetition.
    change_hash     BLOB    NOT NULL,
    document_id     TEXT    NOT NULL,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (owner, idempotency_key)
) WITHOUT ROWID;
CREATE INDEX applied_pushes_age ON applied_pushes (created_at);
