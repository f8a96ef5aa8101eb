-- What an item of a public view would publish, as a tenant's own role sees it.

-- name: classes
-- The classes of personal data among the series that an item names, each with a dataset of it. $1: types (IRIs) or null,
-- $2: datasets (ids) or null, $3: attributes (IRIs).
SELECT DISTINCT ON (class) coalesce(s.personal_data, d.personal_data) AS class, coalesce(d.id, e.id) AS id
FROM term own
JOIN series s ON s.term_key = own.key AND s.parent_key IS NULL
JOIN entity e ON e.key = s.entity_key AND e.deleted_at IS NULL
LEFT JOIN dataset d ON d.key = s.dataset_key
WHERE own.iri = ANY ($3::text[])
  AND ($1::text[] IS NULL OR e.types && ARRAY(SELECT t.key FROM term t WHERE t.iri = ANY ($1::text[])))
  AND ($2::text[] IS NULL OR d.id = ANY ($2::text[]))
  AND coalesce(s.personal_data, d.personal_data, 'none') <> 'none'
ORDER BY class, id;

-- name: datasets
-- The classes of datasets, whether they hold anything yet or not. $1: ids.
SELECT id, personal_data AS class FROM dataset WHERE id = ANY ($1::text[]) ORDER BY id;
