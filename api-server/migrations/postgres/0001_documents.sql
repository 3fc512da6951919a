-- One row per subject that ever wrote. `change_seq` counts its changes: taking the next number locks the row until
-- the transaction ends, so the numbers of one owner become visible in order and a reader never skips one.
CREATE TABLE users (
    subject    TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    change_seq BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

-- Times are milliseconds since 1970. A tombstone keeps identity, version and times, and no content.
CREATE TABLE documents (
    row_id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner      TEXT   COLLATE "C" NOT NULL REFERENCES users (subject),
    id         TEXT   COLLATE "C" NOT NULL,
    version    BIGINT NOT NULL,
    change_seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    size_bytes BIGINT NOT NULL,
    title      TEXT   NOT NULL,
    tags       TEXT   NOT NULL,
    content    TEXT   NOT NULL
);
CREATE UNIQUE INDEX documents_identity ON documents (owner, id);
CREATE UNIQUE INDEX documents_changes ON documents (owner, change_seq);
CREATE INDEX documents_newest ON documents (owner, created_at DESC, id DESC) WHERE deleted_at IS NULL;
