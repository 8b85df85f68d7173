"""Debian's Alertmanager where its package is unpacked in a folder rather than installed.

It reads its default templates below ``/usr/share`` whatever its configuration says, and does not start without them. Nobody but
root may put them there. So a copy of the program is made that reads them from its working folder.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

__all__ = ["runnable_alertmanager"]

_TEMPLATES: Final = Path("/usr/share/prometheus/alertmanager")
_NAMES: Final = ("default.tmpl", "email.tmpl")


def runnable_alertmanager(program: str, folder: Path) -> str:
    """The program itself, or a copy in ``folder``, which must be its working folder, if the templates lie beside it only."""
    beside = Path(program).resolve().parent.parent / _TEMPLATES.relative_to("/usr")
    if (_TEMPLATES / _NAMES[0]).exists() or not (beside / _NAMES[0]).exists():
        return program
    for name in _NAMES:
        shutil.copyfile(beside / name, folder / name)
    # of the same length, or every address in the program would be wrong: "./////..." is the working folder
    expected = str(_TEMPLATES).encode()
    here = b".".ljust(len(expected), b"/")
    copy = folder / Path(program).name
    copy.write_bytes(Path(program).read_bytes().replace(expected, here))
    copy.chmod(0o700)
    return str(copy)
