-- One row per subject that ever wrote. `change_seq` counts its changes: taking the next number locks the row until
-- the transaction ends, so the numbers of one owner become visible in order and a reader never skips one.
CREATE TABLE users (
    subject    TEXT    NOT NULL PRIMARY KEY,
    change_seq INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Times are milliseconds since 1970. A tombstone keeps identity, version and times, and no content.
CREATE TABLE documents (
    row_id     INTEGER PRIMARY KEY,
    owner      TEXT    NOT NULL REFERENCES users (subject),
    id         TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    change_seq INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    size_bytes INTEGER NOT NULL,
    title      TEXT    NOT NULL,
    tags       TEXT    NOT NULL,
    -- Last, so that a list never reads the pages a long text spills to.
    content    TEXT    NOT NULL
);
CREATE UNIQUE INDEX documents_identity ON documents (owner, id);
CREATE UNIQUE INDEX documents_changes ON documents (owner, change_seq);
CREATE INDEX documents_newest ON documents (owner, created_at DESC, id DESC) WHERE deleted_at IS NULL;
