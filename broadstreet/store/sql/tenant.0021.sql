-- Networks that stand already are named by their file alone, as before, or with what is known beside them.
ALTER TABLE plan_project ALTER COLUMN networks TYPE jsonb USING to_jsonb(networks);
