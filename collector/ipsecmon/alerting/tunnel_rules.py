"""The alerts about single tunnels.

All of them leave out tunnels whose configuration says ``maintenance`` or ``excluded`` and carry ``site`` and ``owner`` of
the tunnel: both come from one recorded series for each tunnel that is watched. Joins name ``instance``, so that two
monitors of one fleet alert each for itself. A tunnel whose device cannot be read has no series and so no alert.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ipsecmon.alerting.rules import Alert, Board, Group, Record, Severity, alert, indented
from ipsecmon.alerting.thresholds import Thresholds
from ipsecmon.alerting.timescale import Timescale, spoken

__all__ = ["NOT_WATCHED", "WATCHED", "tunnel_group"]

_alert = partial(alert, Board.TUNNEL)

WATCHED = "tunnel:cisco_ipsec_tunnel_watched:info"
"""1 for each tunnel that may alert, with what the configuration says of it; a tunnel of two jobs is one."""

NOT_WATCHED = 'cisco_ipsec_tunnel_option{option=~"maintenance|excluded"} == 1'

_TUNNEL = "on (instance, device, tunnel)"
_PEER = "on (instance, device, peer)"
_UP = f"and {_TUNNEL} cisco_ipsec_tunnel_up == 1"

# domain: always-on and down, or whatever it is meant to be, down while traffic asks for it
_DOWN = f"""\
cisco_ipsec_tunnel_up == 0
and {_TUNNEL} (
  cisco_ipsec_tunnel_expected == 1
  or cisco_ipsec_tunnel_demanded == 1
)"""

_PHASE_1_UP = f"""\
and {_TUNNEL} (
  cisco_ipsec_tunnel_peer_in_use == 1
  and {_PEER} cisco_ike_sa_up == 1
)"""


# RFC 8221 for ESP and AH, RFC 8247 for the groups of Diffie and Hellman and for IKE
_WEAK_TRANSFORM = "(.* )?(esp-des|esp-3des|esp-null|esp-md5-hmac|ah-md5-hmac)( .*)?"
_WEAK_GROUP = "(group)?(1|2|5|22|23|24)"
_WEAK_ENCRYPTION = "(?i:(3des|des)( .*)?)"
_WEAK_HASH = "(?i:.*md5.*)"

_WHICH = "{{ $labels.tunnel }} on {{ $labels.device }}"
_WITH_PEER = f"{_WHICH} to {{{{ $labels.peer }}}}"


def tunnel_group(thresholds: Thresholds, timescale: Timescale) -> Group:
    """What the alerts need first, then the alerts, the worst first."""
    alerts = (
        *_down(thresholds, timescale),
        *_one_way(thresholds, timescale),
        *_renewal(thresholds, timescale),
        *_rekeys(thresholds, timescale),
        *_errors(thresholds, timescale),
        *_both_ends(thresholds, timescale),
        *_weak(thresholds, timescale),
    )
    return Group(name="ipsecmon-tunnels", rules=(_watched(), *map(_of_watched, alerts)))


def _watched() -> Record:
    return Record(
        name=WATCHED,
        expression=f"""\
max by (instance, device, tunnel, site, owner) (
  cisco_ipsec_tunnel_info
  unless {_TUNNEL} {NOT_WATCHED}
)""",
    )


def _of_watched(one: Alert) -> Alert:
    """An alert of a tunnel for those that are watched only, with their site and owner; one of a peer as it is."""
    if one.board is not Board.TUNNEL:
        return one
    expression = (
        f"(\n{indented(one.expression)}\n)\n* {_TUNNEL} group_left (site, owner)\n{WATCHED}"
    )
    return replace(one, expression=expression)


def _phase_1_fails(thresholds: Thresholds, timescale: Timescale) -> str:
    window = timescale.window(thresholds.negotiating_window)
    return f"""\
and {_TUNNEL} (
  cisco_ipsec_tunnel_peer_in_use == 1
  and {_PEER} max_over_time(cisco_ike_sa_negotiating[{window}]) == 1
  unless {_PEER} cisco_ike_sa_up == 1
)"""


def _flowing(thresholds: Thresholds, timescale: Timescale) -> str:
    window = timescale.window(thresholds.flowing_window)
    return f"""\
and {_TUNNEL} (
  rate(cisco_ipsec_tunnel_encaps_packets_total[{window}]) > 0
  or rate(cisco_ipsec_tunnel_decaps_packets_total[{window}]) > 0
)"""


def _until_read(metric: str, timescale: Timescale) -> str:
    """Seconds from that time to the reading, not to now: what happened since nobody knows, least with long intervals."""
    return timescale.elapsed(f"""\
cisco_ipsec_device_last_success_timestamp_seconds
- on (instance, device) group_right ()
  {metric}""")


def _wanted(window: str) -> str:
    """Not a mere end of an idle time: that leaves phase 1 alone, and nobody asks for the tunnel while it is down."""
    return f"""\
and {_TUNNEL} (
  cisco_ipsec_tunnel_expected == 1
  or max_over_time(cisco_ipsec_tunnel_demanded[{window}]) == 1
  or cisco_ipsec_tunnel_peer_in_use == 1 and {_PEER} min_over_time(cisco_ike_sa_up[{window}]) == 0
)"""


def _down(t: Thresholds, s: Timescale) -> tuple[Alert, ...]:
    on_demand = s.window(t.on_demand_window)
    return (
        _alert(
            "CiscoIpsecTunnelDown",
            Severity.CRITICAL,
            "A tunnel that must be up, or that traffic asks for, is down.",
            _DOWN,
            s.hold(t.tunnel_down_for),
            f"IPsec tunnel {_WITH_PEER} is down",
            "Look first whether phase 1 to {{ $labels.peer }} is up: show crypto isakmp sa (IKEv2: show crypto ikev2 sa). "
            f"The tunnel must be up, or traffic asks for it, and it has been without SAs for more than "
            f"{spoken(t.tunnel_down_for)}.",
        ),
        _alert(
            "CiscoIpsecOnDemandTunnelFailing",
            Severity.WARNING,
            "An on-demand tunnel is down and now and then a packet asks for it in vain.",
            f"""\
cisco_ipsec_tunnel_up == 0
and {_TUNNEL} cisco_ipsec_tunnel_expected == 0
and {_TUNNEL} increase(cisco_ipsec_tunnel_send_errors_total[{on_demand}]) > {t.on_demand_send_errors:g}
and {_TUNNEL} max_over_time(cisco_ipsec_tunnel_demanded[{on_demand}]) == 1""",
            s.hold(t.on_demand_for),
            f"On-demand IPsec tunnel {_WITH_PEER} does not come up when asked",
            "Look first at #send errors of the flow in show crypto ipsec sa, and whether IKE with {{ $labels.peer }} gets "
            f"anywhere. More than {t.on_demand_send_errors:g} packets found no SA in {spoken(t.on_demand_window)}.",
        ),
        _alert(
            "CiscoIpsecPhase1Failing",
            Severity.WARNING,
            "A tunnel is down because IKE with the peer in use does not come up.",
            f"{_DOWN}\n{_phase_1_fails(t, s)}",
            s.hold(t.phase1_failing_for),
            f"Phase 1 below IPsec tunnel {_WITH_PEER} does not come up",
            "Look first at the state in show crypto isakmp sa: MM_NO_STATE says that the peer does not answer or no policy "
            "matches, MM_KEY_EXCH that the pre-shared keys differ. IKE has been negotiating for more than "
            f"{spoken(t.phase1_failing_for)}.",
        ),
        _alert(
            "CiscoIpsecPhase2DownWhilePhase1Up",
            Severity.WARNING,
            "A tunnel is down although IKE with the peer in use is up.",
            f"{_DOWN}\n{_PHASE_1_UP}",
            s.hold(t.phase2_down_for),
            f"Phase 2 of IPsec tunnel {_WITH_PEER} does not come up, phase 1 is up",
            "Look first whether both ends have the same transform set, the same PFS group and mirrored access lists: show "
            "crypto map on both. Phase 1 is up, and there have been no IPsec SAs for more than "
            f"{spoken(t.phase2_down_for)}.",
        ),
    )


def _one_way(t: Thresholds, s: Timescale) -> tuple[Alert, ...]:
    window = s.window(t.one_way_window)
    rate = s.per_second(t.one_way_packets_per_second)

    def expression(flows: str, silent: str) -> str:
        return f"""\
rate(cisco_ipsec_tunnel_{flows}_packets_total[{window}]) > {rate}
and {_TUNNEL} rate(cisco_ipsec_tunnel_{silent}_packets_total[{window}]) == 0
{_UP}
unless {_TUNNEL} cisco_ipsec_tunnel_option{{option="unidirectional"}} == 1"""

    return (
        _alert(
            "CiscoIpsecOneWayTrafficTransmitOnly",
            Severity.WARNING,
            "A tunnel is up and sends packets, but none comes back.",
            expression("encaps", "decaps"),
            s.hold(t.one_way_for),
            f"IPsec tunnel {_WITH_PEER} sends packets and receives none",
            "Look first at #pkts decaps on the other end: if it grows, ESP is lost on the way back or the other end routes "
            "around the tunnel; if not, ESP (protocol 50, or UDP 4500) is filtered on the way there. No packet has come in "
            f"for {spoken(t.one_way_window)}.",
        ),
        _alert(
            "CiscoIpsecOneWayTrafficReceiveOnly",
            Severity.WARNING,
            "A tunnel is up and receives packets, but sends none.",
            expression("decaps", "encaps"),
            s.hold(t.one_way_for),
            f"IPsec tunnel {_WITH_PEER} receives packets and sends none",
            "Look first at the route on {{ $labels.device }} to the networks behind {{ $labels.peer }}, and whether NAT takes "
            f"the answers before the crypto map does. No packet has gone out for {spoken(t.one_way_window)}.",
        ),
    )


def _renewal(t: Thresholds, s: Timescale) -> tuple[Alert, ...]:
    flowing = _flowing(t, s)
    since_expiry = indented(_until_read("cisco_ipsec_sa_expiry_timestamp_seconds", s))
    overdue = f"max without (direction) (\n{since_expiry}\n)"
    age = _until_read("cisco_ipsec_tunnel_last_rekey_timestamp_seconds", s)
    return (
        _alert(
            "CiscoIpsecPredictedLoss",
            Severity.CRITICAL,
            "A tunnel is up, but phase 1 fails now: it goes down when its SA runs out.",
            f"""\
clamp_min(cisco_ipsec_tunnel_predicted_expiry_timestamp_seconds - time(), 0)
{_UP}
{_phase_1_fails(t, s)}""",
            s.hold(t.predicted_loss_for),
            f"IPsec tunnel {_WITH_PEER} will be lost in {{{{ $value | humanizeDuration }}}}",
            "Look first at phase 1 to {{ $labels.peer }} in show crypto isakmp sa, and whether the peer answers at all. The "
            "tunnel still carries packets; its SA runs out in {{ $value | humanizeDuration }}, and no new one can be "
            f"negotiated. Phase 1 has been failing for more than {spoken(t.predicted_loss_for)}.",
        ),
        _alert(
            "CiscoIpsecSaNotRenewed",
            Severity.WARNING,
            "The SA in use is about to run out, packets flow, and no successor is there.",
            f"""\
max without (direction) (cisco_ipsec_sa_remaining_lifetime_seconds) < {t.not_renewed_seconds:g}
{_UP}
{flowing}""",
            s.hold(0),
            f"The SA of IPsec tunnel {_WITH_PEER} runs out and no new one is there",
            "Look first whether phase 1 to {{ $labels.peer }} is up and whether PFS is the same on both ends: a rekey needs "
            "both. The SA had {{ $value | humanizeDuration }} left when it was read; a new one is due some 30 seconds "
            "before the end.",
        ),
        _alert(
            "CiscoIpsecRekeyOverdue",
            Severity.WARNING,
            "The SA of a tunnel that is up is older than its lifetime.",
            f"""\
{age}
> {_TUNNEL} group_left ()
  {t.rekey_overdue_ratio:g} * cisco_ipsec_sa_lifetime_seconds
{_UP}""",
            s.hold(t.rekey_overdue_for),
            f"IPsec tunnel {_WITH_PEER} has not been rekeyed in time",
            "Look first at the SPI and the remaining key lifetime in show crypto ipsec sa. The same SA has been in use for "
            f"{{{{ $value | humanizeDuration }}}}, more than {t.rekey_overdue_ratio:g} times its lifetime.",
        ),
        _alert(
            "CiscoIpsecSaExpiryOverdue",
            Severity.WARNING,
            "An SA is in use and carries packets after its time ran out.",
            f"""\
{overdue} > {t.expiry_overdue_seconds:g}
{_UP}
{flowing}""",
            s.hold(t.expiry_overdue_for),
            f"IPsec tunnel {_WITH_PEER} uses an SA that has run out",
            "Look first at the remaining key lifetime in show crypto ipsec sa: 0 seconds and the same SPI in two readings "
            "means that the rekey failed. Packets flow in an SA that ran out {{ $value | humanizeDuration }} before it was "
            "read.",
        ),
        _alert(
            "CiscoIpsecSaExpiredStillInstalled",
            Severity.WARNING,
            "An SA is still installed long after its time ran out.",
            f"""\
{overdue} > {t.still_installed_seconds:g}
{_UP}
and on (instance, device) cisco_ipsec_device_up == 1""",
            s.hold(t.still_installed_for),
            f"IPsec tunnel {_WITH_PEER} keeps an SA that has run out",
            "Look first whether the other end still has the same SPIs; if not, clear the SAs with this peer: clear crypto sa "
            "peer {{ $labels.peer }}. The SA ran out {{ $value | humanizeDuration }} before it was read, and the device has "
            "not removed it.",
        ),
    )


def _rekeys(t: Thresholds, s: Timescale) -> tuple[Alert, ...]:
    hour, flap_window = s.window(3600), s.window(t.flap_window)
    return (
        _alert(
            "CiscoIpsecVolumeLifetimeRekeyStorm",
            Severity.WARNING,
            "A tunnel is rekeyed again and again because its kilobytes run out.",
            f"""\
sum without (trigger) (
  increase(cisco_ipsec_tunnel_rekeys_total{{trigger="volume"}}[{hour}])
) > {t.volume_rekeys_per_hour:g}""",
            s.hold(0),
            f"IPsec tunnel {_WITH_PEER} is rekeyed by volume all the time",
            "Look first at show crypto ipsec security-association lifetime on both ends: the kilobytes are too few for this "
            'traffic. {{ $value | printf "%.0f" }} rekeys in the last hour because the volume ran out, more than '
            f"{t.volume_rekeys_per_hour:g}.",
        ),
        _alert(
            "CiscoIpsecRekeyStorm",
            Severity.WARNING,
            "A tunnel is rekeyed far more often than its lifetime explains, and not by volume.",
            f"""\
(
  sum without (trigger) (increase(cisco_ipsec_tunnel_rekeys_total{{trigger!="volume"}}[{hour}]))
{indented(_wanted(hour))}
  or sum without (trigger) (increase(cisco_ipsec_tunnel_rekeys_total{{trigger!~"outage|volume"}}[{hour}]))
)
> {_TUNNEL} group_left ()
  ({t.rekey_storm_ratio:g} * 3600 / cisco_ipsec_sa_lifetime_seconds + 2)""",
            s.hold(0),
            f"IPsec tunnel {_WITH_PEER} is rekeyed far too often",
            "Look first at the triggers of the rekeys on the dashboard: forced ones come from the peer, from somebody who "
            'clears SAs, or from an idle timer. {{ $value | printf "%.0f" }} rekeys in the last hour, more than '
            f"{t.rekey_storm_ratio:g} times what the lifetime explains, plus two.",
        ),
        _alert(
            "CiscoIpsecTunnelFlapping",
            Severity.WARNING,
            "A tunnel goes down and comes up again and again.",
            f"""\
increase(cisco_ipsec_tunnel_flaps_total[{flap_window}]) >= {t.flaps:g}
{_wanted(flap_window)}""",
            s.hold(0),
            f"IPsec tunnel {_WITH_PEER} flaps",
            "Look first at the path to {{ $labels.peer }} and at dead peer detection: ping the peer with its outside address as "
            'the source. The tunnel went down {{ $value | printf "%.0f" }} times in '
            f"{spoken(t.flap_window)}.",
        ),
    )


def _errors(t: Thresholds, s: Timescale) -> tuple[Alert, ...]:
    window = s.window(t.rate_window)
    errors = s.per_second(t.errors_per_second)
    return (
        _alert(
            "CiscoIpsecReplayDrops",
            Severity.WARNING,
            "A tunnel drops packets as replayed.",
            f"""\
sum without (reason) (rate(cisco_ipsec_tunnel_recv_drops_total{{reason="replay"}}[{window}]))
/ {_TUNNEL} group_left ()
  rate(cisco_ipsec_tunnel_decaps_packets_total[{window}])
> {t.replay_drop_ratio:g}""",
            s.hold(t.replay_for),
            f"IPsec tunnel {_WITH_PEER} drops packets as replayed",
            "Look first whether quality of service reorders packets behind the encryption, on the sender or on the way; a "
            "larger window helps: crypto ipsec security-association replay window-size. "
            "{{ $value | humanizePercentage }} of the packets received are dropped, more than "
            f"{100 * t.replay_drop_ratio:g}%.",
        ),
        _alert(
            "CiscoIpsecReceiveErrors",
            Severity.WARNING,
            "A tunnel drops packets it receives.",
            f"rate(cisco_ipsec_tunnel_recv_errors_total[{window}]) > {errors}",
            s.hold(t.errors_for),
            f"IPsec tunnel {_WITH_PEER} drops packets it receives",
            "Look first at show crypto ipsec sa detail: it splits #recv errors by cause. "
            '{{ $value | printf "%.2g" }} packets per second are dropped, for more than '
            f"{spoken(t.errors_for)}.",
        ),
        _alert(
            "CiscoIpsecSendErrors",
            Severity.WARNING,
            "A tunnel that is up drops packets it should send.",
            f"""\
rate(cisco_ipsec_tunnel_send_errors_total[{window}]) > {errors}
{_UP}""",
            s.hold(t.errors_for),
            f"IPsec tunnel {_WITH_PEER} is up and drops packets it should send",
            "Look first at show crypto ipsec sa detail: it splits #send errors by cause. "
            '{{ $value | printf "%.2g" }} packets per second are dropped, for more than '
            f"{spoken(t.errors_for)}.",
        ),
    )


def _both_ends(t: Thresholds, s: Timescale) -> tuple[Alert, ...]:
    window = s.window(t.rate_window)
    return (
        _alert(
            "CiscoIpsecSpiMismatch",
            Severity.CRITICAL,
            "The two ends of a tunnel hold SAs that do not belong together.",
            "cisco_ipsec_tunnel_spi_pair_matched == 0",
            s.hold(t.spi_mismatch_for),
            f"The two ends of IPsec tunnel {_WITH_PEER} hold different SAs",
            "Look first at the SPIs of both ends in show crypto ipsec sa: what one sends with, the other must list inbound. "
            "It does not, so packets are dropped; clear crypto sa peer {{ $labels.peer }} brings a new pair. It has been so for "
            f"more than {spoken(t.spi_mismatch_for)}.",
        ),
        _alert(
            "CiscoIpsecPathLoss",
            Severity.WARNING,
            "Packets are lost between the two ends of a tunnel.",
            f"""\
avg_over_time(cisco_ipsec_tunnel_path_loss_ratio[{window}])
- avg_over_time(cisco_ipsec_tunnel_path_loss_error_ratio[{window}])
> {t.path_loss_ratio:g}""",
            s.hold(t.path_loss_for),
            f"IPsec tunnel {_WITH_PEER} loses {{{{ $value | humanizePercentage }}}} of its packets",
            "Look first at the path between the two gateways, {{ $labels.direction }} as seen from {{ $labels.device }}: the line, "
            "its policer, and packets too large for it. At least {{ $value | humanizePercentage }} of the packets sent by one "
            f"end do not arrive at the other, more than {100 * t.path_loss_ratio:g}%.",
        ),
    )


def _weak(t: Thresholds, s: Timescale) -> tuple[Alert, ...]:
    return (
        _alert(
            "CiscoIpsecWeakCrypto",
            Severity.INFO,
            "The SA of a tunnel uses algorithms that are broken or too weak.",
            f"""\
cisco_ipsec_tunnel_up == 1
and {_TUNNEL} (
  cisco_ipsec_tunnel_crypto_info{{transform=~"{_WEAK_TRANSFORM}"}}
  or cisco_ipsec_tunnel_crypto_info{{pfs_group=~"{_WEAK_GROUP}"}}
)""",
            s.hold(t.weak_crypto_for),
            f"IPsec tunnel {_WITH_PEER} uses weak algorithms",
            "Look first at transform and DH group in show crypto ipsec sa. DES, 3DES, MD5, no encryption and the groups 1, 2, 5 "
            "and 22 to 24 should not be used any more (RFC 8221, RFC 8247); both ends have to change together.",
        ),
        Alert(
            name="CiscoIkeWeakCrypto",
            severity=Severity.INFO,
            meaning="The IKE SA with a peer uses algorithms that are broken or too weak.",
            expression=f"""\
max by (instance, job, device, peer) (
  cisco_ike_sa_info{{encryption=~"{_WEAK_ENCRYPTION}"}}
  or cisco_ike_sa_info{{hash=~"{_WEAK_HASH}"}}
  or cisco_ike_sa_info{{dh_group=~"{_WEAK_GROUP}"}}
)""",
            hold=s.hold(t.weak_crypto_for),
            summary="IKE between {{ $labels.device }} and {{ $labels.peer }} uses weak algorithms",
            description="Look first at show crypto isakmp policy on both ends: the first policy both have is the one in use. "
            "DES, 3DES, MD5 and the groups 1, 2, 5 and 22 to 24 should not be used any more (RFC 8247).",
            board=Board.DEVICE,
        ),
    )
