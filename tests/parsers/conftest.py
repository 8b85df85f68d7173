"""The oracle: a second reading of the same texts, by other means, kept beside the captures."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def oracle(captures: Path) -> ModuleType:
    source = captures.parent / "tools" / "oracle.py"
    if not source.is_file():
        pytest.skip(f"no oracle at {source}")
    spec = importlib.util.spec_from_file_location("oracle", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["oracle"] = module
    spec.loader.exec_module(module)
    return module
