"""Records that a device can print, printed as that device does, are read back as the same records.

What a device can print, and how it prints it, stands in ``shapes``, one file per family of commands. Nothing here
knows the templates: a field that a template loses, a name it takes for a number, a line it does not know shows as a
difference.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import parse
from parsers.shapes import (
    access_lists,
    asa_ipsec,
    configuration,
    ikev2,
    ipsec,
    isakmp,
    lifetimes,
    running,
    sessions,
    vpn_sessions,
)

IOS, IOSXE, ASA = Platform.IOS, Platform.IOSXE, Platform.ASA


@dataclass(frozen=True, slots=True)
class Case:
    """What a command can answer on one platform, and the text of such an answer."""

    platform: Platform
    command: str
    answers: st.SearchStrategy[tuple[Any, ...]]
    show: Callable[[Any], str]


def _flow_cases() -> dict[str, Case]:
    """Flows of routers and of ASA."""
    cases: dict[str, Case] = {
        f"ipsec sa {release}": Case(
            style.platform,
            "show crypto ipsec sa" + (" detail" if style.is_detailed else ""),
            ipsec.listings(style),
            partial(ipsec.show, style=style),
        )
        for release, style in ipsec.STYLES.items()
    }
    for release in ("8", "9"):
        cases[f"ipsec sa ASA {release}"] = Case(
            ASA, "show crypto ipsec sa", asa_ipsec.listings(is_new=release == "9"), asa_ipsec.show
        )
    return cases


def _ike_cases() -> dict[str, Case]:
    """SAs of IKE, both versions."""
    cases: dict[str, Case] = {}
    for name, layout in isakmp.LAYOUTS.items():
        cases[f"isakmp sa {name}"] = Case(
            IOS, "show crypto isakmp sa", isakmp.tables(layout), partial(isakmp.show, layout=layout)
        )
    cases |= {
        "isakmp sa detail": Case(
            IOS, "show crypto isakmp sa detail", isakmp.details(), isakmp.show_details
        ),
    }
    for detail, is_detailed in (("", False), (" detail", True)):
        cases |= {
            f"ikev2 sa{detail}": Case(
                IOS,
                f"show crypto ikev2 sa{detail}",
                ikev2.router_sas(is_detailed=is_detailed),
                ikev2.show_router_sas,
            ),
            f"ikev2 session{detail}": Case(
                IOSXE,
                f"show crypto ikev2 session{detail}",
                ikev2.router_sessions(is_detailed=is_detailed),
                ikev2.show_router_sessions,
            ),
            f"ikev2 sa ASA{detail}": Case(
                ASA,
                f"show crypto ikev2 sa{detail}",
                ikev2.asa_sessions(is_detailed=is_detailed),
                ikev2.show_asa_ikev2,
            ),
            f"ikev1 sa ASA{detail}": Case(
                ASA,
                f"show crypto ikev1 sa{detail}",
                ikev2.asa_ikev1_sas(is_detailed=is_detailed),
                ikev2.show_asa_ikev1_blocks,
            ),
        }
    cases |= {
        "ikev2 sa at 80 columns": Case(
            IOS,
            "show crypto ikev2 sa",
            ikev2.router_sas(is_detailed=False),
            partial(ikev2.show_router_sas, is_wrapped=True),
        ),
        "ikev1 sa ASA table": Case(
            ASA,
            "show crypto ikev1 sa detail",
            ikev2.asa_ikev1_sas(is_detailed=True, is_table=True),
            ikev2.show_asa_ikev1_table,
        ),
    }
    return cases


def _session_cases() -> dict[str, Case]:
    """Sessions, DMVPN, lifetimes and counts."""
    cases: dict[str, Case] = {}
    for detail, is_detailed in (("", False), (" detail", True)):
        cases |= {
            f"session{detail}": Case(
                IOS,
                f"show crypto session{detail}",
                sessions.sessions(is_detailed=is_detailed),
                partial(sessions.show_sessions, is_detailed=is_detailed),
            ),
            f"dmvpn{detail}": Case(
                IOSXE,
                f"show dmvpn{detail}",
                sessions.dmvpn(is_detailed=is_detailed),
                partial(sessions.show_dmvpn, is_detailed=is_detailed),
            ),
        }
    cases |= {
        "session brief": Case(
            IOS, "show crypto session brief", sessions.briefs(), sessions.show_briefs
        ),
        "vpn-sessiondb 8": Case(
            ASA,
            "show vpn-sessiondb detail l2l",
            vpn_sessions.listings(is_old=True),
            vpn_sessions.show,
        ),
        "vpn-sessiondb 9": Case(
            ASA,
            "show vpn-sessiondb detail l2l",
            vpn_sessions.listings(is_old=False),
            vpn_sessions.show,
        ),
        "lifetime": Case(
            IOS,
            "show crypto ipsec security-association lifetime",
            lifetimes.lifetimes(),
            partial(lifetimes.show_lifetimes, is_old=False),
        ),
        "lifetime 12": Case(
            IOS,
            "show crypto ipsec security-association-lifetime",
            lifetimes.lifetimes(),
            partial(lifetimes.show_lifetimes, is_old=True),
        ),
        "idle time": Case(
            IOS,
            "show crypto ipsec security-association idle-time",
            lifetimes.idle_times(),
            lifetimes.show_idle_times,
        ),
        "ipsec sa count": Case(
            IOSXE, "show crypto ipsec sa count", lifetimes.counts(), lifetimes.show_counts
        ),
        "isakmp sa count": Case(
            IOS,
            "show crypto isakmp sa count",
            lifetimes.isakmp_counts(),
            lifetimes.show_isakmp_counts,
        ),
        "ikev2 sa count": Case(
            IOSXE,
            "show crypto ikev2 sa count",
            lifetimes.ikev2_counts(),
            lifetimes.show_ikev2_counts,
        ),
    }
    return cases


def _configuration_cases() -> dict[str, Case]:
    """What devices were told to do."""
    cases: dict[str, Case] = {}
    cases |= {
        "crypto map": Case(
            IOS, "show crypto map", configuration.crypto_maps(), configuration.show_crypto_maps
        ),
        "ipsec profile": Case(
            IOSXE,
            "show crypto ipsec profile",
            configuration.profiles(),
            configuration.show_profiles,
        ),
        "transform-set": Case(
            IOS,
            "show crypto ipsec transform-set",
            configuration.transform_sets(),
            configuration.show_transform_sets,
        ),
        "isakmp policy": Case(
            IOS,
            "show crypto isakmp policy",
            configuration.isakmp_policies(),
            configuration.show_isakmp_policies,
        ),
        "ikev2 proposal": Case(
            IOSXE,
            "show crypto ikev2 proposal",
            configuration.ikev2_proposals(),
            configuration.show_ikev2_proposals,
        ),
        "ikev2 policy": Case(
            IOS,
            "show crypto ikev2 policy",
            configuration.ikev2_policies(),
            configuration.show_ikev2_policies,
        ),
        "access-lists": Case(
            IOS, "show access-lists", access_lists.router_lists(), access_lists.show_router_lists
        ),
        "access-list ASA": Case(
            ASA, "show access-list", access_lists.asa_lists(), access_lists.show_asa_lists
        ),
    }
    cases |= {
        "isakmp key": Case(
            IOS, "show crypto isakmp key", running.isakmp_keys(), running.show_isakmp_keys
        ),
        "running-config": Case(IOS, "show running-config", running.configs(), running.show),
        "running-config ASA": Case(
            ASA, "show running-config all crypto", running.asa_configs(), running.show_asa
        ),
    }
    return cases


CASES = {**_flow_cases(), **_ike_cases(), **_session_cases(), **_configuration_cases()}


def differences(printed: Any, read: Any, where: str = "") -> Iterator[str]:
    """Where two answers differ, field by field."""
    if printed == read:
        return
    pairs: list[tuple[str, Any, Any]] = []
    if dataclasses.is_dataclass(printed) and type(printed) is type(read):
        names = [field.name for field in dataclasses.fields(printed)]
        pairs = [(f".{name}", getattr(printed, name), getattr(read, name)) for name in names]
    elif len(ones := items(printed)) == len(others := items(read)):
        pairs = [
            (f"[{n}]", one, other) for n, (one, other) in enumerate(zip(ones, others, strict=True))
        ]
    if not pairs:
        yield f"{where}: printed {printed!r}, read {read!r}"
    for step, one, other in pairs:
        yield from differences(one, other, f"{where}{step}")


def items(value: Any) -> list[Any]:
    """The items of a tuple; nothing else in a record has any."""
    return list(value) if isinstance(value, tuple) else []  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType] # of records


def assert_round_trip(case: Case, data: st.DataObject) -> None:
    records = data.draw(case.answers)
    text = case.show(records)
    # an answer of nothing is believed with a prompt behind it only
    result = parse(case.platform, case.command, text if text.strip() else f"{text}Site1#")

    assert result.unparsed_lines == (), text
    found = list(differences(records, result.records))
    assert not found, f"{found}\n{text}"


# a difference names its field, so nothing is gained by shrinking, which takes minutes for records as large as these
QUICK = settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
@QUICK
def test_what_is_printed_is_read_back(name: str, data: st.DataObject) -> None:
    assert_round_trip(CASES[name], data)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
@settings(QUICK, max_examples=500)
def test_what_is_printed_is_read_back_with_many_examples(name: str, data: st.DataObject) -> None:
    assert_round_trip(CASES[name], data)
