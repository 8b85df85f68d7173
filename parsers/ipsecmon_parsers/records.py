"""The vocabulary of what a device printed: one record type per thing a show command lists.

Records are values: frozen, compared by content, built only by the builders of this package. ``None``
means the device did not print the field (or printed that there is none, such as ``(none)``); 0 means it
printed zero. A word we do not know is kept as text, never dropped. Field names are the contract of
``ipsecmon parse --json``.

Sources: Cisco IOS Security Command Reference (``show crypto isakmp sa``, ``show crypto ipsec sa``,
``show crypto ipsec security-association lifetime``), RFC 4303 (SPI), RFC 2409 (IKE version 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "Direction",
    "Flow",
    "Ident",
    "IkeSa",
    "IkeState",
    "IpsecSa",
    "Platform",
    "Protocol",
    "Record",
    "SaLifetime",
    "SaMode",
]


class Platform(StrEnum):
    """Families of devices whose outputs share their shapes."""

    IOS = "ios"
    IOSXE = "iosxe"
    ASA = "asa"


class Direction(StrEnum):
    """An IPsec SA protects one direction only, seen from the device that printed it."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Protocol(StrEnum):
    """The section of ``show crypto ipsec sa`` an SA stands in: ESP, AH or IP compression (``pcp``)."""

    ESP = "esp"
    AH = "ah"
    PCP = "pcp"


class SaMode(StrEnum):
    """Encapsulation mode, from ``in use settings ={Tunnel, }``."""

    TUNNEL = "tunnel"
    TRANSPORT = "transport"


class IkeState(StrEnum):
    """States of IKE version 1 in ``show crypto isakmp sa``; the text itself is in ``IkeSa.raw_state``."""

    MM_NO_STATE = "MM_NO_STATE"
    MM_SA_SETUP = "MM_SA_SETUP"
    MM_KEY_EXCH = "MM_KEY_EXCH"
    MM_KEY_AUTH = "MM_KEY_AUTH"
    AG_NO_STATE = "AG_NO_STATE"
    AG_INIT_EXCH = "AG_INIT_EXCH"
    AG_AUTH = "AG_AUTH"
    CONF_XAUTH = "CONF_XAUTH"
    CONF_ADDR = "CONF_ADDR"
    QM_IDLE = "QM_IDLE"
    GDOI_IDLE = "GDOI_IDLE"
    GDOI_REKEY = "GDOI_REKEY"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeSa:
    """One row of ``show crypto isakmp sa``.

    ``source`` is the initiator of the negotiation and ``destination`` the responder; neither is "the
    local router", so ``local`` and ``remote`` stay ``None`` where the output does not tell them apart.
    ``status`` is the column as printed (``ACTIVE``, ``ACTIVE (deleted)``, ``STDBY``); 12.2 has none.
    """

    version: int = 1
    local: str | None = None
    remote: str | None = None
    source: str | None
    destination: str | None
    state: IkeState
    raw_state: str
    status: str | None = None
    conn_id: int | None = None
    slot: int | None = None
    profile: str | None = None
    is_established: bool
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ident:
    """One side of a proxy identity, printed as ``(10.1.1.0/255.255.255.0/0/0)``.

    ``prefix_length`` whether the device printed a mask or a length; ``protocol`` and ``port`` are 0 for any.
    """

    address: str
    prefix_length: int
    protocol: int
    port: int

    def __str__(self) -> str:
        text = f"{self.address}/{self.prefix_length}"
        return text if not (self.protocol or self.port) else f"{text}/{self.protocol}/{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IpsecSa:
    """One IPsec SA, one direction of one flow.

    ``spi`` is taken from the hexadecimal. ``remaining_kilobytes`` counts units of 1024 bytes and starts at a
    point of the device's choosing at or below the configured volume: only differences within one SPI mean
    anything. ``remaining_seconds`` is rounded to minutes on releases that print words.
    """

    direction: Direction
    protocol: Protocol
    spi: int | None
    transform: tuple[str, ...] = ()
    mode: SaMode | None = None
    settings: tuple[str, ...] = ()
    nat_t: bool = False
    conn_id: int | None = None
    flow_id: str | None = None
    slot: int | None = None
    sibling_flags: str | None = None
    crypto_map: str | None = None
    initiator: bool | None = None
    remaining_kilobytes: int | None = None
    remaining_seconds: int | None = None
    volume_rekey_disabled: bool = False
    never_expires: bool = False
    iv_size_bytes: int | None = None
    replay_detection: bool | None = None
    replay_window: int | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One proxy-identity pair of ``show crypto ipsec sa`` with its counters and its SAs.

    A static crypto map prints a flow for every permit line of its access list even when no SA exists:
    then ``current_outbound_spi`` is 0 and ``sas`` is empty. Packet counters belong to the flow and
    survive rekeys; they count since the last clear or reload.
    """

    platform: Platform
    interface: str | None
    crypto_map: str | None
    crypto_map_seq: int | None = None
    local_address: str | None
    protected_vrf: str | None
    local_ident: Ident
    remote_ident: Ident
    peer: str | None
    peer_port: int | None
    action: str | None = None
    flags: tuple[str, ...] = ()
    acl_origin: bool | None = None
    local_endpoint: str | None = None
    remote_endpoint: str | None = None
    path_mtu_bytes: int | None = None
    ip_mtu_bytes: int | None = None
    plaintext_mtu_bytes: int | None = None
    mtu_interface: str | None = None
    current_outbound_spi: int
    current_inbound_spi: int | None = None
    pfs: bool | None = None
    dh_group: str | None = None
    encaps_packets: int | None = None
    encrypt_packets: int | None = None
    digest_packets: int | None = None
    decaps_packets: int | None = None
    decrypt_packets: int | None = None
    verify_packets: int | None = None
    compressed_packets: int | None = None
    decompressed_packets: int | None = None
    not_compressed_packets: int | None = None
    compress_failed_packets: int | None = None
    not_decompressed_packets: int | None = None
    decompress_failed_packets: int | None = None
    send_errors: int | None = None
    recv_errors: int | None = None
    sas: tuple[IpsecSa, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SaLifetime:
    """The configured lifetime of new IPsec SAs; ``kilobytes`` is ``None`` where volume rekey is disabled."""

    seconds: int
    kilobytes: int | None
    volume_rekey_disabled: bool


Record = IkeSa | Flow | SaLifetime
