-- A second secret of a device, lent to a piece of work that signs in as it, such as a replay; the device's own stays good.
CREATE TABLE device_loan (
    salt         bytea PRIMARY KEY,
    username     text COLLATE "C" NOT NULL REFERENCES device_login ON DELETE CASCADE,
    secret_hash  bytea NOT NULL,                          -- SHA-256 over salt and secret
    expires_at   timestamptz NOT NULL
);
CREATE INDEX device_loan_username ON device_loan (username);
