-- name: list
-- All datasets, with how many series belong to each.
SELECT d.id, d.title, d.owner, d.purpose, d.licence, d.personal_data, d.retention, d.simulated,
       (SELECT count(*) FROM series s WHERE s.dataset_key = d.key) AS series
FROM dataset d
ORDER BY d.id;

-- name: one
-- One dataset. $1: its id.
SELECT id, title, owner, purpose, licence, personal_data, retention, simulated FROM dataset WHERE id = $1;
