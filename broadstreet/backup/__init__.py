"""Backups: everything a house keeps, taken while it runs, sealed, and put back into an empty folder.

In come a house's engines and data folder, and a place (`open_vault`: a folder or a bucket); out goes one backup, a
folder of sealed parts that is complete once its manifest stands there. `take` makes it, `verify` reads it through,
`put_back` makes a data folder of it.

What must always hold: nothing that was acknowledged before `take` began is missing. So the log's RAW is held (nothing
is trimmed), PostgreSQL is copied, and then every stream and file: what PostgreSQL had not applied yet is in RAW, whose
sequence is never behind the copied cursors; what PostgreSQL had handed on (changes, dead letters, the long past) is in
what was copied after it, from which no file is taken away meanwhile. Parts are hashed as stored, and PostgreSQL's files
one by one: a byte that differs is told.
"""

from broadstreet.backup.manifest import Manifest, Part
from broadstreet.backup.restoring import put_back
from broadstreet.backup.sealing import Sealing, new_identity
from broadstreet.backup.taking import BackupReport, House, take
from broadstreet.backup.vault import Vault, open_vault
from broadstreet.backup.verifying import verify

__all__ = [
    "BackupReport",
    "House",
    "Manifest",
    "Part",
    "Sealing",
    "Vault",
    "new_identity",
    "open_vault",
    "put_back",
    "take",
    "verify",
]
