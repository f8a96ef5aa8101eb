"""Builds the portal's client when a wheel is built: the wheel holds what runs, the repository what it is made from."""

from __future__ import annotations

import sys
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PortalHook(BuildHookInterface[BuilderConfig]):
    """Named in pyproject.toml. An editable installation is left to `make portal`."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        try:
            from webapp.build import main

            main()
        finally:
            sys.path.remove(self.root)
