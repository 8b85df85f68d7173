"""What the simulation needs: little, so that it works where the demo's extras are not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import ipsecmon.lab


def test_everything_but_the_servers_works_without_asyncssh() -> None:
    folder = Path(ipsecmon.lab.__file__).parent
    modules = [f"ipsecmon.lab.{path.stem}" for path in folder.glob("*.py") if path.stem != "ssh"]
    code = f"import sys; sys.modules['asyncssh'] = None\nimport {', '.join(sorted(modules))}"

    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)  # noqa: S603 - our own code
