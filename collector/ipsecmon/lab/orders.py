"""What a command may have done to the lab, as JSON: an order comes in, the answer says what there is and what is on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipsecmon.lab.fault_kinds import TunnelFault
from ipsecmon.lab.tunnel_faults import StruckFault, TunnelFaults

__all__ = ["carry_out"]


def carry_out(faults: TunnelFaults, order: Mapping[str, Any]) -> dict[str, Any]:
    """Do what ``order`` says; ``LookupError``, ``TypeError`` or ``ValueError`` where that cannot be done.

    The answer has ``changed`` and ``on``, the faults that were struck or lifted and those that are on now, and the
    ``tunnels`` they can be struck on.
    """
    match order.get("do"):
        case "strike":
            changed = faults.strike(_text(order, "target"), TunnelFault(_text(order, "fault")))
        case "lift":
            fault = None if order.get("fault") is None else TunnelFault(_text(order, "fault"))
            changed = faults.lift(_text(order, "target"), fault)
        case "tell":
            changed = ()
        case other:
            raise ValueError(f"found {other!r} to do, expected strike, lift or tell")
    return {
        "changed": [_named(one) for one in changed],
        "on": [_named(one) for one in faults.struck],
        "tunnels": [
            {"device": tunnel.device, "tunnel": tunnel.name, "peer": tunnel.peer}
            for tunnel in faults.tunnels()
        ],
    }


def _text(order: Mapping[str, Any], key: str) -> str:
    found = order.get(key)
    if not isinstance(found, str):
        raise TypeError(f"found {found!r} as {key}, expected a text")
    return found


def _named(one: StruckFault) -> dict[str, str | None]:
    return {"fault": one.fault, "device": one.device, "tunnel": one.tunnel}
