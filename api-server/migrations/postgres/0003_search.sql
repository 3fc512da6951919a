-- Full text of live documents: words as they stand, no stemming, as in SQLite's index. A tsvector holds at most
-- 1 MiB, so the first 200,000 characters of a text are what can be found.
ALTER TABLE documents ADD COLUMN search tsvector GENERATED ALWAYS AS (
    to_tsvector('simple',
        regexp_replace(title || ' ' || tags || ' ' || left(content, 200000), '[^[:alnum:]]+', ' ', 'g'))
) STORED;
CREATE INDEX documents_search ON documents USING gin (search);
