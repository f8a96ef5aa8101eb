"""What a thing is called: the attribute `name` of its entity, and nothing else.

Maps, tables, searches, the registry and every API say this one name. Whoever writes the attribute renames the thing.
"""

from __future__ import annotations

from typing import Final

from broadstreet.model.terms import expand

NAME: Final = expand("name")
"""The attribute that holds it."""
_LANGUAGES: Final = ("@none", "en")
"""Which text of a language map is said, if there is one."""


def called(name: object, entity_id: str) -> str:
    """What people read. name: the attribute's value, a text or a language map; without one, the id's last part."""
    if isinstance(name, dict):
        texts = [text for text in (*map(name.get, _LANGUAGES), *name.values()) if isinstance(text, str)]
        name = texts[0] if texts else None
    said = name.strip() if isinstance(name, str) else ""
    return said or entity_id.rsplit(":", 1)[-1]
