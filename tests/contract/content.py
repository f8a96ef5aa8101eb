"""What a database holds, as one hash a table."""

from __future__ import annotations

import asyncpg

TABLES = """
SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""


async def content(dsn: str) -> dict[str, tuple[int, str]]:
    """(rows, hash) of every table, whatever order its rows are in."""
    connection = await asyncpg.connect(dsn)
    try:
        found = {}
        for row in await connection.fetch(TABLES):
            answer = await connection.fetchrow(
                f"SELECT count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') "
                f"FROM {row['name']} t"
            )
            assert answer is not None
            found[row["name"]] = (answer[0], answer[1])
        return found
    finally:
        await connection.close()
