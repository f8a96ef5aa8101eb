-- Attributes say themselves whose they are, so that an entity is read along one index, from rows that lie side by side; and
-- where their values stand in an index, so that a q finds them there.
--
-- A reading that comes every few seconds must not move an index entry each time: its row would be no HOT update any more. So
-- what the recorder writes is fed, and all that is fed of an attribute stands in one place: a q looks through it one by one,
-- besides. What is written through an API takes its own place, by itself: the column is generated, and no writer can forget it.

-- Where a value stands: the attribute's name, the sort of value, and as much of the value as sorts it. Whoever asks looks at
-- the value itself in the end, so that a place may be a little wide. Sorts: b truth values, n numbers, s texts, t texts that
-- are dates or times, also within a typed value, w what is fed, x all else. Nothing here may fail.
CREATE FUNCTION place_of_value(term_key int, number float8, value jsonb) RETURNS bytea LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    said text;
    exact numeric;
    double float8 := number;
    bits bigint;
BEGIN
    CASE jsonb_typeof(value)
    WHEN 'string' THEN
        said := value #>> '{}';
    WHEN 'boolean' THEN
        RETURN int4send(term_key) || CASE WHEN value::boolean THEN '\x6201'::bytea ELSE '\x6200'::bytea END;
    WHEN 'number' THEN
        exact := value::numeric;
        IF abs(exact) < 1e300 AND (exact = 0 OR abs(exact) > 1e-300) THEN
            double := exact::float8;
        END IF;
    WHEN 'object' THEN
        said := CASE WHEN jsonb_typeof(value -> '@value') = 'string' THEN value ->> '@value' END;
    ELSE
    END CASE;
    IF double IS NOT NULL THEN
        bits := float8send(double + 0.0)::bigint;
        RETURN int4send(term_key) || '\x6e'::bytea
            || int8send(CASE WHEN bits < 0 THEN ~ bits ELSE bits # (-9223372036854775808)::bigint END);
    END IF;
    IF substr(said, 5, 1) = '-'
       AND said ~ '^\d{4}-\d\d-\d\d(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?)?$'
    THEN
        IF length(said) = 10 THEN
            said := said || 'T00:00:00Z';
        ELSIF said !~ '(Z|[+-]\d\d:\d\d)$' THEN
            said := said || 'Z';
        END IF;
        IF pg_input_is_valid(said, 'timestamptz') THEN
            RETURN int4send(term_key) || '\x74'::bytea
                || int8send(timestamptz_send(said::timestamptz)::bigint # (-9223372036854775808)::bigint);
        END IF;
    END IF;
    IF jsonb_typeof(value) = 'string' THEN
        RETURN int4send(term_key) || '\x73'::bytea || convert_to(left(said, 64), 'UTF8');
    END IF;
    RETURN int4send(term_key) || '\x78'::bytea;
END
$$;

ALTER TABLE attribute
    ADD COLUMN entity_key int,
    ADD COLUMN term_key int,
    ADD COLUMN dataset_id text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN is_fed boolean NOT NULL DEFAULT false;      -- written by the recorder
UPDATE attribute a
SET entity_key = s.entity_key, term_key = s.term_key, dataset_id = s.dataset_id, is_fed = a.observed_at IS NOT NULL
FROM series s WHERE s.key = a.series_key;
ALTER TABLE attribute
    ALTER COLUMN entity_key SET NOT NULL,
    ALTER COLUMN term_key SET NOT NULL,
    ADD COLUMN value_place bytea GENERATED ALWAYS AS (
        CASE
            WHEN deleted_at IS NOT NULL THEN NULL
            WHEN is_fed THEN int4send(term_key) || '\x77'::bytea
            ELSE place_of_value(term_key, number, value)
        END
    ) STORED;
CREATE INDEX attribute_entity ON attribute (entity_key);
CREATE INDEX attribute_value ON attribute (value_place) WHERE value_place IS NOT NULL;
-- Names share the index: a name's part of it is known as well as if it had one of its own.
ALTER TABLE attribute ALTER COLUMN value_place SET STATISTICS 500;

-- Scopes with all that lie above them, by which what lies below a scope is found.
CREATE FUNCTION scopes_above(scopes text[]) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT array_agg(array_to_string(levels[1:last], '/'))
    FROM unnest(scopes) AS own (scope)
    CROSS JOIN LATERAL string_to_array(own.scope, '/') AS split (levels)
    CROSS JOIN LATERAL generate_series(2, cardinality(levels)) AS cut (last)
);
CREATE INDEX entity_scopes ON entity USING gin (scopes_above(scopes)) WHERE scopes <> '{}';
