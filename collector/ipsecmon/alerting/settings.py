"""Changes of thresholds as a person writes them: ``tunnel_down_for=5m``, ``flaps=5``, ``job=vpn``."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ipsecmon.alerting.thresholds import THRESHOLDS, Threshold, Thresholds, described
from ipsecmon.errors import IpsecmonError

__all__ = ["SettingRefused", "shown", "with_settings"]

_DURATION = re.compile(r"(?:([0-9]{1,4})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,7})s)?")
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_LONGEST_SECONDS = 7 * 86400
_SHORTEST_WINDOW_SECONDS = 10
_LARGEST_NUMBER = 1_000_000
_JOB = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
_URL = re.compile(r"https?://[^\s\"'{}\\]{1,500}[^\s\"'{}\\/]")


class SettingRefused(IpsecmonError):
    """A change of a threshold names none, or makes no sense; the sentence says what is accepted."""


def with_settings(settings: Iterable[str]) -> Thresholds:
    """The thresholds with these changes."""
    known = {one.name: one for one in described()}
    changes: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise SettingRefused(f"{setting!r} is not a setting: write it as tunnel_down_for=5m")
        if name not in known:
            raise SettingRefused(_unknown(name, known))
        if name in changes:
            raise SettingRefused(f"{name} is set twice: set it once")
        changes[name] = _read(known[name], text)
    return replace(THRESHOLDS, **changes)


def shown(threshold: Threshold, value: Any) -> str:
    """A value as it may be set: ``1h30m``, ``0.1``, ``ipsecmon``."""
    if threshold.unit == "text":
        return str(value)
    if threshold.unit != "seconds":
        return f"{value:g}"
    left, text = int(value), ""
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def _unknown(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f", did you mean {near[0]}?" if near else ":"
    return f"there is no threshold {name!r}{hint} Accepted are {', '.join(names)}"


def _read(threshold: Threshold, text: str) -> float | str:
    if threshold.unit == "text":
        return _word(threshold, text)
    if threshold.unit == "seconds":
        return _seconds(threshold, text)
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    most = 1 if threshold.unit == "ratio" and threshold.default <= 1 else _LARGEST_NUMBER
    if not 0 < value <= most:
        raise SettingRefused(
            f"{threshold.name}: found {text!r}, accepted is a number above 0 and up to {most}, such as {threshold.default:g}"
        )
    return value


def _seconds(threshold: Threshold, text: str) -> float:
    shortest = _SHORTEST_WINDOW_SECONDS if threshold.name.endswith("_window") else 0
    match = _DURATION.fullmatch(text)
    seconds = -1
    if match is not None and text:
        seconds = sum(
            int(count or 0) * size for count, (_, size) in zip(match.groups(), _UNITS, strict=True)
        )
    if not shortest <= seconds <= _LONGEST_SECONDS:
        raise SettingRefused(
            f"{threshold.name}: found {text!r}, accepted is a duration from {shortest}s to 7d, such as 90s, 5m or 1h30m"
        )
    return seconds


def _word(threshold: Threshold, text: str) -> str:
    if threshold.name == "job":
        if not _JOB.fullmatch(text):
            raise SettingRefused(
                f"job: found {text!r}, accepted are letters, digits and _ . : / -, such as ipsecmon"
            )
    elif not _URL.fullmatch(text):
        raise SettingRefused(
            f"{threshold.name}: found {text!r}, accepted is an address without a slash at its end, such as {threshold.default}"
        )
    return text
