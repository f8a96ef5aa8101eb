-- An API token may be limited to some permissions; null: it has all that its account may.
ALTER TABLE token ADD COLUMN permissions text[];
