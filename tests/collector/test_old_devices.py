"""Old and new devices over real SSH: what each profile reaches, and what is said when it does not."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal

import pytest

from ipsecmon.config import SshProfile, Transport
from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import Topology, two_sites
from ipsecmon.model import Reason
from ipsecmon.sessions.transports import Transports
from over_ssh import Watcher, differences

Age = Literal["modern", "iosxe16", "ios15", "ios12"]
AGES: tuple[Age, ...] = ("modern", "iosxe16", "ios15", "ios12")
REACHED_FROM = {
    "modern": SshProfile.MODERN,
    "iosxe16": SshProfile.COMPAT,
    "ios15": SshProfile.COMPAT,  # a late one, with group 14 and counter mode
    "ios12": SshProfile.LEGACY,
}
ORDER = list(SshProfile)

pytestmark = pytest.mark.filterwarnings(
    # cryptography tells both ends that finite-field groups will go; these devices have nothing else
    "ignore:Diffie-Hellman over finite fields"
)


@pytest.fixture(scope="module")
def lab() -> Generator[Lab]:
    sites = two_sites()
    first = sites.routers[0]
    others = [
        first.model_copy(update={"name": age, "ssh": age, "address": first.address + 1 + number})
        for number, age in enumerate(AGES)
    ]
    with Lab(Topology(routers=(*sites.routers, *others)), warm_up=10, serve=AGES) as running:
        yield running


@pytest.fixture(scope="module")
def transports() -> Generator[Transports]:
    opened = Transports()
    yield opened
    opened.close()


@pytest.mark.parametrize("profile", SshProfile)
@pytest.mark.parametrize("age", AGES)
def test_a_profile_reaches_the_devices_it_is_meant_for_over_asyncssh_and_names_what_fits_others(
    age: Age, profile: SshProfile, lab: Lab, transports: Transports
) -> None:
    watcher = Watcher(
        lab=lab,
        router=age,
        transports=transports,
        transport=Transport.ASYNCSSH,
        changes={"profile": profile},
        connect_timeout=10.0,
        timeout=20.0,
    )
    result = watcher.poll()
    watcher.close()

    if ORDER.index(profile) >= ORDER.index(REACHED_FROM[age]):
        assert result.error is None, result.error
        assert differences(lab, result) == []
        assert result.session is not None
        assert (result.session.weak == ()) == (age == "modern")
    else:
        assert result.error is not None
        assert result.error.reason is Reason.KEX
        assert f"ssh_profile: {REACHED_FROM[age]}" in result.error.cause


@pytest.mark.parametrize("age", ["iosxe16", "ios15", "ios12"])
def test_what_paramiko_cannot_reach_any_more_is_said_with_the_way_out(
    age: Age, lab: Lab, transports: Transports
) -> None:
    watcher = Watcher(
        lab=lab,
        router=age,
        transports=transports,
        transport=Transport.NAPALM,
        changes={"profile": SshProfile.LEGACY},
        connect_timeout=10.0,
        timeout=20.0,
    )
    error = watcher.poll().error
    watcher.close()

    assert error is not None
    assert error.reason is Reason.KEX
    assert "asyncssh" in error.cause
