-- The JSON-LD @contexts of a tenant: those that were put here, and copies of those that requests named by their addresses.
-- id: by which it is asked for here. url: where a copy is from. created_at: when it came, or was fetched anew. body: the document.
CREATE TABLE jsonld_context (
    id text PRIMARY KEY,
    url text UNIQUE,
    kind text NOT NULL CHECK (kind IN ('Hosted', 'Cached', 'ImplicitlyCreated')),
    body jsonb NOT NULL,
    created_at bigint NOT NULL,
    used_at bigint,
    hits bigint NOT NULL DEFAULT 0,
    CHECK ((kind = 'Cached') = (url IS NOT NULL))
);
