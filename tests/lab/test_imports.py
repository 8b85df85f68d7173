"""What the simulation needs: little, so that it works where the demo's extras are not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import ipsecmon.lab


def test_everything_but_the_servers_works_without_asyncssh() -> None:
    folder = Path(ipsecmon.lab.__file__).parent
    listening = {"algorithms", "demo", "serve", "serving", "ssh"}
    listening |= {"device_faults", "orders", "tunnel_faults"}
    stems = sorted({path.stem for path in folder.glob("*.py")} - listening)
    modules = [f"ipsecmon.lab.{stem}" for stem in stems]
    code = f"import sys; sys.modules['asyncssh'] = None\nimport {', '.join(modules)}"

    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)  # noqa: S603 - our own code
