-- Changes and dead letters leave the outbox each by themselves: while one kind waits for room, the other is found at once.
CREATE INDEX outbox_changes ON outbox (key) WHERE kind = 'changes';
CREATE INDEX outbox_dead ON outbox (key) WHERE kind = 'dead';
