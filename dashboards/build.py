"""Write the Grafana dashboards: `python dashboards/build.py`, or with `--check` say whether they are as written."""

from __future__ import annotations

import sys

from boards.files import main

if __name__ == "__main__":
    sys.exit(main())
