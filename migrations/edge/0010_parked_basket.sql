-- Baskets that were put aside at the till: a matter of this counter, never part of the log and never sent. They name
-- orders, parts and a customer, and hold no personal value. What one comes to is worked out when it is shown. A number
-- is never used again, so that an old page never takes another basket back than it showed.
create table parked_basket (
    id integer primary key autoincrement,
    sale text not null,
    at integer not null,
    staff blob not null check (length(staff) = 16)
) strict;
