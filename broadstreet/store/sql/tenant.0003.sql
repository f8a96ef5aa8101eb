-- The key's index holds the number too, so that a stretch of a series is read from it alone, in order of time: rows of one
-- series lie a page or more apart in the table, where all series are written side by side. A narrow index of times says in
-- which pages of the table a stretch of the past lies, for what takes it away whole.
ALTER TABLE observation DROP CONSTRAINT observation_pkey;
ALTER TABLE observation ADD CONSTRAINT observation_pkey PRIMARY KEY (series_key, observed_at, n) INCLUDE (number);
CREATE INDEX observation_at ON observation USING brin (observed_at) WITH (autosummarize = on);
