"""What the emulated routers answer to the commands that carry no records: version, clock, refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from ipsecmon.lab.topology import Dialect

__all__ = [
    "AMBIGUOUS",
    "AUTHORIZATION_FAILED",
    "ENABLE_REFUSED",
    "EPOCH",
    "INCOMPLETE",
    "INVALID",
    "NO_PASSWORD_SET",
    "UNKNOWN",
    "log_message",
    "motd",
    "show_clock",
    "show_processes_cpu",
    "show_version",
]

INVALID: Final = "% Invalid input detected at '^' marker.\n\n"
INCOMPLETE: Final = "% Incomplete command.\n\n"
AMBIGUOUS: Final = '% Ambiguous command:  "{line}"\n'
AUTHORIZATION_FAILED: Final = "Command authorization failed.\n\n"
NO_PASSWORD_SET: Final = "% No password set\n"  # noqa: S105 - what IOS says, no secret
ENABLE_REFUSED: Final = "% Error in authentication.\n\n"
UNKNOWN: Final = (
    'Translating "{word}"...domain server (255.255.255.255)\n'
    "% Unknown command or computer name, or unable to find computer address\n\n"
)

# lab second 0; a fixed day keeps every run alike
EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)

_SOFTWARE: Final[dict[Dialect, tuple[str, str, str]]] = {
    "ios-12.4": (
        (
            "Cisco IOS Software, 3700 Software (C3725-ADVENTERPRISEK9-M), Version 12.4(15)T14, "
            "RELEASE SOFTWARE (fc2)"
        ),
        "flash:c3725-adventerprisek9-mz.124-15.T14.bin",
        "Cisco 3725 (R7000) processor (revision 0.1) with 249856K/12288K bytes of memory.",
    ),
    "ios-15": (
        (
            "Cisco IOS Software, C2900 Software (C2900-UNIVERSALK9-M), Version 15.7(3)M8, "
            "RELEASE SOFTWARE (fc1)"
        ),
        "flash0:c2900-universalk9-mz.SPA.157-3.M8.bin",
        "Cisco CISCO2911/K9 (revision 1.0) with 483328K/40960K bytes of memory.",
    ),
    "iosxe-17": (
        (
            "Cisco IOS Software [Bengaluru], Virtual XE Software (X86_64_LINUX_IOSD-UNIVERSALK9-M), "
            "Version 17.6.3a, RELEASE SOFTWARE (fc1)"
        ),
        "bootflash:packages.conf",
        "cisco CSR1000V (VXE) processor (revision VXE) with 2071794K/3075K bytes of memory.",
    ),
}


def motd(hostname: str) -> str:
    """The banner after login, with the marks of a prompt in it, as banners have them."""
    stars = "*" * 64
    lines = (
        f"{hostname}: an emulated router. Authorised use only ># ",
        "What you do here is recorded > and then forgotten #",
        "It knows: show crypto isakmp sa, show crypto ipsec sa,",
        "clear crypto sa | session, show version, terminal, enable",
    )
    boxed = "".join(f"* {line:<60} *\n" for line in lines)
    return f"\n{stars}\n{boxed}{stars}\n\n"


def show_clock(now: float) -> str:
    """``*10:11:12.345 UTC Mon Nov 23 2026``; the asterisk says that no time server was heard."""
    return f"*{_moment(now):%H:%M:%S.%f}"[:-3] + f" UTC {_moment(now):%a %b} {_day(now)}\n"


def show_processes_cpu(cpu_percent: int) -> str:
    """The load over five seconds, of which a part is interrupts, and the head of an empty table of processes."""
    return (
        f"CPU utilization for five seconds: {cpu_percent}%/{min(2, cpu_percent)}%; one minute: 9%; "
        "five minutes: 8%\n"
        " PID Runtime(ms)     Invoked      uSecs   5Sec   1Min   5Min TTY Process\n"
    )


def log_message(now: float, peer: str) -> str:
    """A log line as it falls between two lines of an answer."""
    time = f"{_moment(now):%b} {_moment(now).day:>2} {_moment(now):%H:%M:%S.%f}"[:-3]
    return f"*{time}: %CRYPTO-5-SESSION_STATUS: Crypto tunnel is DOWN.  Peer {peer}:500"


def show_version(
    hostname: str, dialect: Dialect, uptime: float, *, was_reloaded: bool = False
) -> str:
    """Enough of ``show version`` for a collector to learn platform, release and uptime (in seconds)."""
    software, image, hardware = _SOFTWARE[dialect]
    serial = sum((index + 1) * ord(letter) for index, letter in enumerate(hostname)) % 10000
    return (
        f"{software}\n"
        "Technical Support: http://www.cisco.com/techsupport\n"
        "\n"
        f"{hostname} uptime is {_uptime(uptime)}\n"
        f"System returned to ROM by {'reload' if was_reloaded else 'power-on'}\n"
        f'System image file is "{image}"\n'
        "\n"
        f"{hardware}\n"
        f"Processor board ID LAB0000{serial:04}\n"
        "\n"
        "Configuration register is 0x2102\n"
        "\n"
    )


def _moment(now: float) -> datetime:
    return EPOCH + timedelta(seconds=now)


def _day(now: float) -> str:
    moment = _moment(now)
    return f"{moment.day} {moment.year}"


def _uptime(seconds: float) -> str:
    minutes = int(seconds) // 60
    parts = (
        ("week", minutes // 10080),
        ("day", minutes // 1440 % 7),
        ("hour", minutes // 60 % 24),
        ("minute", minutes % 60),
    )
    words = [f"{count} {unit}{'' if count == 1 else 's'}" for unit, count in parts if count]
    return ", ".join(words) or "0 minutes"
