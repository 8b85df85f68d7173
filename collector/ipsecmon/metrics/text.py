"""The text format of a sample, which is the same for Prometheus 0.0.4 and OpenMetrics 1.0.

    cisco_ipsec_tunnel_up{device="Site1",peer="192.0.2.7",tunnel="CRYPTO/10.1.1.0_24-10.2.2.0_24"} 1.0

Our own because a hub has 100,000 of these lines and a label block belongs to twenty of them: it is made once. What
comes out is, byte for byte, what prometheus_client writes; the tests hold it to that.
https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
"""

from __future__ import annotations

import math

__all__ = ["escaped", "label", "label_block", "number_text"]

# from here on the reference writes an exponent, as Go does
_EXPONENT_FROM = 1e6


def label_block(*pairs: tuple[str, str]) -> str:
    """``{device="Site1",tunnel="..."}`` in the order of the names, empty without labels."""
    if not pairs:
        return ""
    return "{" + ",".join([label(name, value) for name, value in sorted(pairs)]) + "}"


def label(name: str, value: str) -> str:
    """``device="Site1"``."""
    return f'{name}="{escaped(value)}"'


def escaped(value: str) -> str:
    """A label value as it stands between quotes."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def number_text(value: float) -> str:
    """``1.0``, ``1.8e+09``, ``+Inf``, ``NaN``."""
    value = float(value)
    if -_EXPONENT_FROM < value < _EXPONENT_FROM:
        return repr(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    dot = text.find(".")
    if value < 0 or dot <= 1:
        # negative numbers and those that repr writes with an exponent stay as they are
        return text
    mantissa = f"{text[0]}.{text[1:dot]}{text[dot + 1 :]}".rstrip("0.")
    return f"{mantissa}e+{dot - 1:02d}"
