-- Every word that is typed may still be in the making, so it stands for all words that begin so. Beginnings of up to
-- six signs have an index of their own: without it each question walked all words that begin so, and of serials there
-- are as many as orders.
create virtual table order_text_new using fts5 (
    words, tokenize = "unicode61 remove_diacritics 2", prefix = '2 3 4 5 6'
);
insert into order_text_new (rowid, words) select rowid, words from order_text;
drop table order_text;
alter table order_text_new rename to order_text;
