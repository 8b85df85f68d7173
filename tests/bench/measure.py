"""Measures one way of reading one text in a process of its own; prints one line of JSON.

Everything beyond the standard library is imported where it is used: one of the ways lives in another environment.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import logging
import statistics
import sys
import time
from collections.abc import Callable, Sized
from pathlib import Path
from typing import Any

__all__ = ["WAYS", "main"]

COMMAND = "show crypto ipsec sa"
_REPOSITORY = Path(__file__).resolve().parent.parent.parent
_TEMPLATE = _REPOSITORY / "parsers/ipsecmon_parsers/templates/ios/show_crypto_ipsec_sa.textfsm"
_LONGEST_SECONDS = 6.0

Read = Callable[[str], Any]


def _textfsm(template: Path) -> Read:
    import textfsm

    machine = textfsm.TextFSM(io.StringIO(template.read_text(encoding="utf-8")))

    def read(text: str) -> Sized:
        machine.Reset()
        return machine.ParseText(text)

    return read


def _compiled(template: Path) -> Read:
    from ipsecmon_parsers.compiled_textfsm import CompiledTemplate

    return CompiledTemplate(template).parse


def _ntc_detail() -> Path:
    from textfsm_identity.corpus import template_folder

    folder = template_folder()
    if folder is None:
        raise LookupError("ntc-templates is not installed")
    return folder / "cisco_ios_show_crypto_ipsec_sa_detail.textfsm"


def _ttp() -> Read:
    ttp: Any = importlib.import_module("ttp").ttp
    template = (Path(__file__).parent / "hub.ttp").read_text(encoding="utf-8")

    def read(text: str) -> object:
        parser = ttp(data=text, template=template, log_level="CRITICAL")
        parser.parse(one=True)
        return parser.result(structure="flat_list")

    return read


def _genieparser() -> Read:
    logging.disable(logging.CRITICAL)
    parsers: Any = importlib.import_module("genie.libs.parser.iosxe.show_crypto")

    class Device:
        """Nothing is asked of it: the text is given."""

    return lambda text: parsers.ShowCryptoIpsecSa(device=Device()).parse(output=text)


def _records() -> Read:
    from ipsecmon_parsers.registry import parse

    return lambda text: parse("iosxe", COMMAND, text, complete=True).records


WAYS: dict[str, Callable[[], Read]] = {
    "textfsm": lambda: _textfsm(_TEMPLATE),
    "ours, rows": lambda: _compiled(_TEMPLATE),
    "ours, records": _records,
    "TTP": _ttp,
    "genieparser": _genieparser,
    "textfsm, ntc detail": lambda: _textfsm(_ntc_detail()),
    "ours, ntc detail": lambda: _compiled(_ntc_detail()),
}


def _seconds(read: Read, text: str, warm_ups: int) -> list[float]:
    took: list[float] = []
    for _ in range(warm_ups):
        read(text)
    started = time.process_time()
    while len(took) < 3 or (len(took) < 15 and time.process_time() - started < _LONGEST_SECONDS):
        gc.collect()
        before = time.process_time()
        result = read(text)
        took.append(time.process_time() - before)
        del result
        if took[0] > _LONGEST_SECONDS:
            break
    return took


def _memory(name: str) -> int:
    """A figure of this process in kilobytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise LookupError(name)


def _peak_megabytes(read: Read, text: str, small: str) -> float | None:
    """How far one reading rises above the text and the engine; ``None`` where the system does not tell."""
    clear = Path("/proc/self/clear_refs")
    if not clear.exists():
        return None
    read(small)
    gc.collect()
    before = _memory("VmRSS")
    clear.write_text("5", encoding="ascii")
    result = read(text)
    peak = _memory("VmHWM")
    del result
    return (peak - before) / 1024


def main(arguments: list[str]) -> None:
    what, way, path, small = arguments
    text = Path(path).read_text(encoding="utf-8")
    answer: dict[str, float | None]
    if what == "cold":
        # from nothing to the first rows: imports, compilation, reading
        before = time.process_time()
        WAYS[way]()(text)
        answer = {"seconds": time.process_time() - before}
    elif what == "memory":
        answer = {"megabytes": _peak_megabytes(WAYS[way](), text, Path(small).read_text("utf-8"))}
    else:
        took = _seconds(WAYS[way](), text, 2 if way.startswith("ours") else 0)
        answer = {"seconds": statistics.median(took)}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
