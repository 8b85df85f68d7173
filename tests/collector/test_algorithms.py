"""Which algorithms are offered, and what is said when a device has none of them."""

from __future__ import annotations

import struct

import pytest

from ipsecmon.config import SshProfile
from ipsecmon.sessions import Target
from ipsecmon.sessions.algorithms import (
    Offer,
    agreement,
    mismatch,
    offer_in,
    offered,
    preferring,
    weak,
)
from ipsecmon.sessions.host_keys import AnyHostKey

IOS_12 = Offer(
    ("diffie-hellman-group1-sha1",),
    ("ssh-rsa",),
    ("aes128-cbc", "3des-cbc", "aes192-cbc", "aes256-cbc"),
    ("hmac-sha1", "hmac-sha1-96"),
)
IOSXE_16 = Offer(
    ("ecdh-sha2-nistp256", "diffie-hellman-group14-sha1"),
    ("ssh-rsa",),
    ("aes128-ctr", "aes192-ctr", "aes256-ctr"),
    ("hmac-sha2-256", "hmac-sha1"),
)
IOSXE_17 = Offer(
    ("curve25519-sha256@libssh.org", "ecdh-sha2-nistp256"),
    ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"),
    ("chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes128-ctr"),
    ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-256", "hmac-sha1"),
)
EVERYTHING = offered(SshProfile.LEGACY)
WITHOUT_SHA1 = Offer(
    *(
        tuple(name for name in names if "sha1" not in name and name != "ssh-rsa")
        for names in EVERYTHING
    )
)
ADVICE = "take the other transport"


def test_the_modern_profile_offers_neither_sha1_nor_cbc() -> None:
    names = [name for names in offered(SshProfile.MODERN) for name in names]

    assert not [name for name in names if "sha1" in name or "cbc" in name or name == "ssh-rsa"]


def test_each_profile_offers_what_the_one_before_offers_and_first() -> None:
    for before, after in zip(list(SshProfile), list(SshProfile)[1:], strict=False):
        for less, more in zip(offered(before), offered(after), strict=True):
            assert more[: len(less)] == less


@pytest.mark.parametrize(
    ("theirs", "profile"),
    [
        (IOSXE_17, SshProfile.MODERN),
        (IOSXE_16, SshProfile.COMPAT),
        (IOS_12, SshProfile.LEGACY),
    ],
)
def test_each_generation_of_devices_has_its_profile(theirs: Offer, profile: SshProfile) -> None:
    order = list(SshProfile)
    for asked in order:
        said = mismatch(asked, theirs, library=EVERYTHING, advice=ADVICE)
        if order.index(asked) >= order.index(profile):
            assert said is None
        else:
            assert said is not None
            assert said.endswith(f"set ssh_profile: {profile} for this device")


def test_a_mismatch_names_the_list_and_what_the_device_offers() -> None:
    said = mismatch(SshProfile.MODERN, IOSXE_16, library=EVERYTHING, advice=ADVICE)

    assert said == (
        "no host key in common, the device offers ssh-rsa; set ssh_profile: compat for this device"
    )


def test_a_library_that_cannot_is_told_apart_from_a_profile_that_does_not() -> None:
    both = mismatch(SshProfile.MODERN, IOSXE_16, library=WITHOUT_SHA1, advice=ADVICE)
    only_library = mismatch(SshProfile.COMPAT, IOSXE_16, library=WITHOUT_SHA1, advice=ADVICE)

    assert both is not None
    assert both.endswith(f"set ssh_profile: compat for this device and {ADVICE}")
    assert only_library is not None
    assert only_library.endswith(f"ssh-rsa; {ADVICE}")


def test_what_no_profile_has_is_said_so() -> None:
    theirs = IOSXE_17._replace(host_keys=("ssh-dss",))
    said = mismatch(SshProfile.MODERN, theirs, library=EVERYTHING, advice=ADVICE)

    assert said == (
        "no host key in common, the device offers ssh-dss; "
        "no ssh_profile has any of these, renew the device's software or keys"
    )


def test_ours_that_comes_first_and_is_theirs_too_is_agreed_on() -> None:
    old = agreement(EVERYTHING, IOS_12)

    assert (old.kex, old.host_key) == ("diffie-hellman-group1-sha1", "ssh-rsa")
    assert weak(old) == ("diffie-hellman-group1-sha1", "ssh-rsa", "aes128-cbc", "hmac-sha1")
    assert weak(agreement(EVERYTHING, IOSXE_17)) == ()


def test_a_cipher_that_is_its_own_mac_needs_no_other() -> None:
    theirs = IOSXE_17._replace(macs=("hmac-md5",))

    assert mismatch(SshProfile.MODERN, theirs, library=EVERYTHING, advice=ADVICE) is None
    assert agreement(EVERYTHING, theirs).mac == ""


class _Knows(AnyHostKey):
    def known_algorithms(self, host: str, port: int) -> tuple[str, ...]:  # noqa: ARG002 # the Protocol's signature
        return ("ssh-rsa",)


def test_the_type_of_key_that_is_known_is_asked_for_first_and_with_a_good_signature() -> None:
    target = Target(
        device="Site1",
        host="192.0.2.1",
        port=22,
        username="monitor",
        host_keys=_Knows(),
        connect_timeout=1.0,
        read_timeout=1.0,
    )
    offer = preferring(target)

    assert offer.host_keys[:2] == ("rsa-sha2-512", "rsa-sha2-256")
    assert set(offer.host_keys) == set(offered(SshProfile.MODERN).host_keys)


def _kexinit(*lists: str) -> bytes:
    return b"\x14" + bytes(16) + b"".join(struct.pack(">I", len(x)) + x.encode() for x in lists)


def test_the_offer_is_read_from_the_message_itself() -> None:
    message = _kexinit(
        "curve25519-sha256,kex-strict-s-v00@openssh.com", "ssh-ed25519", "a", "b", "c", "d,e"
    )

    assert offer_in(message) == Offer(("curve25519-sha256",), ("ssh-ed25519",), ("b",), ("d", "e"))


def test_half_a_message_is_no_offer() -> None:
    message = _kexinit("curve25519-sha256", "ssh-ed25519", "a", "b", "c", "d")

    assert all(offer_in(message[:length]) is None for length in range(len(message)))
