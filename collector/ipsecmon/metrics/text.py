"""The text format of a sample, which is the same for Prometheus 0.0.4 and OpenMetrics 1.0.

    cisco_ipsec_tunnel_up{device="Site1",peer="192.0.2.7",tunnel="CRYPTO/10.1.1.0_24-10.2.2.0_24"} 1.0

Our own because a hub has 100,000 of these lines and a label block belongs to twenty of them: it is made once. What
comes out is, byte for byte, what prometheus_client writes; the tests hold it to that.
https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["escaped", "label", "label_block", "number_text", "number_texts"]

# from here on the reference writes an exponent, as Go does
_EXPONENT_FROM = 1e6
# repr writes an exponent of its own from 1e16 on; a table because formatting a number costs as much as all the rest
_EXPONENTS = tuple(f"e+{exponent:02d}" for exponent in range(17))
_SPECIAL = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}


def label_block(*pairs: tuple[str, str]) -> str:
    """``{device="Site1",tunnel="..."}`` in the order of the names, empty without labels."""
    if not pairs:
        return ""
    labels = [f'{name}="{escaped(value)}"' for name, value in sorted(pairs)]
    return "{" + ",".join(labels) + "}"


def label(name: str, value: str) -> str:
    """``device="Site1"``."""
    return f'{name}="{escaped(value)}"'


def escaped(value: str) -> str:
    """A label value as it stands between quotes."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def number_texts(values: Iterable[float]) -> list[str]:
    """``1.0``, ``1.8e+09``, ``+Inf``, ``NaN``: each as ``number_text`` writes it, most of them without a call."""
    return [
        repr(value) if -_EXPONENT_FROM < value < _EXPONENT_FROM else _as_go_does(repr(value))
        for value in map(float, values)
    ]


def number_text(value: float) -> str:
    """``1.0``, ``1.8e+09``, ``+Inf``, ``NaN``."""
    return number_texts((value,))[0]


def _as_go_does(text: str) -> str:
    """What ``repr`` gives for a number that is not between -1e6 and 1e6, in Go's spelling as far as the reference goes."""
    dot = text.find(".")
    if dot <= 1 or text[0] == "-":
        # negative numbers and those that repr writes with an exponent stay as they are
        return _SPECIAL.get(text, text)
    mantissa = f"{text[0]}.{text[1:dot]}{text[dot + 1 :]}".rstrip("0.")
    return mantissa + _EXPONENTS[dot - 1]
