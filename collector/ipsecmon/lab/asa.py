"""The shell of an emulated ASA: what differs from the exec of IOS in ``ios.py``.

    ciscoasa> enable
    Password: **********
    ciscoasa# terminal pager 0
    ciscoasa# terminal width 511
              ^
    ERROR: % Invalid input detected at '^' marker.
    ciscoasa#

There is no configuration mode: a collector never needs it. ``terminal width``, which an ASA takes there only, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ipsecmon.lab.commands import Ambiguous, Command, Incomplete, Invalid
from ipsecmon.lab.faults import Faults
from ipsecmon.lab.ios import Shell, Show
from ipsecmon.lab.network import Network
from ipsecmon.lab.shows import show as show_command

__all__ = ["AsaShell", "shell_of"]

_EXEC: Final = (
    "enable",
    "exit",
    "logout",
    "quit",
    "show curpriv",
    "show version",
)
_PRIVILEGED: Final = (
    "clear crypto ipsec sa",
    "clear crypto ipsec sa counters",
    "clear crypto ipsec sa peer <address>",
    "clear crypto isakmp sa",
    "disable",
    "show clock",
    "show cpu usage",
    "show crypto ikev1 sa",
    "show crypto ikev2 sa",
    "show crypto ipsec sa",
    "show crypto isakmp sa",
    "show running-config all crypto ipsec",
    "show running-config all crypto map",
    "terminal pager <0-512>",
)
_COMMANDS: Final = (
    *(Command(tuple(text.split()), 1) for text in _EXEC),
    *(Command(tuple(text.split()), 15) for text in _PRIVILEGED),
)


class AsaShell(Shell):
    """One terminal session on one ASA. Show commands about tunnels take ``enable``."""

    more = b"<--- More --->"
    # back to the first column, blanks over the whole of it, and back again
    erase_more = b"\r" + b" " * 14 + b"\r"
    paging_command = "terminal pager"
    authorization_failed = "Command authorization failed\n"
    bad_secrets = "Access denied.\n"

    @property
    def prompt(self) -> str:
        """``ciscoasa> ``, or ``ciscoasa# `` when privileged: a blank follows."""
        return f"{super().prompt} "

    def _greeting(self) -> str:
        return (
            f"User {self._router.username} logged in to {self._router.name}\n"
            "Logins over the last 1 days: 1.  \n"
            "Failed logins since the last login: 0.  \n"
            "Type help or '?' for a list of available commands.\n"
        )

    def _commands(self) -> Sequence[Command]:
        return _COMMANDS

    def _print_mistake(self, found: Invalid | Ambiguous | Incomplete, line: str) -> None:
        match found:
            case Invalid(column=column):
                self._print_invalid(column)
            case Ambiguous():
                self._print(f'ERROR: % Ambiguous command:  "{line.strip()}"\n')
            case Incomplete():
                self._print("ERROR: % Incomplete command\n")

    def _print_invalid(self, column: int) -> None:
        marker = " " * (len(self.prompt) + column) + "^"
        self._print(f"{marker}\nERROR: % Invalid input detected at '^' marker.\n")

    def _change(self, name: str, arguments: tuple[str, ...]) -> None:
        router = self._router.name
        match name:
            case "terminal pager <0-512>":
                self._length = int(arguments[0])
            case "clear crypto ipsec sa":
                self._network.clear_sa(router)
            case "clear crypto ipsec sa peer <address>":
                self._network.clear_sa(router, arguments[0])
            case "clear crypto ipsec sa counters":
                self._network.clear_sa_counters(router)
            case "clear crypto isakmp sa":
                self._network.clear_session(router)
            case _:
                super()._change(name, arguments)


def shell_of(
    network: Network,
    router: str,
    *,
    clock: Callable[[], float],
    faults: Callable[[], Faults] = Faults,
    show: Show = show_command,
    on_line: Callable[[str], object] | None = None,
) -> Shell:
    """A terminal session on a router or an ASA, whichever it is."""
    kind = AsaShell if network.router(router).dialect == "asa-9" else Shell
    return kind(network, router, clock=clock, faults=faults, show=show, on_line=on_line)
