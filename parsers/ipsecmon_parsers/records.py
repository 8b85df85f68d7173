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
    "AccessAddress",
    "AccessEntry",
    "AccessList",
    "CryptoInterface",
    "CryptoMapEntry",
    "Direction",
    "Flow",
    "FlowKind",
    "Ident",
    "IkeProfile",
    "IkeSa",
    "IkeState",
    "Ikev2Policy",
    "Ikev2Proposal",
    "IpsecProfile",
    "IpsecSa",
    "IpsecSaCount",
    "IsakmpKey",
    "IsakmpPolicy",
    "Platform",
    "Protocol",
    "Record",
    "RunningCrypto",
    "SaIdleTime",
    "SaLifetime",
    "SaMode",
    "TransformSet",
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


Record = (
    IkeSa
    | Flow
    | SaLifetime
    | SaIdleTime
    | IpsecSaCount
    | AccessList
    | CryptoMapEntry
    | IkeProfile
    | Ikev2Policy
    | Ikev2Proposal
    | IpsecProfile
    | IsakmpKey
    | IsakmpPolicy
    | RunningCrypto
    | TransformSet
)
