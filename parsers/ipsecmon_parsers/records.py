"""The vocabulary of what a device printed: one record type per thing a show command lists.

Records are values: frozen, compared by content, built only by the builders of this package. ``None``
means the device did not print the field (or printed that there is none, such as ``(none)``); 0 means it
printed zero. A word we do not know is kept as text, never dropped; addresses stand as the device prints them. Field names are the contract of
``ipsecmon parse --json``.

Sources: Cisco IOS Security Command Reference (``show crypto isakmp sa``, ``show crypto ipsec sa``,
``show crypto ipsec security-association lifetime``, ``show crypto ikev2 sa``, ``show crypto session``, ``show dmvpn``),
Cisco ASA Command Reference (``show crypto ikev1 sa``, ``show vpn-sessiondb``), RFC 4303 (SPI), RFC 2409 (IKE version 1),
RFC 7296 (IKE version 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

__all__ = [
    "AccessAddress",
    "AccessEntry",
    "AccessList",
    "AutoVpn",
    "AutoVpnPeer",
    "AutoVpnRegistry",
    "AutoVpnSession",
    "AutoVpnWan",
    "ChildSa",
    "CryptoInterface",
    "CryptoMapEntry",
    "CryptoSession",
    "CryptoSocket",
    "CustomRow",
    "CustomValue",
    "Direction",
    "DmvpnInterface",
    "DmvpnNextHopServer",
    "DmvpnPeer",
    "Flow",
    "FlowExcerpt",
    "FlowKind",
    "GdoiCounters",
    "GdoiGroup",
    "GdoiKek",
    "GdoiTek",
    "Ident",
    "IkeExitPath",
    "IkeExitPaths",
    "IkePeer",
    "IkeProfile",
    "IkeSa",
    "IkeSaCount",
    "IkeState",
    "Ikev2Policy",
    "Ikev2Proposal",
    "Ikev2Session",
    "IpsecGlobalCounters",
    "IpsecProfile",
    "IpsecSa",
    "IpsecSaCount",
    "IsakmpKey",
    "IsakmpPolicy",
    "ListeningSocket",
    "NamedValue",
    "Platform",
    "Protocol",
    "Record",
    "RunningCrypto",
    "SaIdleTime",
    "SaLifetime",
    "SaMode",
    "SelectorPair",
    "SessionFlow",
    "SessionIkeSa",
    "SessionStatus",
    "SpiTableEntry",
    "TrafficSelector",
    "TransformSet",
    "VpnClusterLoad",
    "VpnClusterMember",
    "VpnIkeTunnel",
    "VpnIpsecTunnel",
    "VpnLoadBalancing",
    "VpnPosture",
    "VpnSession",
    "VpnSessionCount",
    "VpnSessionSummary",
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
    """States of an IKE SA; the text itself is in ``IkeSa.raw_state``.

    ``MM_`` and ``AG_`` (ASA: ``AM_``) are main and aggressive mode of version 1. ``MM_WAIT_MSG2`` and the like are
    ASA's names for the message it waits for. ``READY``, ``IN-NEG`` and ``DELETE`` belong to version 2.
    """

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
    MM_WAIT_MSG2 = "MM_WAIT_MSG2"
    MM_WAIT_MSG3 = "MM_WAIT_MSG3"
    MM_WAIT_MSG4 = "MM_WAIT_MSG4"
    MM_WAIT_MSG5 = "MM_WAIT_MSG5"
    MM_WAIT_MSG6 = "MM_WAIT_MSG6"
    MM_ACTIVE = "MM_ACTIVE"
    MM_ACTIVE_REKEY = "MM_ACTIVE_REKEY"
    MM_REKEY_DONE_H2 = "MM_REKEY_DONE_H2"
    AM_ACTIVE = "AM_ACTIVE"
    AM_ACTIVE_REKEY = "AM_ACTIVE_REKEY"
    AM_REKEY_DONE_H2 = "AM_REKEY_DONE_H2"
    READY = "READY"
    IN_NEG = "IN-NEG"
    DELETE = "DELETE"
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
class TrafficSelector:
    """One side of a child SA: ``10.1.0.0/0 - 10.1.0.255/65535``, addresses and ports from - to (RFC 7296, 3.13)."""

    start_address: str
    start_port: int
    end_address: str
    end_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectorPair:
    """What a child SA carries from the local to the remote side."""

    local: TrafficSelector
    remote: TrafficSelector


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSa:
    """One ``Child sa:`` below an IKEv2 SA; an SPI of 0 is printed where the protocol is not in use.

    The two ESP SPIs are the surest way to recognise the same tunnel at its other end: our inbound is its outbound.
    """

    selectors: tuple[SelectorPair, ...] = ()
    inbound_esp_spi: int | None = None
    outbound_esp_spi: int | None = None
    inbound_ah_spi: int | None = None
    outbound_ah_spi: int | None = None
    inbound_cpi: int | None = None
    outbound_cpi: int | None = None
    encryption: str | None = None
    key_size_bits: int | None = None
    esp_hmac: str | None = None
    ah_hmac: str | None = None
    compression: str | None = None
    mode: SaMode | None = None
    raw_mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeSa:
    """One IKE SA of ``show crypto isakmp sa [detail]``, ``show crypto ikev1 sa`` or ``show crypto ikev2 sa [detail]``.

    ``source`` is the initiator of the negotiation and ``destination`` the responder; neither is "the
    local router", so ``local`` and ``remote`` stay ``None`` where the output does not tell them apart.
    ``status`` is the column as printed (``ACTIVE``, ``ACTIVE (deleted)``, ``STDBY``); 12.2 has none.
    ``state`` and ``raw_state`` are ``None`` in ``show crypto isakmp sa detail``, which prints no state.

    ``conn_id`` is the ``conn-id``, ``C-id`` or ``Tunnel-id``. ``vrf`` is the inner VRF, ``fvrf`` the outer. IOS cuts
    ``fvrf/ivrf`` to 18 characters: a name that may have been cut is ``None`` and stands in ``raw_vrfs`` only.
    ``remaining_seconds`` is printed by version 1 and is, for version 2, ``Life`` minus ``Active Time``.
    ``capabilities`` are the letters of ``Cap.``: D dead peer detection, N NAT traversal, K keepalives, X extended
    authentication, C configuration mode, T cTCP. ``hash`` is ``None`` with a combined cipher. ``engine`` is ``SW`` or ``????``. ``flags`` are words of the line
    ``Encr:`` that have no value (``QR``, quantum resistant).
    """

    version: int = 1
    local: str | None = None
    local_port: int | None = None
    remote: str | None = None
    remote_port: int | None = None
    source: str | None = None
    destination: str | None = None
    state: IkeState | None
    raw_state: str | None
    status: str | None = None
    status_description: str | None = None
    conn_id: int | None = None
    slot: int | None = None
    profile: str | None = None
    role: str | None = None
    initiator: bool | None = None
    connection_type: str | None = None
    is_rekeying: bool | None = None
    vrf: str | None = None
    fvrf: str | None = None
    raw_vrfs: str | None = None
    encryption: str | None = None
    key_size_bits: int | None = None
    hash: str | None = None
    prf: str | None = None
    auth: str | None = None
    auth_verify: str | None = None
    dh_group: int | None = None
    flags: tuple[str, ...] = ()
    pqc_key_exchange: str | None = None
    quantum_safe: str | None = None
    lifetime_seconds: int | None = None
    active_seconds: int | None = None
    remaining_seconds: int | None = None
    capabilities: tuple[str, ...] = ()
    nat_t: bool | None = None
    nat_t_side: str | None = None
    engine: str | None = None
    engine_conn_id: int | None = None
    ce_id: int | None = None
    session_id: int | None = None
    session_status: str | None = None
    session_ike_sas: int | None = None
    session_child_sas: int | None = None
    local_spi: int | None = None
    remote_spi: int | None = None
    local_id: str | None = None
    remote_id: str | None = None
    local_request_message_id: int | None = None
    remote_request_message_id: int | None = None
    local_next_message_id: int | None = None
    remote_next_message_id: int | None = None
    local_queued_message_id: int | None = None
    remote_queued_message_id: int | None = None
    local_window: int | None = None
    remote_window: int | None = None
    dpd_seconds: int | None = None
    dpd_retries: int | None = None
    fragmentation: str | None = None
    fragmentation_mtu_bytes: int | None = None
    dynamic_route_update: str | None = None
    extended_authentication: str | None = None
    trust_security_sgt: str | None = None
    assigned_address: str | None = None
    remote_subnets: tuple[Ident, ...] = ()
    peer_type: str | None = None
    child_selectors: tuple[ChildSa, ...] = ()
    is_established: bool
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ikev2Session:
    """One ``Session-id:`` of ``show crypto ikev2 session``: IKE SAs, each with its child SAs.

    ``ike_count`` and ``child_count`` are printed in the title of the session. ``child_selectors`` holds child SAs
    that stand below no IKE SA.
    """

    session_id: int
    status: str
    ike_count: int
    child_count: int
    ike_sas: tuple[IkeSa, ...] = ()
    child_selectors: tuple[ChildSa, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeSaCount:
    """``show crypto isakmp sa count`` (version 1) or ``show crypto ikev2 count`` (version 2)."""

    version: int
    active: int | None = None
    standby: int | None = None
    negotiating: int | None = None
    dead: int | None = None
    sessions: int | None = None
    created_total: int | None = None
    deleted_total: int | None = None
    marked_for_deletion: int | None = None


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
    ipsecv6_policy: str | None = None
    """Policy that OSPFv3 made of its manual keys: ``OSPFv3-1-256``."""
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
    is_icmp_error_validation_enabled: bool | None = None
    is_tfc_enabled: bool | None = None
    """Traffic flow confidentiality: padding that hides how much is sent."""
    access_list: str | None = None
    """ASA: the entry the flow was made from, as printed; routers: the list made for an OSPFv3 policy."""
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


# Configuration: what the device was told to do, as its show commands and its running-config print it.
#
# Sources: Cisco IOS Security Command Reference (show crypto map, show crypto isakmp policy, show crypto ikev2
# proposal, show crypto ipsec transform-set, show access-lists), Cisco ASA Series Command Reference.
# Algorithms have one form whatever printed them (``algorithms.py``), Diffie-Hellman groups are numbers. A
# running-config leaves out what is default: there ``None`` is "the default of the release".


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessAddress:
    """One side of an access-list entry.

    ``kind`` says what was printed: ``any``, ``any4``, ``any6``, ``host``, ``network``, ``range``, ``object``,
    ``object-group``, ``interface``, ``fqdn``, ``security-group``. Networks carry a prefix length whether a wildcard
    (IOS), a mask (ASA) or a length (IPv6) was printed; ``wildcard`` only where its bits are not contiguous.
    ``name`` is that of an object, group, interface or host, ``last_address`` the end of a range.
    """

    kind: str
    address: str | None = None
    prefix_length: int | None = None
    wildcard: str | None = None
    last_address: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """One line of an access list.

    ``text`` is the entry as printed, without its number, hit count and hash. ``action`` is ``permit``, ``deny``,
    ``remark`` or another word; a remark and an entry of unknown grammar have nothing but text. ``source_ports``
    and ``destination_ports`` begin with their operator: ``("range", "12", "15")``, ``("object-group", "WEB")``.
    ``options`` are the words behind the addresses (``log``, an ICMP type). ``hits`` counts matched packets since
    the last clear. ``is_expanded`` marks what an ASA prints for a group in the entry before.
    """

    text: str
    action: str
    sequence: int | None = None
    protocol: str | None = None
    source: AccessAddress | None = None
    source_ports: tuple[str, ...] = ()
    destination: AccessAddress | None = None
    destination_ports: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    hits: int | None = None
    last_hit: str | None = None
    is_inactive: bool = False
    is_expanded: bool = False
    hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessList:
    """An access list; ``kind`` is ``standard``, ``extended``, ``ipv6``, ``role-based`` or the word printed.

    ``origin`` is the word in brackets behind the name (``per-user``, ``downloaded``, ``Compiled``), ``elements`` and
    ``name_hash`` are printed by ASA only.
    """

    name: str
    kind: str | None
    origin: str | None = None
    elements: int | None = None
    name_hash: str | None = None
    entries: tuple[AccessEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformSet:
    """A named set of algorithms for IPsec SAs.

    ``transforms`` is one combination (``("esp-aes 256", "esp-sha-hmac")``). The IKEv2 proposals of ASA list
    alternatives instead: ``encryption`` and ``integrity``. Where only the name is printed all are empty.
    """

    name: str
    transforms: tuple[str, ...] = ()
    mode: SaMode | None = None
    ike_version: int | None = None
    encryption: tuple[str, ...] = ()
    integrity: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CryptoMapEntry:
    """One sequence number of a crypto map, of a dynamic map or of a map made for tunnel protection.

    ``dynamic_map`` names the template of an entry that has no peer of its own; ``created_from`` the template and
    sequence an entry was made from; ``is_dynamic`` marks the template. ``access_entries`` are the ACEs ``show
    crypto map`` prints inline. ``interfaces`` are those the whole map is applied to, empty where none is.
    ``peers`` holds addresses or names. ``local_address`` is an address or the interface that lends its own.
    ``lifetime_kilobytes`` counts 1024 bytes. ``settings`` holds the settings that have no field, as printed.
    """

    name: str
    sequence: int | None
    kind: str | None = None
    description: str | None = None
    is_incomplete: bool = False
    is_dynamic: bool = False
    is_profile_instance: bool = False
    dynamic_map: str | None = None
    created_from: str | None = None
    peers: tuple[str, ...] = ()
    default_peer: str | None = None
    current_peer: str | None = None
    local_address: str | None = None
    access_list: str | None = None
    access_entries: tuple[AccessEntry, ...] = ()
    isakmp_profile: str | None = None
    ikev2_profile: str | None = None
    ipsec_profile: str | None = None
    lifetime_seconds: int | None = None
    lifetime_kilobytes: int | None = None
    volume_rekey_disabled: bool = False
    idle_seconds: int | None = None
    has_pfs: bool | None = None
    dh_group: int | None = None
    transform_sets: tuple[TransformSet, ...] = ()
    ikev2_proposals: tuple[str, ...] = ()
    is_responder_only: bool | None = None
    is_dualstack: bool | None = None
    mixed_mode: str | None = None
    has_reverse_route: bool | None = None
    interfaces: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IsakmpPolicy:
    """A protection suite of IKE version 1; ``priority`` is ``None`` for the unnumbered default suite."""

    priority: int | None
    is_default: bool = False
    encryption: str | None = None
    hash: str | None = None
    authentication: str | None = None
    dh_group: int | None = None
    lifetime_seconds: int | None = None
    lifetime_kilobytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ikev2Proposal:
    """A named proposal of IKE version 2; each field lists the alternatives in their order of preference."""

    name: str
    encryption: tuple[str, ...] = ()
    integrity: tuple[str, ...] = ()
    prf: tuple[str, ...] = ()
    dh_groups: tuple[int, ...] = ()
    pqc_key_exchange: tuple[str, ...] = ()
    is_pqc_optional: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ikev2Policy:
    """An IKEv2 policy: on IOS it matches addresses and names proposals, on ASA (``priority``) it holds the algorithms."""

    name: str
    priority: int | None = None
    fvrf: str | None = None
    local_addresses: tuple[str, ...] = ()
    proposals: tuple[str, ...] = ()
    encryption: tuple[str, ...] = ()
    integrity: tuple[str, ...] = ()
    prf: tuple[str, ...] = ()
    dh_groups: tuple[int, ...] = ()
    lifetime_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IpsecProfile:
    """A profile of ``tunnel protection``: what the SAs of a tunnel interface are made with."""

    name: str
    description: str | None = None
    isakmp_profile: str | None = None
    ikev2_profile: str | None = None
    lifetime_seconds: int | None = None
    lifetime_kilobytes: int | None = None
    volume_rekey_disabled: bool = False
    idle_seconds: int | None = None
    has_pfs: bool | None = None
    dh_group: int | None = None
    transform_sets: tuple[TransformSet, ...] = ()
    ikev2_proposals: tuple[str, ...] = ()
    is_responder_only: bool | None = None
    is_dualstack: bool | None = None
    mixed_mode: str | None = None
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IsakmpKey:
    """That a pre-shared key exists for a peer; the key itself is never read.

    ``keyring`` is ``default`` for keys outside a keyring, the name of the profile for a key of an IKEv2 profile.
    ``stored_as`` is the word or digit before the key (``0`` clear, ``6`` encrypted). An address without a mask stands
    for one host and has no ``prefix_length``. ``description`` and ``local_addresses`` are those of the peer or keyring.
    """

    keyring: str | None
    address: str | None = None
    prefix_length: int | None = None
    hostname: str | None = None
    vrf: str | None = None
    peer_name: str | None = None
    direction: str | None = None
    stored_as: str | None = None
    description: str | None = None
    local_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeProfile:
    """An ISAKMP profile (version 1) or an IKEv2 profile: which peers it matches and how they prove themselves."""

    name: str
    ike_version: int
    keyrings: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    local_addresses: tuple[str, ...] = ()
    local_identity: str | None = None
    local_authentications: tuple[str, ...] = ()
    remote_authentications: tuple[str, ...] = ()
    vrf: str | None = None
    lifetime_seconds: int | None = None
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CryptoInterface:
    """An interface as far as it matters to a VPN: its addresses, its crypto map or its tunnel.

    ``addresses`` are written ``192.0.2.1/24``. ``tunnel_protection`` names the IPsec profile. An ASA names the
    interface a crypto map is applied to by its ``nameif``.
    """

    name: str
    description: str | None = None
    vrf: str | None = None
    addresses: tuple[str, ...] = ()
    unnumbered: str | None = None
    is_shutdown: bool = False
    crypto_maps: tuple[str, ...] = ()
    tunnel_source: str | None = None
    tunnel_destination: str | None = None
    tunnel_mode: str | None = None
    tunnel_vrf: str | None = None
    tunnel_protection: str | None = None
    ikev2_profile: str | None = None
    is_protection_shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCrypto:
    """What a running-config says about IPsec, in the order of the text.

    The lifetimes are those of ``crypto ipsec security-association lifetime``, ``None`` where they are default and so
    not printed. ``settings`` holds the other global lines about crypto as printed, keys hidden
    (``crypto isakmp keepalive 10 3``).
    """

    hostname: str | None = None
    version: str | None = None
    isakmp_policies: tuple[IsakmpPolicy, ...] = ()
    keys: tuple[IsakmpKey, ...] = ()
    ike_profiles: tuple[IkeProfile, ...] = ()
    ikev2_proposals: tuple[Ikev2Proposal, ...] = ()
    ikev2_policies: tuple[Ikev2Policy, ...] = ()
    transform_sets: tuple[TransformSet, ...] = ()
    ipsec_profiles: tuple[IpsecProfile, ...] = ()
    crypto_maps: tuple[CryptoMapEntry, ...] = ()
    interfaces: tuple[CryptoInterface, ...] = ()
    access_lists: tuple[AccessList, ...] = ()
    lifetime_seconds: int | None = None
    lifetime_kilobytes: int | None = None
    volume_rekey_disabled: bool = False
    idle_seconds: int | None = None
    settings: tuple[str, ...] = ()


# IKE and session family: show crypto session, show dmvpn, show vpn-sessiondb detail l2l


class SessionStatus(StrEnum):
    """``Session status:`` of ``show crypto session``; the text itself is in ``CryptoSession.raw_status``."""

    UP_ACTIVE = "UP-ACTIVE"
    UP_IDLE = "UP-IDLE"
    UP_NO_IKE = "UP-NO-IKE"
    UP_ACTIVE_STANDBY = "UP-ACTIVE-STANDBY"
    UP_IDLE_STANDBY = "UP-IDLE-STANDBY"
    DOWN = "DOWN"
    DOWN_NEGOTIATING = "DOWN-NEGOTIATING"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionIkeSa:
    """``IKEv1 SA: local 192.0.2.1/500 remote 198.51.100.1/500 Active``, with ``detail`` its capabilities and lifetime.

    ``capabilities`` are single letters: C, D, K, N, T, X, F fragmentation, R auto reconnect, U route update, S SIP.
    """

    version: int
    local: str
    local_port: int
    remote: str
    remote_port: int
    status: str
    is_active: bool
    session_id: int | None = None
    capabilities: tuple[str, ...] = ()
    conn_id: int | None = None
    remaining_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFlow:
    """``IPSEC FLOW: permit 47 host 192.0.2.1 host 198.51.100.1`` and what stands below it.

    ``selector`` is the line as printed; the idents are ``None`` where it is of a shape we do not know. Kilobytes are
    units of 1024 bytes; ``None`` with ``volume_rekey_disabled`` where the device prints ``KB Vol Rekey Disabled``.
    """

    selector: str
    action: str | None = None
    protocol: str | None = None
    local_ident: Ident | None = None
    remote_ident: Ident | None = None
    active_sas: int | None = None
    origin: str | None = None
    decrypted_packets: int | None = None
    inbound_dropped_packets: int | None = None
    inbound_remaining_kilobytes: int | None = None
    inbound_remaining_seconds: int | None = None
    encrypted_packets: int | None = None
    outbound_dropped_packets: int | None = None
    outbound_remaining_kilobytes: int | None = None
    outbound_remaining_seconds: int | None = None
    volume_rekey_disabled: bool = False
    outbound_spi: int | None = None
    transform: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CryptoSession:
    """One session of ``show crypto session [detail | brief]``, or of the crypto part of ``show dmvpn detail``.

    ``is_up`` says that traffic can flow: ``UP-ACTIVE`` and ``UP-NO-IKE``, and ``UP-IDLE``, which builds its SAs on
    demand; standby copies do not count. ``brief`` prints letters (``UA``), which become the same words.
    """

    interface: str | None
    username: str | None = None
    profile: str | None = None
    group: str | None = None
    assigned_address: str | None = None
    uptime_seconds: int | None = None
    status: SessionStatus
    raw_status: str
    is_up: bool
    peer: str | None = None
    peer_port: int | None = None
    fvrf: str | None = None
    vrf: str | None = None
    phase1_id: str | None = None
    description: str | None = None
    session_handle: str | None = None
    socket_state: str | None = None
    ike_sas: tuple[SessionIkeSa, ...] = ()
    flows: tuple[SessionFlow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DmvpnNextHopServer:
    """``IPv4 NHS: 192.0.2.1 RE priority = 0 cluster = 0``; flags R responding, E expecting replies, W waiting."""

    address: str
    flags: tuple[str, ...] = ()
    priority: int | None = None
    cluster: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DmvpnInterface:
    """The head of one tunnel interface in ``show dmvpn [detail]``; ``protect`` is the IPsec profile."""

    interface: str
    node_type: str | None = None
    nhrp_peers: int | None = None
    state: str | None = None
    address: str | None = None
    vrf: str | None = None
    tunnel_source: str | None = None
    tunnel_destination: str | None = None
    tunnel_vrf: str | None = None
    transport: str | None = None
    protect: str | None = None
    state_control: str | None = None
    event_publisher: str | None = None
    next_hop_servers: tuple[DmvpnNextHopServer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DmvpnPeer:
    """One row of ``show dmvpn``: a tunnel address behind an NBMA address.

    ``nbma_entries`` is the ``# Ent`` of the row that names the NBMA address; the rows below it share that address.
    ``state`` is ``UP`` or the step that is missing (``NHRP``, ``IKE``, ``IPSEC``). ``uptime_seconds`` counts since the
    last change, up or down; ``None`` for ``never``. ``attributes``: S static, D dynamic, I incomplete, N NATed,
    L local, X no socket, T1 route installed, T2 next-hop override, C CTS capable.
    """

    interface: str | None
    nbma_entries: int | None = None
    nbma_address: str | None
    tunnel_address: str | None
    state: str
    is_up: bool
    uptime_seconds: int | None
    attributes: tuple[str, ...] = ()
    target_network: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VpnIkeTunnel:
    """The block ``IKEv1:``, ``IKEv2:`` or (8.2) ``IKE:`` of ``show vpn-sessiondb detail l2l``; ``section`` is its title."""

    section: str
    version: int
    tunnel_id: str
    udp_source_port: int | None = None
    udp_destination_port: int | None = None
    negotiation_mode: str | None = None
    auth_mode: str | None = None
    remote_auth_mode: str | None = None
    local_auth_mode: str | None = None
    encryption: str | None = None
    hash: str | None = None
    rekey_interval_seconds: int | None = None
    rekey_remaining_seconds: int | None = None
    prf: str | None = None
    dh_group: int | None = None
    filter_name: str | None = None
    ipv6_filter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VpnIpsecTunnel:
    """The block ``IPsec:``, ``IPsecOverNatT:`` or the like: one pair of networks and its counters.

    Bytes are not bounded by 32 bits. ``rekey_remaining_kilobytes`` is printed as 0 by ASA for SAs whose volume it
    does not track.
    """

    section: str
    tunnel_id: str
    nat_t: bool
    local_ident: Ident | None = None
    remote_ident: Ident | None = None
    encryption: str | None = None
    hash: str | None = None
    encapsulation: str | None = None
    pfs_group: int | None = None
    rekey_interval_seconds: int | None = None
    rekey_remaining_seconds: int | None = None
    rekey_interval_kilobytes: int | None = None
    rekey_remaining_kilobytes: int | None = None
    idle_timeout_seconds: int | None = None
    idle_remaining_seconds: int | None = None
    transmitted_bytes: int | None = None
    received_bytes: int | None = None
    transmitted_packets: int | None = None
    received_packets: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VpnPosture:
    """The block ``NAC:`` that 8.x prints below a session."""

    revalidation_interval_seconds: int | None = None
    revalidation_remaining_seconds: int | None = None
    status_query_interval_seconds: int | None = None
    age_seconds: int | None = None
    hold_remaining_seconds: int | None = None
    posture_token: str | None = None
    redirect_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VpnSession:
    """One LAN-to-LAN session of ``show vpn-sessiondb detail l2l``.

    ``encryption`` and ``hash`` are kept as printed (``IKEv2: (1)AES256  IPsec: (3)AES256``); the tunnels have their
    own. ``ike_tunnels`` and ``ipsec_tunnels`` are the printed counts, ``None`` where a release prints none.
    """

    connection: str | None
    index: int
    address: str | None
    protocol: str | None = None
    encryption: str | None = None
    hash: str | None = None
    transmitted_bytes: int | None = None
    received_bytes: int | None = None
    login_time: str | None = None
    duration_seconds: int | None = None
    ike_tunnels: int | None = None
    ipsec_tunnels: int | None = None
    ike: tuple[VpnIkeTunnel, ...] = ()
    ipsec: tuple[VpnIpsecTunnel, ...] = ()
    posture: VpnPosture | None = None


CustomValue: TypeAlias = "str | tuple[str, ...] | tuple[Mapping[str, CustomValue], ...] | None"
"""A text, several texts (``Value List``), or the sections of a group below this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomRow:
    """What a template of the user's read of a command we do not know: one row, or one section of a group.

    ``values`` has the names of the template; numbers stay text. ``group`` is the group of a ``.ttp``, ``None`` for a row
    of a ``.textfsm``.
    """

    command: str
    group: str | None = None
    values: Mapping[str, CustomValue]


# What surrounds the tunnels: GETVPN groups, sockets, summaries of an ASA, counters of a whole device


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedValue:
    """A line ``name : value`` for which its record has no field."""

    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GdoiKek:
    """``KEK POLICY:`` of a GETVPN group, the key that protects rekeys; ``remaining_seconds`` is its ``Lifetime (secs)``."""

    transport: str | None = None
    remaining_seconds: int | None = None
    encryption: str | None = None
    key_size_bits: int | None = None
    signature_hash: str | None = None
    signature_key_bits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GdoiTek:
    """One ``IPsec SA:`` below ``TEK POLICY``, the key that protects traffic. Both directions of all members share its SPI."""

    interface: str | None
    spi: int
    transform: tuple[str, ...] = ()
    remaining_kilobytes: int | None = None
    remaining_seconds: int | None = None
    anti_replay: str | None = None
    tag_method: str | None = None
    encryption_key_bytes: int | None = None
    signature_key_bytes: int | None = None
    encapsulation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GdoiGroup:
    """One group of ``show crypto gdoi`` (RFC 6407), on a group member or a key server.

    ``access_entries`` are the lines of the downloaded access list as printed, without the leading ``access-list``.
    Lines without a field of their own, such as those of a key server, are in ``settings``.
    """

    name: str
    identity: str | None = None
    group_type: str | None = None
    direction: str | None = None
    rekeys_received: int | None = None
    servers: tuple[str, ...] = ()
    member: str | None = None
    member_vrf: str | None = None
    registration_status: str | None = None
    is_registered: bool | None = None
    registered_with: str | None = None
    reregisters_in_seconds: int | None = None
    succeeded_registrations: int | None = None
    attempted_registrations: int | None = None
    access_list_server: str | None = None
    access_entries: tuple[str, ...] = ()
    kek: GdoiKek | None = None
    teks: tuple[GdoiTek, ...] = ()
    settings: tuple[NamedValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GdoiCounters:
    """``show crypto gdoi gm dataplane counters`` of one group; packets, as long as the group has been joined."""

    group: str
    encrypt_packets: int | None = None
    decrypt_packets: int | None = None
    tagged_send_packets: int | None = None
    untagged_recv_packets: int | None = None
    no_sa_send_packets: int | None = None
    invalid_sa_recv_packets: int | None = None
    encaps_failed_send_packets: int | None = None
    decaps_failed_recv_packets: int | None = None
    invalid_prot_recv_packets: int | None = None
    verify_failed_packets: int | None = None
    not_tagged_send_packets: int | None = None
    not_untagged_recv_packets: int | None = None
    internal_error_send_packets: int | None = None
    internal_error_recv_packets: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CryptoSocket:
    """One socket of ``show crypto sockets``: what a tunnel interface asks IPsec to protect.

    The idents are printed with port and protocol swapped, ``(addr/mask/port/prot)``; here they stand as in ``Flow``.
    """

    interface: str
    local: str
    remote: str
    local_ident: Ident
    remote_ident: Ident
    profile: str | None = None
    state: str | None = None
    client: str | None = None
    client_state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningSocket:
    """A line below ``Crypto Sockets in Listen state:``."""

    client: str
    profile: str | None = None
    crypto_map: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpiTableEntry:
    """A row of ``show crypto ipsec spi-lookup detail``; ``table`` is ``active`` or ``transient`` (SPIs set aside).

    ``handle`` is the device's own number, printed in hexadecimal. ``created`` is the column ``Time created``.
    """

    table: str
    spi: int
    handle: str
    protocol: str | None = None
    local: str | None = None
    remote: str | None = None
    type: str | None = None
    vrf: int | None = None
    interface_number: int | None = None
    is_reserved: bool | None = None
    created: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IkePeer:
    """A peer of ``show crypto isakmp peers [config]``. Lines without a field of their own are in ``settings``."""

    address: str
    port: int | None = None
    local: str | None = None
    vrf: str | None = None
    phase1_id: str | None = None
    description: str | None = None
    version: int | None = None
    auth: str | None = None
    encryption: str | None = None
    hash: str | None = None
    dh_group: int | None = None
    lifetime_seconds: int | None = None
    local_id: str | None = None
    remote_id: str | None = None
    settings: tuple[NamedValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeExitPath:
    """One ``Error(n):`` of ``show crypto ikev2 diagnose error``, a reason why a negotiation ended; ``count`` is n."""

    error: str
    count: int
    traceback: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeExitPaths:
    """The table of ``show crypto ikev2 diagnose error``; ``entries`` is its ``current entry``."""

    status: str
    entries: int
    deleted: int
    most_entries: int
    errors: tuple[IkeExitPath, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IpsecGlobalCounters:
    """``show crypto mib ipsec flowmib global``, one VRF: the counters of CISCO-IPSEC-FLOW-MONITOR-MIB.

    ``vrf`` is ``???`` where the device no longer knows the name. Lines without a field are in ``settings``.
    """

    vrf: str | None
    active_tunnels: int | None = None
    previous_tunnels: int | None = None
    in_octets: int | None = None
    out_octets: int | None = None
    in_packets: int | None = None
    out_packets: int | None = None
    uncompressed_encrypted_bytes: int | None = None
    in_packets_drops: int | None = None
    out_packets_drops: int | None = None
    in_replay_drops: int | None = None
    in_authentications: int | None = None
    out_authentications: int | None = None
    in_decrypts: int | None = None
    out_encrypts: int | None = None
    compressed_bytes: int | None = None
    uncompressed_bytes: int | None = None
    in_uncompressed_bytes: int | None = None
    out_uncompressed_bytes: int | None = None
    in_decrypt_failures: int | None = None
    out_encrypt_failures: int | None = None
    no_sa_failures: int | None = None
    protocol_use_failures: int | None = None
    system_capacity_failures: int | None = None
    in_authentication_failures: int | None = None
    out_authentication_failures: int | None = None
    settings: tuple[NamedValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoVpnWan:
    """A WAN link: of this device as it is, or as a VPN registry or a peer sees it (``public``, ``private_from_registry``)."""

    name: str
    interface: str | None = None
    private: str | None = None
    nat_type: str | None = None
    status: str | None = None
    public: str | None = None
    private_from_registries: tuple[str, ...] = ()
    public_from_registries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoVpnRegistry:
    """``VPN Registry-1  192.0.2.98:9350`` and the WAN links registered there."""

    number: int
    address: str
    wans: tuple[AutoVpnWan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoVpnPeer:
    """A peer learnt from the registries."""

    number: int
    id: str
    role: str
    wans: tuple[AutoVpnWan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoVpnSession:
    """A row of ``Session Details:``; addresses with their ports, as printed."""

    peer_number: int
    local: str
    peer: str
    local_wan: int
    peer_wan: int
    session_type: str
    state: str
    interface: str
    initiator: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoVpn:
    """``show crypto autovpn session``: this device, where it registered, its peers and its sessions."""

    device_number: int
    id: str
    role: str
    wans: tuple[AutoVpnWan, ...] = ()
    registries: tuple[AutoVpnRegistry, ...] = ()
    peers: tuple[AutoVpnPeer, ...] = ()
    sessions: tuple[AutoVpnSession, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VpnSessionCount:
    """A row of ``show vpn-sessiondb``; ``section`` is the title of its table.

    ``is_part``: it is indented, and counted in the row above that is not.
    """

    section: str
    name: str
    is_part: bool
    active: int
    cumulative: int
    peak_concurrent: int | None = None
    inactive: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VpnSessionSummary:
    """``show vpn-sessiondb [summary]`` of an ASA: how many sessions and tunnels of each kind, and the device's load."""

    counts: tuple[VpnSessionCount, ...] = ()
    active_and_inactive: int | None = None
    cumulative: int | None = None
    device_capacity: int | None = None
    device_load_percent: int | None = None
    tunnels_active: int | None = None
    tunnels_cumulative: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VpnClusterMember:
    """A row of ``Peers:``; ``is_local`` is the star behind the address."""

    role: str
    priority: int
    model: str
    version: int
    address: str
    is_local: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VpnClusterLoad:
    """A row of ``Total License Load:``; the licences of AnyConnect and those of other VPNs, site-to-site among them."""

    address: str
    is_local: bool
    anyconnect_limit: int
    anyconnect_used: int
    anyconnect_load_percent: int
    other_limit: int
    other_used: int
    other_load_percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VpnLoadBalancing:
    """``show vpn load-balancing`` of an ASA; ``n/a`` is ``None``."""

    status: str
    role: str | None
    failover: str | None
    encryption: str | None
    peers: int | None
    cluster: str | None
    members: tuple[VpnClusterMember, ...] = ()
    loads: tuple[VpnClusterLoad, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowExcerpt:
    """What a filter (``show crypto ipsec sa | include ...``) left of one flow; ``None`` is what it took away.

    Nothing tells how much is missing, so an excerpt is never taken for a tunnel. ``sa_lines`` are the lines below the
    headings of SAs, as printed.
    """

    interface: str | None = None
    crypto_map: str | None = None
    local_address: str | None = None
    protected_vrf: str | None = None
    local_ident: Ident | None = None
    remote_ident: Ident | None = None
    peer: str | None = None
    peer_port: int | None = None
    encaps_packets: int | None = None
    encrypt_packets: int | None = None
    digest_packets: int | None = None
    decaps_packets: int | None = None
    decrypt_packets: int | None = None
    verify_packets: int | None = None
    send_errors: int | None = None
    recv_errors: int | None = None
    local_endpoint: str | None = None
    remote_endpoint: str | None = None
    current_outbound_spi: int | None = None
    other_lines: tuple[str, ...] = ()
    sa_lines: tuple[str, ...] = ()


Record = (
    IkeSa
    | Flow
    | SaLifetime
    | SaIdleTime
    | IpsecSaCount
    | AccessList
    | CryptoMapEntry
    | CustomRow
    | IkeProfile
    | Ikev2Policy
    | Ikev2Proposal
    | IpsecProfile
    | IsakmpKey
    | IsakmpPolicy
    | RunningCrypto
    | TransformSet
    | Ikev2Session
    | IkeSaCount
    | CryptoSession
    | DmvpnInterface
    | DmvpnPeer
    | VpnSession
    | GdoiGroup
    | GdoiCounters
    | CryptoSocket
    | ListeningSocket
    | SpiTableEntry
    | IkePeer
    | IkeExitPaths
    | IpsecGlobalCounters
    | AutoVpn
    | VpnSessionSummary
    | VpnLoadBalancing
    | FlowExcerpt
)
