"""Rows of ``show crypto sockets`` and ``show crypto ipsec spi-lookup detail`` -> one record per row.

::

    Number of Crypto Socket connections 3

       Tu2 Peers (local/remote): 192.0.2.2/198.51.100.2
           Local Ident  (addr/mask/port/prot): (192.0.2.2/255.255.255.255/0/47)
           Remote Ident (addr/mask/port/prot): (198.51.100.2/255.255.255.255/0/47)
           IPSec Profile: "DMVPN"
           Socket State: Open
           Client: "TUNNEL SEC" (Client State: Active)
    Crypto Sockets in Listen state:
    Client: "TUNNEL SEC" Profile: "DMVPN" Map-name: "Tunnel2-head-0"

Source: Cisco IOS Security Command Reference, ``show crypto sockets``.
"""

from __future__ import annotations

import re

from ipsecmon_parsers import values
from ipsecmon_parsers.blocks import ends_inside_a_line
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.records import (
    CryptoSocket,
    Ident,
    ListeningSocket,
    Platform,
    SpiTableEntry,
)

__all__ = ["build_crypto_sockets", "build_spi_table"]


def build_crypto_sockets(table: Table, _: Platform) -> tuple[CryptoSocket | ListeningSocket, ...]:
    """The sockets, as many as the first line counts, and behind them those that listen."""
    sockets: list[CryptoSocket] = []
    listening: list[ListeningSocket] = []
    counted: int | None = None
    for row in table:
        if row.text("NUMBER"):
            counted = row.number("NUMBER")
        elif row.text("LISTENING"):
            table.made_of(row, row)
            listening.append(_listening(row))
        elif row.text("CLIENT") is None and row.last_line >= table.last_line:
            raise table.truncated("the line 'Client:' of a socket", _whole(len(sockets)))
        else:
            table.made_of(row, row)
            sockets.append(_socket(row))
    if counted is None:
        raise table.truncated("the line 'Number of Crypto Socket connections'", _whole(0))
    if len(sockets) < counted:
        raise table.truncated(f"{counted} sockets, as the first line says", _whole(len(sockets)))
    if ends_inside_a_line(table, re.compile(r"\)$|\"$")):
        raise table.truncated("the rest of the last line", _whole(len(sockets)))
    return (*sockets, *listening)


def _whole(sockets: int) -> str:
    return f"{sockets} socket{'' if sockets == 1 else 's'} before it {'was' if sockets == 1 else 'were'} whole"


def _socket(row: Row) -> CryptoSocket:
    local_ident = row.value("LOCAL_IDENT", _swapped_ident)
    remote_ident = row.value("REMOTE_IDENT", _swapped_ident)
    if local_ident is None or remote_ident is None:
        raise row.error("the local and the remote ident (addr/mask/port/prot) of a socket")
    return CryptoSocket(
        interface=row.required("INTERFACE", "the line 'Peers (local/remote)' of a socket"),
        local=row.required("LOCAL", "the addresses of a socket"),
        remote=row.required("REMOTE", "the addresses of a socket"),
        local_ident=local_ident,
        remote_ident=remote_ident,
        profile=row.text("PROFILE"),
        state=row.text("STATE"),
        client=row.text("CLIENT"),
        client_state=row.text("CLIENT_STATE"),
    )


def _swapped_ident(text: str) -> Ident:
    parts = text.split("/")
    if len(parts) != 4:
        raise ValueError("an ident such as 192.0.2.2/255.255.255.255/0/47")
    address, mask, port, protocol = parts
    return values.ident_text(f"{address}/{mask}/{protocol}/{port}")


def _listening(row: Row) -> ListeningSocket:
    return ListeningSocket(
        client=row.required("CLIENT", "the client of a listening socket"),
        profile=row.text("PROFILE"),
        crypto_map=row.text("CRYPTO_MAP"),
    )


def build_spi_table(table: Table, _: Platform) -> tuple[SpiTableEntry, ...]:
    """The active SPIs, then the transient ones; ``Truncated`` where a table ends inside a row or one is missing."""
    entries: list[SpiTableEntry] = []
    title = ""
    for row in table:
        if found := row.text("TITLE"):
            title = found.lower()
        if row.text("HANDLE") is None and row.text("SPI"):
            raise row.error("the second line of the entry: handle, VRF, remote address, IDB")
        if row.text("TITLE"):
            continue
        if title != ("active" if row.text("RESERVED") is None else "transient"):
            raise row.error("the title of the table above a row")
        table.made_of(row, row)
        entries.append(_entry(row, title))
    whole = f"{len(entries)} entries before it were whole"
    if ends_inside_a_line(table, re.compile(r"(?!)")):
        raise table.truncated("the rest of the last line", whole)
    if title == "active" and not table.complete:
        raise table.truncated("the line 'Transient SPI table'", whole)
    return tuple(entries)


def _entry(row: Row, table: str) -> SpiTableEntry:
    spi = row.required("SPI", "the SPI of an entry")
    reserved = row.text("RESERVED")
    return SpiTableEntry(
        table=table,
        spi=values.spi(spi),
        handle=row.required("HANDLE", "the handle of an entry"),
        protocol=row.text("PROTOCOL"),
        local=row.text("LOCAL"),
        remote=row.text("REMOTE"),
        type=row.text("TYPE"),
        vrf=row.number("VRF"),
        interface_number=row.number("INTERFACE_NUMBER"),
        is_reserved=None if reserved is None else reserved == "1",
        created=row.number("CREATED"),
    )
