"""How busy a device is, from the one line it prints of it.

    Router#show processes cpu | include CPU utilization
    CPU utilization for five seconds: 98%/40%; one minute: 61%; five minutes: 55%

    ciscoasa# show cpu usage
    CPU utilization for 5 seconds = 12%; 1 minute: 11%; 5 minutes: 10%

https://www.cisco.com/c/en/us/td/docs/ios-xml/ios/fundamentals/command/cf_command_ref/show_processes_cpu.html
"""

from __future__ import annotations

import re

from ipsecmon_parsers.records import Platform

__all__ = ["CPU_COMMANDS", "cpu_percent"]

CPU_COMMANDS = {
    Platform.IOS: "show processes cpu | include CPU utilization",
    Platform.IOSXE: "show processes cpu | include CPU utilization",
    Platform.ASA: "show cpu usage",
}

_LINE = re.compile(
    r"""
    ^[ \t]*CPU[ ]utilization[ ]for[ ]
    (?: five[ ]seconds:[ ](?P<ios>\d{1,3})%(?:/\d{1,3}%)?;[ ]one[ ]minute:[ ]
      | 5[ ]seconds[ ]=[ ](?P<asa>\d{1,3})%;[ ]1[ ]minute:[ ]
    )""",
    re.VERBOSE | re.MULTILINE,
)


def cpu_percent(text: str) -> int | None:
    """The load over five seconds, 0 to 100; ``None`` for any other answer than the line above, once."""
    found = [int(match["ios"] or match["asa"]) for match in _LINE.finditer(text)]
    return found[0] if len(found) == 1 and found[0] <= 100 else None
