"""Faults of a tunnel in the simulated network: keys, proposals, the path, traffic, rekeys.

Each function strikes at once and returns what puts it right again. Whatever it changes is put back to what the topology
says, so that faults may be lifted in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ipsecmon.lab.aim import Tunnel
from ipsecmon.lab.network import Network
from ipsecmon.lab.topology import CryptoMapEntry, Keepalive, Router, TransformSet

__all__ = [
    "esp_filter",
    "esp_filter_reverse",
    "failed_rekey",
    "flap",
    "idle",
    "ike_failing",
    "loss",
    "misrouted",
    "path_down",
    "peer_reload",
    "psk_mismatch",
    "rekey_storm",
    "spoilt_packets",
    "stuck_sa",
    "tiny_volume",
    "transform_mismatch",
]

Lift = Callable[[], None]

# of the pair that fails to be renewed or stays: long enough to be read, short enough to wait for
SHORT_LIFETIME_SECONDS: Final = 600
# by then the pair that was asked for stands
_SETTLED_SECONDS: Final = 10.0
# the smallest that IOS takes, used up in so many seconds
_SMALLEST_KILOBYTES: Final = 2560
_STORM_SECONDS: Final = 240.0
_REKEY_STORM_SECONDS: Final = 120.0
_LOSS_RATIO: Final = 0.1
_SPOILT_RATIO: Final = 0.2
# short of an attempt by far: with a pause between two, polls of the same pace could meet the pauses alone
_RETRY_SECONDS: Final = 1.0
_KEEPALIVE: Final = Keepalive(seconds=10, retry_seconds=2, mode="periodic")
# the keepalive's own time, the negotiation's, and a little
_FLAP_MARGIN_SECONDS: Final = 45.0
_BOOT_SECONDS: Final = 60.0
# the shortest idle time that IOS takes
_IDLE_SECONDS: Final = 60
_OTHER_TRANSFORMS: Final = (("esp-3des", "esp-md5-hmac"), ("esp-aes 256", "esp-sha512-hmac"))
_OTHER_SET: Final = "OTHER"


def psk_mismatch(network: Network, tunnel: Tunnel) -> Lift:
    """Somebody changed the key at one end; without the clear the standing SAs would go on for hours."""
    network.set_wrong_key(tunnel.device, tunnel.peer)
    _clear(network, tunnel)
    return lambda: network.set_wrong_key(tunnel.device, tunnel.peer, is_wrong=False)


def transform_mismatch(network: Network, tunnel: Tunnel) -> Lift:
    """Somebody changed the transform set at the peer and cleared the SAs."""
    lift = _with_other_transforms(network, tunnel)
    network.clear_sa(tunnel.device, _address(network, tunnel.peer))
    return lift


def esp_filter(network: Network, tunnel: Tunnel) -> Lift:
    """A filter on the way drops IP protocol 50 and lets UDP port 500 pass."""
    network.set_loss(tunnel.device, tunnel.peer, 1.0)
    return lambda: network.set_loss(tunnel.device, tunnel.peer, 0.0)


def esp_filter_reverse(network: Network, tunnel: Tunnel) -> Lift:
    """The same on the way back."""
    network.set_loss(tunnel.peer, tunnel.device, 1.0)
    return lambda: network.set_loss(tunnel.peer, tunnel.device, 0.0)


def misrouted(network: Network, tunnel: Tunnel) -> Lift:
    """A route or a translation behind the device leads its packets past the crypto map."""
    network.set_sending(tunnel.device, tunnel.peer, 0.0)
    return lambda: network.set_sending(tunnel.device, tunnel.peer, 1.0)


def loss(network: Network, tunnel: Tunnel) -> Lift:
    """A congested or faulty line."""
    network.set_loss(tunnel.device, tunnel.peer, _LOSS_RATIO)
    network.set_loss(tunnel.peer, tunnel.device, _LOSS_RATIO)

    def lift() -> None:
        network.set_loss(tunnel.device, tunnel.peer, 0.0)
        network.set_loss(tunnel.peer, tunnel.device, 0.0)

    return lift


def spoilt_packets(network: Network, tunnel: Tunnel) -> Lift:
    """A device on the way changes packets, or the keys of one end are not those of the other."""
    network.set_spoiling(tunnel.peer, tunnel.device, _SPOILT_RATIO)
    return lambda: network.set_spoiling(tunnel.peer, tunnel.device, 0.0)


def path_down(network: Network, tunnel: Tunnel) -> Lift:
    """The provider's network does not carry packets between the two any more."""
    network.set_unreachable(tunnel.device, tunnel.peer)
    return lambda: network.set_unreachable(tunnel.device, tunnel.peer, is_unreachable=False)


def flap(network: Network, tunnel: Tunnel, poll_seconds: float = 60.0) -> Lift:
    """The path comes and goes; each outage and each recovery lasts two polls and what the routers need to notice."""
    ends = (tunnel.device, tunnel.peer)
    for end in ends:
        network.reconfigure(end, keepalive=_KEEPALIVE.model_dump())
    is_cut = False

    def turn() -> None:
        nonlocal is_cut
        is_cut = not is_cut
        network.set_unreachable(*ends, is_unreachable=is_cut)

    stop = _again_and_again(network, 2 * poll_seconds + _FLAP_MARGIN_SECONDS, turn)

    def lift() -> None:
        stop()
        network.set_unreachable(*ends, is_unreachable=False)
        for end in ends:
            _restore(network, end, "keepalive")

    return lift


def peer_reload(network: Network, tunnel: Tunnel) -> Lift:
    """The peer forgets everything and has nothing to send, so nobody tells the device; no keepalive asks either."""
    network.set_keepalives(tunnel.device, tunnel.peer, are_sent=False)
    network.set_sending(tunnel.peer, tunnel.device, 0.0)
    network.reload(tunnel.peer, boot_seconds=_BOOT_SECONDS)

    def lift() -> None:
        network.set_sending(tunnel.peer, tunnel.device, 1.0)
        network.set_keepalives(tunnel.device, tunnel.peer, are_sent=True)
        _clear(network, tunnel)

    return lift


def idle(network: Network, tunnel: Tunnel) -> Lift:
    """Everybody behind both routers went home, and an idle time ends the SAs before their lifetime does."""
    small = _smaller_end(network, tunnel)
    network.reconfigure(small, sa_idle_seconds=_IDLE_SECONDS)
    network.set_sending(tunnel.device, tunnel.peer, 0.0)
    network.set_sending(tunnel.peer, tunnel.device, 0.0)
    # SAs that stand do not learn of the idle time
    network.renegotiate(tunnel.device, tunnel.peer)

    def lift() -> None:
        _restore(network, small, "sa_idle_seconds")
        network.set_sending(tunnel.device, tunnel.peer, 1.0)
        network.set_sending(tunnel.peer, tunnel.device, 1.0)

    return lift


def tiny_volume(network: Network, tunnel: Tunnel) -> Lift:
    """A backup job meets a volume lifetime that somebody copied from an old guide."""
    rate = network.byte_rate(tunnel.device, tunnel.peer)
    wanted = _SMALLEST_KILOBYTES * 1024 / _STORM_SECONDS
    factor = max(1.0, wanted / rate) if rate else 1.0
    small = _smaller_end(network, tunnel)
    network.reconfigure(small, sa_lifetime_kilobytes=_SMALLEST_KILOBYTES)
    network.set_sending(tunnel.device, tunnel.peer, factor)
    network.renegotiate(tunnel.device, tunnel.peer)

    def lift() -> None:
        _restore(network, small, "sa_lifetime_kilobytes")
        network.set_sending(tunnel.device, tunnel.peer, 1.0)
        network.renegotiate(tunnel.device, tunnel.peer)

    return lift


def rekey_storm(network: Network, tunnel: Tunnel) -> Lift:
    """A fault of the peer's software: it takes its SAs for old."""

    def renew() -> None:
        network.renegotiate(tunnel.peer, tunnel.device)

    return _again_and_again(network, _REKEY_STORM_SECONDS, renew)


def failed_rekey(network: Network, tunnel: Tunnel) -> Lift:
    """Somebody changed the transform set at the peer and did not clear the SAs: the next rekey finds out."""
    restore_lifetime = _renew_with_short_lifetime(network, tunnel)
    lifts: list[Lift] = []
    stop = _later(network, lambda: lifts.append(_with_other_transforms(network, tunnel)))

    def lift() -> None:
        stop()
        for undo in lifts:
            undo()
        restore_lifetime()

    return lift


def ike_failing(network: Network, tunnel: Tunnel) -> Lift:
    """The key was changed, the IKE SA reached the end of its lifetime, and somebody asks for phase 1 all the time.

    On a router that is a line of the access list without an SA; the tunnel itself asks only when its own SA ends.
    """
    network.set_wrong_key(tunnel.device, tunnel.peer)
    network.expire_ike(tunnel.device, tunnel.peer)

    def ask() -> None:
        network.contact(tunnel.device, tunnel.peer)

    stop = _again_and_again(network, _RETRY_SECONDS, ask)

    def lift() -> None:
        stop()
        network.set_wrong_key(tunnel.device, tunnel.peer, is_wrong=False)
        # the attempt in progress was begun with the wrong key
        network.expire_ike(tunnel.device, tunnel.peer)
        network.contact(tunnel.device, tunnel.peer)

    return lift


def stuck_sa(network: Network, tunnel: Tunnel) -> Lift:
    """A fault of the crypto engine: its timers have stopped."""
    restore_lifetime = _renew_with_short_lifetime(network, tunnel)
    stop = _later(network, lambda: network.set_keeps_expired(tunnel.device, tunnel.peer))

    def lift() -> None:
        stop()
        network.set_keeps_expired(tunnel.device, tunnel.peer, is_kept=False)
        restore_lifetime()

    return lift


def _address(network: Network, router: str) -> str:
    return str(network.router(router).address)


def _clear(network: Network, tunnel: Tunnel) -> None:
    network.clear_session(tunnel.device, _address(network, tunnel.peer))


def _restore(network: Network, router: str, field: str) -> None:
    network.reconfigure(router, **{field: network.configured(router).model_dump()[field]})


def _smaller_end(network: Network, tunnel: Tunnel) -> str:
    """The end with fewer tunnels: lifetimes are those of a whole router, and the shorter of two holds."""
    return min(
        (tunnel.peer, tunnel.device),
        key=lambda name: len(network.router(name).crypto_map.entries),
    )


def _renew_with_short_lifetime(network: Network, tunnel: Tunnel) -> Lift:
    small = _smaller_end(network, tunnel)
    network.reconfigure(small, sa_lifetime_seconds=SHORT_LIFETIME_SECONDS)
    network.renegotiate(tunnel.device, tunnel.peer)
    return lambda: _restore(network, small, "sa_lifetime_seconds")


def _with_other_transforms(network: Network, tunnel: Tunnel) -> Lift:
    """Let the peer's entry for the device name a transform set that the device does not have."""
    known = [set(one.transforms) for one in network.router(tunnel.device).transform_sets.values()]
    other = next(names for names in _OTHER_TRANSFORMS if set(names) not in known)
    _name_transform_sets(network, tunnel, (_OTHER_SET,), TransformSet(transforms=other))

    def lift() -> None:
        before = _entries(network.configured(tunnel.peer), _address(network, tunnel.device))
        _name_transform_sets(network, tunnel, before[0].transform_sets)

    return lift


def _name_transform_sets(
    network: Network, tunnel: Tunnel, names: tuple[str, ...], other: TransformSet | None = None
) -> None:
    config = network.router(tunnel.peer)
    sets = {**config.transform_sets, **({_OTHER_SET: other} if other else {})}
    changed = _entries(config, _address(network, tunnel.device))
    entries = [
        entry.model_copy(update={"transform_sets": names}) if entry in changed else entry
        for entry in config.crypto_map.entries
    ]
    network.reconfigure(
        tunnel.peer,
        transform_sets={name: one.model_dump() for name, one in sets.items()},
        crypto_map={
            "name": config.crypto_map.name,
            "entries": [entry.model_dump() for entry in entries],
        },
    )


def _entries(config: Router, peer_address: str) -> tuple[CryptoMapEntry, ...]:
    return tuple(
        entry for entry in config.crypto_map.entries if peer_address in map(str, entry.all_peers)
    )


def _later(network: Network, action: Callable[[], None]) -> Lift:
    """Do this when what was just asked for stands, unless that is called off."""
    is_on = True

    def act() -> None:
        if is_on:
            action()

    def stop() -> None:
        nonlocal is_on
        is_on = False

    network.plan(network.now + _SETTLED_SECONDS, act)
    return stop


def _again_and_again(network: Network, seconds: float, action: Callable[[], None]) -> Lift:
    """Do this now and every so many seconds, until that is called off."""
    is_on = True

    def act() -> None:
        if is_on:
            action()
            network.plan(network.now + seconds, act)

    def stop() -> None:
        nonlocal is_on
        is_on = False

    act()
    return stop
