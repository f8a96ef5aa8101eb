-- How often someone tried to sign in lately: by account and address together, by address, by account. A row is a fixed
-- window; an attempt is counted before the password is looked at, so that a hundred at once are a hundred.
CREATE TABLE sign_in_attempt (
    subject   text COLLATE "C" PRIMARY KEY,               -- 'pair:<account> <address>', 'address:…', 'account:…'
    since     timestamptz NOT NULL,
    attempts  int NOT NULL
);
CREATE INDEX sign_in_attempt_since ON sign_in_attempt (since);
