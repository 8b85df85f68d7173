"""Which SSH algorithms each profile offers, which of them are weak, and what to do when a device offers none of them.

The lists are those of SSH itself; each library takes what it knows of them. What Cisco's software speaks: IOS 12 and 15
group 1 and 14 with SHA-1, ``ssh-rsa``, CBC and 3DES; late IOS 15 and IOS-XE 16 AES-CTR, HMAC with SHA-1 or SHA-2 and
``ssh-rsa`` host keys; IOS-XE 17 and ASA 9.16 everything in ``modern``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ipsecmon.config import SshProfile
from ipsecmon.sessions.protocol import SshEndpoint

__all__ = [
    "Agreement",
    "Offer",
    "agreement",
    "mismatch",
    "offer_in",
    "offered",
    "preferring",
    "weak",
]


class Offer(NamedTuple):
    """The four lists that two sides must have something in common in; the better first."""

    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]

    def within(self, known: Offer) -> Offer:
        """What is in ``known`` too."""
        return Offer(*(_common(ours, theirs) for ours, theirs in zip(self, known, strict=True)))


_LIST_NAMES = Offer(("key exchange",), ("host key",), ("cipher",), ("MAC",))

_MODERN = Offer(
    kex=(
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "diffie-hellman-group14-sha256",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group18-sha512",
        "diffie-hellman-group-exchange-sha256",
    ),
    host_keys=(
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "rsa-sha2-512",
        "rsa-sha2-256",
    ),
    ciphers=(
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
        "chacha20-poly1305@openssh.com",
    ),
    macs=(
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-512",
    ),
)
_COMPAT = Offer(
    kex=(*_MODERN.kex, "diffie-hellman-group14-sha1"),
    host_keys=(*_MODERN.host_keys, "ssh-rsa"),
    ciphers=_MODERN.ciphers,
    # late IOS 15 has no other
    macs=(*_MODERN.macs, "hmac-sha1"),
)
_LEGACY = Offer(
    # the device chooses the group of a group exchange, and old ones choose 1024 bits
    kex=(*_COMPAT.kex, "diffie-hellman-group-exchange-sha1", "diffie-hellman-group1-sha1"),
    host_keys=_COMPAT.host_keys,
    ciphers=(*_COMPAT.ciphers, "aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"),
    macs=(*_COMPAT.macs, "hmac-sha1-96"),
)
_OFFERS = {
    SshProfile.MODERN: _MODERN,
    SshProfile.COMPAT: _COMPAT,
    SshProfile.LEGACY: _LEGACY,
}
# each is one algorithm and its MAC in one
_AEAD = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com")
_RSA_SIGNATURES = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")


def offered(profile: SshProfile) -> Offer:
    """What a profile offers."""
    return _OFFERS[profile]


def preferring(endpoint: SshEndpoint) -> Offer:
    """What is offered to this endpoint: the types of the host keys known for it first, for it may have several."""
    offer = offered(endpoint.profile)
    known = endpoint.host_keys.known_algorithms(endpoint.host, endpoint.port)
    wanted = [name for key in known for name in (_RSA_SIGNATURES if key == "ssh-rsa" else (key,))]
    first = [name for name in wanted if name in offer.host_keys]
    return offer._replace(host_keys=tuple(dict.fromkeys([*first, *offer.host_keys])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What two sides came to use."""

    kex: str
    host_key: str
    cipher: str
    mac: str

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.kex, self.host_key, self.cipher, self.mac)))


def agreement(ours: Offer, theirs: Offer) -> Agreement:
    """The first of ours that they have, in each list: RFC 4253, section 7.1. Empty where there is none."""
    kex, host_key, cipher, mac = (
        next(iter(_common(mine, yours)), "") for mine, yours in zip(ours, theirs, strict=True)
    )
    return Agreement(kex=kex, host_key=host_key, cipher=cipher, mac="" if cipher in _AEAD else mac)


def weak(agreed: Agreement) -> tuple[str, ...]:
    """What of it the modern profile does not offer."""
    strong = {name for names in _MODERN for name in names}
    used = (agreed.kex, agreed.host_key, agreed.cipher, agreed.mac)
    return tuple(name for name in used if name and name not in strong)


def mismatch(profile: SshProfile, theirs: Offer, *, library: Offer, advice: str) -> str | None:
    """Which lists have nothing in common, what the device offers in them, and what to do about it.

    ``library`` is all that the installed library can do; ``advice`` says how to get at more. ``None`` if they match.
    """
    usable = offered(profile).within(library)
    missing = _lists_without_match(usable, theirs)
    if not missing:
        return None
    what = "; ".join(
        f"no {name} in common, the device offers {', '.join(their) or 'none'}"
        for name, their in missing
    )
    fitting = next((p for p in SshProfile if not _lists_without_match(offered(p), theirs)), None)
    if fitting is None:
        return f"{what}; no ssh_profile has any of these, renew the device's software or keys"
    steps: list[str] = []
    if fitting is not profile and list(SshProfile).index(fitting) > list(SshProfile).index(profile):
        steps.append(f"set ssh_profile: {fitting} for this device")
    if _lists_without_match(offered(fitting).within(library), theirs):
        steps.append(advice)
    return f"{what}; {' and '.join(steps)}"


def offer_in(kexinit: bytes) -> Offer | None:
    """The lists of an ``SSH_MSG_KEXINIT`` (RFC 4253, section 7.1), towards the client; ``None`` if it is none."""
    at, lists = 17, list[tuple[str, ...]]()  # the message's number and 16 bytes of cookie
    try:
        for _ in range(6):
            (length,) = struct.unpack_from(">I", kexinit, at)
            names = kexinit[at + 4 : at + 4 + length]
            if len(names) < length:
                return None
            lists.append(tuple(filter(None, names.decode("ascii").split(","))))
            at += 4 + length
    except (struct.error, UnicodeDecodeError):
        return None
    kex, host_keys, _, ciphers, _, macs = lists
    return Offer(tuple(name for name in kex if not _is_sign(name)), host_keys, ciphers, macs)


def _is_sign(name: str) -> bool:
    """What stands among the key exchanges and is none: RFC 8308 and OpenSSH's strict mode."""
    return name.startswith(("ext-info-", "kex-strict-"))


def _common(ours: Iterable[str], theirs: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in ours if name in theirs)


def _lists_without_match(ours: Offer, theirs: Offer) -> list[tuple[str, tuple[str, ...]]]:
    missing = [
        (name[0], their)
        for name, our, their in zip(_LIST_NAMES, ours, theirs, strict=True)
        if not _common(our, their)
    ]
    if any(name in theirs.ciphers for name in ours.ciphers if name in _AEAD):
        missing = [(name, their) for name, their in missing if name != "MAC"]
    return missing
