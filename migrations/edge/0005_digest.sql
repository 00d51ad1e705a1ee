-- Branch and hub compare digests of all documents: their hashes are read by this index alone, in the order in which
-- they are hashed, and not past every stored document.
create index document_digest on document (branch, hash);
