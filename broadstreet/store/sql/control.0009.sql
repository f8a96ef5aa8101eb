-- What everyone may see of a tenant without signing in: a list of items, none at first. Nothing listed is nothing shown.
CREATE TABLE public_view (
    tenant_key  smallint PRIMARY KEY REFERENCES tenant ON DELETE CASCADE,
    version     int NOT NULL,                             -- counts up; a change says which version it changes
    items       jsonb NOT NULL,
    changed_at  timestamptz NOT NULL,
    changed_by  text NOT NULL
);

-- An API token may be limited to entity types (IRIs) and datasets (URIs); null: it is not.
ALTER TABLE token ADD COLUMN types text[];
ALTER TABLE token ADD COLUMN datasets text[];

-- The audit is read newest first, of a tenant or of what belongs to none, and by who did something, what, and to whom.
CREATE INDEX audit_tenant ON audit (tenant, key);
CREATE INDEX audit_principal ON audit (principal, key);
CREATE INDEX audit_subject ON audit (subject, key);
CREATE INDEX audit_action ON audit (action text_pattern_ops, key);
