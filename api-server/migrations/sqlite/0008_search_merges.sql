-- Half as many merges of the full-text index, which are most of what a new document costs. A search looks through at most
-- 16 parts of each size instead of 4, which takes no longer that could be measured.
INSERT INTO documents_search (documents_search, rank) VALUES ('automerge', 8);
