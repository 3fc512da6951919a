ALTER TABLE users ADD COLUMN email TEXT;
ALTER TABLE users ADD COLUMN email_verified BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN name TEXT;
ALTER TABLE users ADD COLUMN picture TEXT;
ALTER TABLE users ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;

-- Browser sessions. Tokens are sealed; `generation` counts refreshes, an old one that comes back was stolen.
CREATE TABLE sessions (
    id                TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    subject           TEXT COLLATE "C" NOT NULL REFERENCES users (subject),
    provider_session  TEXT,
    created_at        BIGINT NOT NULL,
    used_at           BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL,
    user_agent        TEXT    NOT NULL,
    address           TEXT    NOT NULL,
    generation        BIGINT NOT NULL,
    access_token      TEXT    NOT NULL,
    access_expires_at BIGINT NOT NULL,
    refresh_token     TEXT,
    id_token          TEXT,
    lease_until       BIGINT NOT NULL DEFAULT 0,
    revoked_at        BIGINT,
    revoked_because   TEXT
);
CREATE INDEX sessions_of_subject ON sessions (subject, created_at);
CREATE INDEX sessions_of_provider ON sessions (provider_session);
CREATE INDEX sessions_age ON sessions (expires_at);

-- Refreshes of one subject in the current hour.
CREATE TABLE refresh_counts (
    subject      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    window_start BIGINT NOT NULL,
    count        BIGINT NOT NULL
);

-- What the edge refuses. Sequence numbers are taken under the lock of `feed_head`, so none appears below one read.
CREATE TABLE feed_head (
    id    BIGINT NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL,
    seq   BIGINT NOT NULL
);
INSERT INTO feed_head (id, epoch, seq) VALUES (1, 1, 0);
-- Times are whole seconds here, as the feed has them.
CREATE TABLE feed_entries (
    seq           BIGINT NOT NULL PRIMARY KEY,
    kind          TEXT    NOT NULL,
    value         TEXT    NOT NULL,
    issuer        TEXT,
    issued_before BIGINT,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX feed_entries_age ON feed_entries (expires_at);

-- Every event of authentication; never a token.
CREATE TABLE audit_events (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         BIGINT NOT NULL,
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
    expires_at BIGINT NOT NULL
);
