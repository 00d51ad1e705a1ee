-- The language of a branch's pages and papers (BCP 47).
alter table locations.branch add column language text not null default 'en';
