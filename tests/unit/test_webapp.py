"""The web client's own tests and its type check, run by the packaged Node.js."""

from __future__ import annotations

import pytest

from tests.absence import absent
from webapp.build import MODULES, npm

pytestmark = pytest.mark.skipif(
    not MODULES.is_dir(), reason=absent("the portal's packages are not installed: make portal")
)


@pytest.mark.parametrize("script", ["test", "check"])
def test_the_client_keeps_its_promises(script: str) -> None:
    ended = npm("run", script)
    assert ended.returncode == 0, ended.stdout
