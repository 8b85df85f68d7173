"""Rows of ``show crypto isakmp peers [config]`` and ``show crypto ikev2 diagnose error`` -> records.

::

    Peer: 192.0.2.2 Port: 500 Local: 192.0.2.1
     Phase1 id: 192.0.2.2

    Exit Path Table - status: disable, current entry 1, deleted 0, max allow 50

    Error(1): A supplied parameter is incorrect

Source: Cisco IOS Security Command Reference, the commands of these names.
"""

from __future__ import annotations

import re

from ipsecmon_parsers.blocks import ends_inside_a_line
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.records import IkeExitPath, IkeExitPaths, IkePeer, NamedValue, Platform

__all__ = ["build_ike_exit_paths", "build_ike_peers"]

_NEVER = re.compile(r"(?!)")
_VERSIONS = {"IKEv1": 1, "IKEv2": 2}


def build_ike_peers(table: Table, _: Platform) -> tuple[IkePeer, ...]:
    """The peers; no peer is zero records. The last line needs its line end or a prompt behind it."""
    peers: list[tuple[Row, dict[str, Row]]] = []
    for row in table:
        if row.text("PEER"):
            table.made_of(row)
            peers.append((row, {}))
        elif not peers:
            raise row.error("the line 'Peer:' above it")
        else:
            name = row.required("LABEL", "the name of a value")
            if name in peers[-1][1]:
                raise row.error(
                    f"one line {name!r} for a peer: the line 'Peer:' before it is missing"
                )
            peers[-1][1][name] = row
    if ends_inside_a_line(table, _NEVER):
        whole = f"{max(0, len(peers) - 1)} peers before it were whole"
        raise table.truncated("the rest of the last line", whole)
    return tuple(_peer(row, named) for row, named in peers)


def _peer(head: Row, named: dict[str, Row]) -> IkePeer:
    def take(name: str) -> str | None:
        row = named.pop(name, None)
        return None if row is None else row.text("VALUE")

    def take_number(name: str) -> int | None:
        row = named.pop(name, None)
        return None if row is None else row.value("VALUE", _number_in)

    def take_version() -> int | None:
        # a word we do not know stays among the settings
        row = named.get("Key Exchange")
        version = _VERSIONS.get(row.text("VALUE") or "") if row else None
        if version is not None:
            del named["Key Exchange"]
        return version

    return IkePeer(
        address=head.required("PEER", "the address of a peer"),
        port=head.number("PORT"),
        local=head.text("LOCAL"),
        vrf=head.text("VRF"),
        phase1_id=take("Phase1 id"),
        description=take("Description"),
        version=take_version(),
        auth=take("Authentication Method"),
        encryption=take("Encryption"),
        hash=take("Hashing"),
        dh_group=take_number("DH Group"),
        lifetime_seconds=take_number("Lifetime"),
        local_id=take("Local ID"),
        remote_id=take("Remote ID"),
        settings=tuple(
            NamedValue(name=name, value=row.text("VALUE")) for name, row in named.items()
        ),
    )


def _number_in(text: str) -> int:
    """``Group 14``, ``86400 seconds``."""
    match = re.fullmatch(r"(?:Group )?(\d+)(?: seconds)?", text)
    if match is None:
        raise ValueError("a number such as 'Group 14' or '86400 seconds'")
    return int(match[1])


def build_ike_exit_paths(table: Table, _: Platform) -> tuple[IkeExitPaths, ...]:
    """The one table of this command, with as many errors as its title counts."""
    rows = list(table)
    if not rows or rows[0].text("STATUS") is None:
        raise table.truncated("the line 'Exit Path Table'", "nothing was whole")
    title, errors = rows[0], tuple(_exit_path(row) for row in rows[1:])
    paths = IkeExitPaths(
        status=title.required("STATUS", "the status of the table"),
        entries=int(title.required("ENTRIES", "the number of entries")),
        deleted=int(title.required("DELETED", "the number of deleted entries")),
        most_entries=int(title.required("MOST", "the number of entries allowed")),
        errors=errors,
    )
    whole = f"{max(0, len(errors) - 1)} errors before it were whole"
    if ends_inside_a_line(table, _NEVER):
        raise table.truncated("the rest of the last line", whole)
    if len(errors) < paths.entries and not table.complete:
        raise table.truncated(f"{paths.entries} errors, as the title says", whole)
    return (paths,)


def _exit_path(row: Row) -> IkeExitPath:
    return IkeExitPath(
        error=row.required("ERROR", "a line 'Error(1): ...'"),
        count=int(row.required("COUNT", "a line 'Error(1): ...'")),
        traceback=row.text("TRACEBACK"),
    )
