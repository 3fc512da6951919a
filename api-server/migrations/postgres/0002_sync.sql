-- Pushed changes that were applied, so that a device that never heard the answer can push again.
CREATE TABLE applied_pushes (
    owner           TEXT    COLLATE "C" NOT NULL REFERENCES users (subject),
    idempotency_key TEXT    COLLATE "C" NOT NULL,
    -- SHA-256 of what was pushed: the same key with another change is a mistake, not a repetition.
    change_hash     BYTEA   NOT NULL,
    document_id     TEXT    NOT NULL,
    version         BIGINT  NOT NULL,
    created_at      BIGINT  NOT NULL,
    PRIMARY KEY (owner, idempotency_key)
);
CREATE INDEX applied_pushes_age ON applied_pushes (created_at);
