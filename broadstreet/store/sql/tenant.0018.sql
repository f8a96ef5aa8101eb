-- A look at what a project is made from, before anything is planned: what its ground has, or why there is none.
ALTER TABLE plan_project
    ADD COLUMN look_job     text COLLATE "C",             -- the job that looks, or looked last
    ADD COLUMN look_key     text COLLATE "C",             -- the folder of its layers
    ADD COLUMN look         jsonb,
    ADD COLUMN look_problem jsonb,
    ADD COLUMN looked_at    timestamptz;
