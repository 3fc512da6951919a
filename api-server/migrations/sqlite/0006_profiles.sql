-- When the provider last told of this user; 0 if never.
ALTER TABLE users ADD COLUMN told_at INTEGER NOT NULL DEFAULT 0;
UPDATE users SET told_at = updated_at;

-- Edits of profiles that the provider has not taken yet. NULL is a field nobody edited.
CREATE TABLE profile_updates (
    subject         TEXT    NOT NULL PRIMARY KEY REFERENCES users (subject),
    name            TEXT,
    picture         TEXT,
    -- One more with every edit: what was sent is done with only if nothing was added meanwhile.
    version         INTEGER NOT NULL DEFAULT 1,
    attempts        INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    lease_until     INTEGER NOT NULL DEFAULT 0,
    -- The status with which the provider refused for good.
    refused_status  INTEGER
);
CREATE INDEX profile_updates_due ON profile_updates (next_attempt_at) WHERE refused_status IS NULL;
