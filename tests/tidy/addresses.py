"""Nothing committed names the machine it was written on, or the address a package came from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.tidy.tree import Fault, Rule, Tree

MACHINE_PATH = re.compile(r"(?<![\w.<>{}~$*-])/(?:work|tmp|home|root|Users|mnt|opt)/\w|[A-Z]:\\Users")
DOWNLOAD = re.compile(
    r"(?:https?|file)://\S+\.(?:whl|tgz|tar\.gz|zip|deb|exe)\b|index-url\b|find-links\b|\"resolved\":\s*\"http"
    r"|\b(?:pypi|pythonhosted|npmjs|yarnpkg)\.(?:org|com)\b|deb\.debian\.org"
)


def machine_paths(tree: Tree) -> Iterator[Fault]:
    for path, number, line in tree.lines():
        if found := MACHINE_PATH.search(line):
            yield Fault(path, number, f"{found[0]}… is a path of one machine")


def download_addresses(tree: Tree) -> Iterator[Fault]:
    for path, number, line in tree.lines():
        if found := DOWNLOAD.search(line):
            yield Fault(
                path, number, f"{found[0][:60]} is where a package came from, which each machine's settings say"
            )


RULES = (
    Rule(
        "no machine paths",
        machine_paths,
        {"docs/a.md": "see /home/ada/city\n", "docs/b.md": "see docs/home/ada and /v1/tmp/x\n"},
        frozenset({"docs/a.md"}),
    ),
    Rule(
        "no download addresses",
        download_addresses,
        {
            "webapp/package-lock.json": '"resolved": "https://registry.example/a-1.0.tgz"\n',
            "constraints.txt": "--index-url x\n",
            "docs/b.md": "see https://uri.etsi.org/ngsi-ld/errors/\n",
        },
        frozenset({"webapp/package-lock.json", "constraints.txt"}),
    ),
)
