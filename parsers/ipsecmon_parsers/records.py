"""The vocabulary of what a device printed: one record type per thing a show command lists.

Records are values: frozen, compared by content, built only by the builders of this package. ``None``
means the device did not print the field (or printed that there is none, such as ``(none)``); 0 means it
printed zero. A word we do not know is kept as text, never dropped; addresses stand as the device prints them. Field names are the contract of
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
    "FlowKind",
    "Ident",
    "IkeSa",
    "IkeState",
    "IpsecSa",
    "IpsecSaCount",
    "Platform",
    "Protocol",
    "Record",
    "SaIdleTime",
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


class FlowKind(StrEnum):
    """What protects a flow, read from its map, its identities and its peer."""

    CRYPTO_MAP = "crypto_map"
    """A static crypto map: listed even without an SA."""
    DYNAMIC = "dynamic"
    """Accepted from the peer (no line of ours matches it exactly); listed only while it lives."""
    VTI = "vti"
    """Tunnel protection on a tunnel interface with one peer."""
    DMVPN = "dmvpn"
    """Tunnel protection on a multipoint tunnel interface: one flow per spoke."""
    GETVPN = "getvpn"
    """A group member: one SA for the whole group, no peer (``0.0.0.0 port 848``)."""
    OSPFV3 = "ospfv3"
    """Manual keys of OSPFv3 authentication: never negotiated, never rekeyed."""
    SDWAN = "sdwan"
    """SD-WAN (``-vesen-head-`` maps): keys come from the controller."""


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
    last_port: int | None = None
    """End of a range of ports, which only ASA prints."""

    def __str__(self) -> str:
        text = f"{self.address}/{self.prefix_length}"
        if not (self.protocol or self.port):
            return text
        ports = f"{self.port}" if self.last_port is None else f"{self.port}-{self.last_port}"
        return f"{text}/{self.protocol}/{ports}"


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
    kind: FlowKind = FlowKind.CRYPTO_MAP
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
    local_endpoint_port: int | None = None
    remote_endpoint_port: int | None = None
    path_mtu_bytes: int | None = None
    ip_mtu_bytes: int | None = None
    plaintext_mtu_bytes: int | None = None
    mtu_interface: str | None = None
    current_outbound_spi: int | None
    current_inbound_spi: int | None = None
    pfs: bool | None = None
    dh_group: str | None = None
    key_exchange: str | None = None
    """Post-quantum exchange beside the DH group, as printed: ``ML-KEM-1024``."""
    group: str | None = None
    """GETVPN group."""
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
    # "show crypto ipsec sa detail" prints these in the place of send and recv errors
    no_sa_send_packets: int | None = None
    invalid_sa_recv_packets: int | None = None
    encaps_failed_send_packets: int | None = None
    decaps_failed_recv_packets: int | None = None
    invalid_prot_recv_packets: int | None = None
    verify_failed_packets: int | None = None
    invalid_identity_recv_packets: int | None = None
    invalid_len_recv_packets: int | None = None
    replay_rollover_send_packets: int | None = None
    replay_rollover_recv_packets: int | None = None
    replay_failed_recv_packets: int | None = None
    tagged_send_packets: int | None = None
    untagged_recv_packets: int | None = None
    not_tagged_send_packets: int | None = None
    not_untagged_recv_packets: int | None = None
    internal_error_send_packets: int | None = None
    internal_error_recv_packets: int | None = None
    # ASA
    pre_frag_successes: int | None = None
    pre_frag_failures: int | None = None
    fragments_created: int | None = None
    pmtus_sent: int | None = None
    pmtus_received: int | None = None
    frags_needing_reassembly: int | None = None
    tfc_received: int | None = None
    tfc_sent: int | None = None
    valid_icmp_errors_received: int | None = None
    invalid_icmp_errors_received: int | None = None
    not_offload_decrypted_packets: int | None = None
    ipsec_overhead_bytes: int | None = None
    media_mtu_bytes: int | None = None
    pmtu_time_remaining_seconds: int | None = None
    df_policy: str | None = None
    access_list: str | None = None
    dynamic_peer_address: str | None = None
    username: str | None = None
    sas: tuple[IpsecSa, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SaLifetime:
    """The configured lifetime of new IPsec SAs; ``kilobytes`` is ``None`` where volume rekey is disabled."""

    seconds: int
    kilobytes: int | None
    volume_rekey_disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SaIdleTime:
    """``show crypto ipsec security-association idle-time``: seconds without traffic that end an SA."""

    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IpsecSaCount:
    """``show crypto ipsec sa count``: numbers of SAs, two per tunnel."""

    total: int
    active: int
    rekeying: int
    unused: int
    invalid: int


Record = IkeSa | Flow | SaLifetime | SaIdleTime | IpsecSaCount
