-- A page of a list is read from the index alone: one descent for the page, instead of one for each of its documents.
-- With deleted_at, which is null in all of it, as SQLite looks for the column even so.
DROP INDEX documents_newest;
CREATE INDEX documents_newest ON documents
    (owner, created_at DESC, id DESC, version, title, tags, size_bytes, updated_at, deleted_at)
    WHERE deleted_at IS NULL;
