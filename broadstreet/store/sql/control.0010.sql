-- Who comes in by the city's own OpenID Connect: known by what the provider calls them for good, never by a name or an address.
CREATE TABLE identity (
    issuer       text COLLATE "C" NOT NULL,
    subject      text COLLATE "C" NOT NULL,               -- the claim `sub`: never given to anybody else
    account_key  int NOT NULL REFERENCES account ON DELETE CASCADE,
    linked_at    timestamptz NOT NULL,
    used_at      timestamptz,
    PRIMARY KEY (issuer, subject),
    UNIQUE (account_key, issuer)
);
