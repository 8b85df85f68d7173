"""Whether a tunnel must be up, and why it is taken for that.

What the configuration says wins. Otherwise a tunnel interface is meant to be up, a crypto map makes its tunnels when
traffic asks, and a tunnel that was up nearly always for a week is relied upon, whatever made it.
"""

from __future__ import annotations

from ipsecmon.model import ExpectedTunnel, Intent, Purpose, TunnelMemory, TunnelOption
from ipsecmon_parsers.records import FlowKind

__all__ = ["LEARNING_SECONDS", "purpose"]

LEARNING_SECONDS = 7 * 86400.0
_RELIED_UPON = 0.95
# what has been learned is kept until the tunnel is down more often than not: an outage must not unlearn it
_NO_LONGER = 0.5

_BY_KIND = {
    FlowKind.CRYPTO_MAP: Purpose(
        intent=Intent.ON_DEMAND, reason="a static crypto map makes its tunnel when traffic asks"
    ),
    FlowKind.DYNAMIC: Purpose(
        intent=Intent.ON_DEMAND, reason="the peer makes this tunnel when it needs it"
    ),
    FlowKind.VTI: Purpose(intent=Intent.ALWAYS_ON, reason="a tunnel interface is meant to be up"),
    FlowKind.DMVPN: Purpose(
        intent=Intent.ON_DEMAND, reason="tunnels between the spokes of a DMVPN come and go"
    ),
}
_NOT_A_TUNNEL = Purpose(intent=Intent.ON_DEMAND, reason="no tunnel between two sites")


def purpose(
    kind: FlowKind,
    expected: ExpectedTunnel | None,
    memory: TunnelMemory,
    before: Purpose | None,
    at: float,
) -> Purpose:
    """The intent of a tunnel at ``at``; ``before`` is what it was taken for at the last reading."""
    if expected is not None:
        if expected.intent is not None:
            return _configured(expected.intent)
        if TunnelOption.BACKUP in expected.options:
            return _configured(Intent.BACKUP)
    if kind not in _BY_KIND:
        return _NOT_A_TUNNEL
    usual = _BY_KIND[kind]
    if usual.intent is Intent.ALWAYS_ON or not memory.readings:
        return usual
    share = memory.up_readings / memory.readings
    days = (at - memory.first_seen_at) / 86400
    was_learned = before is not None and before.reason.startswith(_LEARNED)
    if was_learned and before is not None and share >= _NO_LONGER:
        return before
    if at - memory.first_seen_at >= LEARNING_SECONDS and share > _RELIED_UPON:
        return Purpose(
            intent=Intent.ALWAYS_ON,
            reason=f"{_LEARNED} up in {share:.1%} of {memory.readings:,} readings over {days:.0f} days",
        )
    return usual


_LEARNED = "learned:"


def _configured(intent: Intent) -> Purpose:
    return Purpose(intent=intent, reason="configured under tunnels:")
