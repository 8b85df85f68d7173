"""The variables of the dashboards, each narrowing the next, and the links that carry them from one to the other.

A device that was never read has no tunnel yet and so no site: it is offered whatever site is chosen.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

from boards.panels import DATASOURCE, Link
from ipsecmon.alerting.thresholds import THRESHOLDS

__all__ = [
    "COLLECTOR",
    "DEVICE",
    "FLEET",
    "OTHER_END",
    "RUNBOOK",
    "TO_DEVICE",
    "TO_TUNNEL",
    "TUNNEL",
    "boards_links",
    "datasource",
    "device",
    "instance",
    "runbooks",
    "site",
    "tunnel",
]

FLEET, DEVICE, TUNNEL, COLLECTOR = (
    "ipsecmon-fleet",
    "ipsecmon-device",
    "ipsecmon-tunnel",
    "ipsecmon-collector",
)

Variable = Builder[dashboard.VariableModel]

_SAME_TIME = "var-datasource=${datasource}&${__url_time_range}"


def _field(name: str) -> str:
    return f"${{__data.fields.{name}:percentencode}}"


TO_DEVICE = Link("Device", f"/d/{DEVICE}?var-device={_field('device')}&{_SAME_TIME}")
TO_TUNNEL = Link(
    "Tunnel",
    f"/d/{TUNNEL}?var-device={_field('device')}&var-tunnel={_field('tunnel')}&{_SAME_TIME}",
)
OTHER_END = Link(
    "The other end",
    f"/d/{TUNNEL}?var-device={_field('remote_device')}&var-tunnel={_field('remote_tunnel')}"
    f"&{_SAME_TIME}",
)
RUNBOOK = Link("Runbook", f"${{runbooks}}/{_field('alertname')}")


def datasource() -> Variable:
    return builders.DatasourceVariable("datasource").label("Data source").type("prometheus")


def runbooks() -> Variable:
    """Where a click on an alert leads; it is changed in the settings of the dashboard."""
    constant = builders.ConstantVariable("runbooks").label("Runbooks").value(THRESHOLDS.runbooks)
    constant.build().hide = dashboard.VariableHide.HIDE_VARIABLE
    return constant


def _queried(name: str, label: str, query: str) -> builders.QueryVariable:
    return (
        builders.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(query)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
    )


def _all(variable: builders.QueryVariable) -> builders.QueryVariable:
    """Several or all; all is also what has no such label."""
    return (
        variable.multi(True)
        .include_all(True)
        .all_value(".*")
        .current(dashboard.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def site() -> Variable:
    return _all(_queried("site", "Site", "label_values(cisco_ipsec_tunnel_info, site)"))


def instance() -> Variable:
    return _all(
        _queried("instance", "ipsecmon", "label_values(cisco_ipsec_exporter_build_info, instance)")
    )


def device() -> Variable:
    return _queried(
        "device",
        "Device",
        'query_result(group by (device) (cisco_ipsec_tunnel_info{site=~"$site"})'
        " or group by (device) (cisco_ipsec_device_info"
        " unless on (instance, device) cisco_ipsec_tunnel_info))",
    ).regex('/device="([^"]+)"/')


def tunnel() -> Variable:
    return _queried(
        "tunnel",
        "Tunnel",
        'label_values(cisco_ipsec_tunnel_info{site=~"$site", device="${device:raw}"}, tunnel)',
    )


def boards_links(but: str) -> list[Builder[dashboard.DashboardLink]]:
    """The other three dashboards, at the same time range and with the variables that they share."""
    return [
        builders.DashboardLink(title)
        .type(dashboard.DashboardLinkType.LINK)
        .icon("dashboard")
        .url(f"/d/{uid}")
        .include_vars(True)
        .keep_time(True)
        for title, uid in (
            ("Fleet", FLEET),
            ("Device", DEVICE),
            ("Tunnel", TUNNEL),
            ("Collector", COLLECTOR),
        )
        if uid != but
    ]
