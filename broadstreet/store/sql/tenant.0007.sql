-- MQTT sessions that outlive their connections and send at QoS 2: which packet identifiers each has open. A message whose
-- identifier is open, or that is of a life that is over, was applied before. Written by the recorder with what it applies.
CREATE TABLE once_session (
    session  bytea PRIMARY KEY,                           -- 8 random bytes: a session, for ever
    life     bigint NOT NULL,                             -- rises each time another gateway has it
    open     bytea NOT NULL,                              -- identifiers in their order, two bytes each, the higher one first
    said_at  timestamptz NOT NULL                         -- when something of it was applied last
);
CREATE INDEX once_session_said ON once_session (said_at);
