ALTER TABLE users ADD COLUMN email TEXT;
ALTER TABLE users ADD COLUMN email_verified INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN name TEXT;
ALTER TABLE users ADD COLUMN picture TEXT;
ALTER TABLE users ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;

-- Browser sessions. Tokens are sealed; `generation` counts refreshes, an old one that comes back was stolen.
CREATE TABLE sessions (
    id                TEXT    NOT NULL PRIMARY KEY,
    subject           TEXT    NOT NULL REFERENCES users (subject),
    provider_session  TEXT,
    created_at        INTEGER NOT NULL,
    used_at           INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL,
    user_agent        TEXT    NOT NULL,
    address           TEXT    NOT NULL,
    generation        INTEGER NOT NULL,
    access_token      TEXT    NOT NULL,
    access_expires_at INTEGER NOT NULL,
    refresh_token     TEXT,
    id_token          TEXT,
    lease_until       INTEGER NOT NULL DEFAULT 0,
    revoked_at        INTEGER,
    revoked_because   TEXT
);
CREATE INDEX sessions_of_subject ON sessions (subject, created_at);
CREATE INDEX sessions_of_provider ON sessions (provider_session);
CREATE INDEX sessions_age ON sessions (expires_at);

-- Refreshes of one subject in the current hour.
CREATE TABLE refresh_counts (
    subject      TEXT    NOT NULL PRIMARY KEY,
    window_start INTEGER NOT NULL,
    count        INTEGER NOT NULL
);

-- What the edge refuses. Sequence numbers are taken under the lock of `feed_head`, so none appears below one read.
CREATE TABLE feed_head (
    id    INTEGER NOT NULL PRIMARY KEY,
    epoch INTEGER NOT NULL,
    seq   INTEGER NOT NULL
);
INSERT INTO feed_head (id, epoch, seq) VALUES (1, 1, 0);
-- Times are whole seconds here, as the feed has them.
CREATE TABLE feed_entries (
    seq           INTEGER NOT NULL PRIMARY KEY,
    kind          TEXT    NOT NULL,
    value         TEXT    NOT NULL,
    issuer        TEXT,
    issued_before INTEGER,
    expires_at    INTEGER NOT NULL
);
CREATE INDEX feed_entries_age ON feed_entries (expires_at);

-- Every event of authentication; never a token.
CREATE TABLE audit_events (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    event      TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    subject    TEXT,
    session_id TEXT,
    address    TEXT    NOT NULL,
    user_agent TEXT    NOT NULL
);
CREATE INDEX audit_events_age ON audit_events (at);

-- Logout tokens seen, until they can't be valid any more.
CREATE TABLE logout_tokens (
    token_id   TEXT    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
);
