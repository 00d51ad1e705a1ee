-- Finds the document of a conflict that was settled by the conflict alone.
create index note_by_conflict on audit.note (left(text, 50)) where text like '{"conflict":"%';
