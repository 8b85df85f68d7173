"""What every test may ask for: the golden switch, the captures beside the repository, Debian's programs."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipsecmon.log import LineHandler
from needed import missing

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the expected files from what the code does now; review the difference",
    )


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A test that sets up the log, as every command does, leaves it to the next as it was."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in list(root.handlers):
        if isinstance(handler, LineHandler) and handler not in handlers:
            root.removeHandler(handler)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


def captures_folder() -> Path:
    """Real outputs of real devices; they belong to others and are read where they lie."""
    return Path(os.environ.get("IPSECMON_CAPTURES", REPOSITORY.parent / "shared" / "captures"))


@pytest.fixture(scope="session")
def captures() -> Path:
    folder = captures_folder()
    if not folder.is_dir():
        pytest.skip(f"no captures at {folder}: set IPSECMON_CAPTURES to their folder")
    return folder


@pytest.fixture(scope="session")
def promtool() -> str:
    return _program_of_debian("promtool", "prometheus")


@pytest.fixture(scope="session")
def amtool() -> str:
    return _program_of_debian("amtool", "prometheus-alertmanager")


@pytest.fixture(scope="session")
def alertmanager() -> str:
    return _program_of_debian("prometheus-alertmanager", "prometheus-alertmanager")


def _program_of_debian(name: str, package: str) -> str:
    unpacked = REPOSITORY / ".venv" / "debian" / "usr" / "bin"
    path = shutil.which(name, path=f"{unpacked}{os.pathsep}{os.environ.get('PATH', '')}")
    if path is None:
        missing(f"{name} is missing: `make promtool` or Debian's package {package} brings it")
    return path
