"""What dashboards ask again and again, recorded once."""

from __future__ import annotations

from ipsecmon.alerting.rules import Group, Record
from ipsecmon.alerting.timescale import Timescale

__all__ = ["record_group"]

_RATE_SECONDS = 300.0


def record_group(timescale: Timescale) -> Group:
    """Rates of packets and bytes, rekeys in an hour, the seconds until the SA of a tunnel runs out."""
    window, hour = timescale.window(_RATE_SECONDS), timescale.window(3600)
    return Group(
        name="ipsecmon-records",
        rules=(
            *(
                Record(
                    name=f"tunnel:cisco_ipsec_tunnel_{what}:rate5m",
                    expression=f"rate(cisco_ipsec_tunnel_{what}_total[{window}])",
                )
                for what in (
                    "encaps_packets",
                    "decaps_packets",
                    "sent_bytes",
                    "received_bytes",
                    "send_errors",
                    "recv_errors",
                )
            ),
            Record(
                name="tunnel:cisco_ipsec_tunnel_rekeys:increase1h",
                expression=f"sum without (trigger) (increase(cisco_ipsec_tunnel_rekeys_total[{hour}]))",
            ),
            Record(
                name="tunnel:cisco_ipsec_sa_time_to_expiry_seconds:min",
                expression="""\
cisco_ipsec_tunnel_predicted_expiry_timestamp_seconds - time()
and on (instance, device, tunnel) cisco_ipsec_tunnel_up == 1""",
            ),
        ),
    )
