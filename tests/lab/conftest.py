"""The captures beside the repository, for the tests that hold the lab's text against real outputs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def captures() -> Path:
    folder = Path(os.environ.get("IPSECMON_CAPTURES", _REPOSITORY.parent / "shared" / "captures"))
    if not folder.is_dir():
        pytest.skip(f"no captures at {folder}: set IPSECMON_CAPTURES to their folder")
    return folder
