-- Secrets that must be read again are sealed by a key of the house (`store/seal.py`): which one; null: it stands open, as all
-- did before, and is sealed at the next start.
ALTER TABLE totp ADD COLUMN sealed_by bytea;
ALTER TABLE webhook ADD COLUMN sealed_by bytea;           -- of signing_key
