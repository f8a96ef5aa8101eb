-- The files of the long past. Each holds whatever is known of a stretch of time and a range of series, and is not in
-- `observation` beside it; no two hold the same.
CREATE TABLE past_file (
    name          text COLLATE "C" PRIMARY KEY,           -- in the tenant's folder
    from_at       timestamptz NOT NULL,                   -- its stretch: from here on,
    to_at         timestamptz NOT NULL,                   -- before here
    first_series  int NOT NULL,                           -- its series, both ends with it
    last_series   int NOT NULL,
    rows          bigint NOT NULL,
    bytes         bigint NOT NULL,
    CHECK (from_at < to_at AND first_series <= last_series),
    EXCLUDE USING gist (
        tstzrange(from_at, to_at) WITH &&, int8range(first_series::bigint, last_series::bigint, '[]') WITH &&
    )
);
