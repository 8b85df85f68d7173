"""What a test needs of the machine: where it is missing the test is skipped, or fails where everything must be there."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

__all__ = ["missing"]


def missing(what: str) -> NoReturn:
    """Skip the test for this reason, or fail it where ``CI`` is set: there nobody reads of what was skipped."""
    if os.environ.get("CI", "") not in {"", "0", "false"}:
        pytest.fail(what, pytrace=False)
    pytest.skip(what)
