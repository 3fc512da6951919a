-- The full-text index grows by a part with each commit. Parts of a size are merged when there are 8 of them instead of 4:
-- merging is much of what a new document costs, and a search that looks through more parts takes no longer that could be
-- measured.
INSERT INTO documents_search (documents_search, rank) VALUES ('automerge', 8);
