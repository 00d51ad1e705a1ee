-- Cash sessions and refunds are listed for the whole chain and opened by their ids alone.

create index session_by_id on payments.session (session);
create index session_by_time on payments.session (opened_ms desc, session desc);
create index refund_by_id on payments.refund (refund);
