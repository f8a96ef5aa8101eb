-- Queries that people keep under a name: what the portal's page of questions has in its address, to be asked again.
CREATE TABLE saved_query (
    key        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner      text NOT NULL,                             -- the account that keeps it
    name       text NOT NULL,
    query      text NOT NULL,                             -- parameters, as an address holds them
    is_shared  boolean NOT NULL,                          -- whether colleagues see it
    changed_at timestamptz NOT NULL,
    UNIQUE (owner, name)
);
CREATE INDEX saved_query_shared ON saved_query (name) WHERE is_shared;
