"""A schema as PostgreSQL's catalog knows it: everything that a migration can change, as lines that can be compared."""

from __future__ import annotations

from typing import Final

import asyncpg

Lines = frozenset[tuple[str, str]]
"""(what, how it is), without the schema's own name."""

_CATALOG: Final = {
    "relation": """
        SELECT c.relname, format('kind %s, options %s, rights %s', c.relkind, c.reloptions,
            (SELECT array_agg(format('%s: %s', g.grantee, g.privilege_type) ORDER BY 1)
             FROM (SELECT pg_get_userbyid(grantee) AS grantee, privilege_type FROM aclexplode(c.relacl)) g))
        FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind <> 'i'""",
    "column": """
        SELECT format('%s.%s', c.relname, a.attname),
            format('number %s, type %s, not null %s, identity %s, default %s, collation %s',
                row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), format_type(a.atttypid, a.atttypmod),
                a.attnotnull, a.attidentity, pg_get_expr(d.adbin, d.adrelid), a.attcollation::regcollation)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p') AND a.attnum > 0
            AND NOT a.attisdropped""",
    "index": """
        SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = $1::regnamespace""",
    "constraint": """
        SELECT format('%s.%s', conrelid::regclass, conname), format('%s, %s', pg_get_constraintdef(oid), convalidated)
        FROM pg_constraint WHERE connamespace = $1::regnamespace""",
    "function": """
        SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid)
        FROM pg_proc p WHERE p.pronamespace = $1::regnamespace AND p.prokind <> 'a'""",
    "trigger": """
        SELECT t.tgname, pg_get_triggerdef(t.oid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = $1::regnamespace AND NOT t.tgisinternal""",
    "policy": """
        SELECT format('%s.%s', tablename, policyname), format('%s %s', cmd, qual)
        FROM pg_policies WHERE schemaname = $1""",
    "type": """
        SELECT t.typname, format('%s %s', t.typtype, (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum
            WHERE enumtypid = t.oid))
        FROM pg_type t WHERE t.typnamespace = $1::regnamespace AND t.typtype IN ('e', 'd')""",
}


async def described(dsn: str, schema: str) -> Lines:
    """What stands in a schema of a database."""
    connection = await asyncpg.connect(dsn)
    try:
        lines: set[tuple[str, str]] = set()
        for kind, sql in _CATALOG.items():
            for row in await connection.fetch(sql, schema):
                what, how = (str(cell).replace(schema, "SCHEMA") for cell in row)
                lines.add((f"{kind} {what}", how))
        return frozenset(lines)
    finally:
        await connection.close()
