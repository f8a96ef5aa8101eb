-- What the house tells devices to do. A command is offered until its device answers or its time is over; an answer that
-- comes late still counts, since it says what the device has done.
CREATE TABLE command (
    key           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            text COLLATE "C" NOT NULL UNIQUE,       -- what the device sees, so that it can execute it once
    device_key    int NOT NULL REFERENCES device,
    name          text NOT NULL,
    body          jsonb,
    principal     text NOT NULL,
    why           text NOT NULL,
    state         text NOT NULL DEFAULT 'queued'
                  CHECK (state IN ('queued', 'delivered', 'acknowledged', 'rejected', 'expired', 'cancelled')),
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    next_at       timestamptz,                            -- when it is offered next; null once it has ended
    offers        int NOT NULL DEFAULT 0,
    offered_at    timestamptz,
    delivered_at  timestamptz,                            -- when its device is known to have it
    ended_at      timestamptz,
    result        jsonb                                   -- what the device said of it
);
CREATE INDEX command_open ON command (device_key, key) WHERE next_at IS NOT NULL;
CREATE INDEX command_due ON command (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX command_device ON command (device_key, key);
