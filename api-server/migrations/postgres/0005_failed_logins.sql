-- Failed logins of the last hour, from the provider's log stream; the email address only as its SHA-256.
CREATE TABLE failed_logins (
    log_id     TEXT    NOT NULL PRIMARY KEY,
    email_hash BYTEA   NOT NULL,
    at         BIGINT  NOT NULL
);
CREATE INDEX failed_logins_of_email ON failed_logins (email_hash, at);
CREATE INDEX failed_logins_age ON failed_logins (at);
