-- Full text of live documents. The owner is a column of the index, so that one owner's search reads nothing of others.
CREATE VIRTUAL TABLE documents_search USING fts5 (
    owner, title, tags, content,
    content = 'documents', content_rowid = 'row_id', tokenize = 'unicode61 remove_diacritics 0'
);
INSERT INTO documents_search (documents_search) VALUES ('rebuild');

CREATE TRIGGER documents_search_insert AFTER INSERT ON documents BEGIN
    INSERT INTO documents_search (rowid, owner, title, tags, content)
    VALUES (new.row_id, new.owner, new.title, new.tags, new.content);
END;
CREATE TRIGGER documents_search_update AFTER UPDATE OF title, tags, content ON documents BEGIN
    INSERT INTO documents_search (documents_search, rowid, owner, title, tags, content)
    VALUES ('delete', old.row_id, old.owner, old.title, old.tags, old.content);
    INSERT INTO documents_search (rowid, owner, title, tags, content)
    VALUES (new.row_id, new.owner, new.title, new.tags, new.content);
END;
CREATE TRIGGER documents_search_delete AFTER DELETE ON documents BEGIN
    INSERT INTO documents_search (documents_search, rowid, owner, title, tags, content)
    VALUES ('delete', old.row_id, old.owner, old.title, old.tags, old.content);
END;
