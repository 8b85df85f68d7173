"""Follows one reference to a secret, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipsecmon.config import (
    FromCommand,
    FromEnvironment,
    FromFile,
    FromKeyring,
    FromSystemd,
    FromVault,
    Reference,
    Secret,
)
from ipsecmon.credentials.commands import from_command
from ipsecmon.credentials.problems import Problem
from ipsecmon.credentials.sources import (
    from_environment,
    from_file,
    from_keyring,
    from_systemd,
)

__all__ = ["look_up"]


def look_up(
    reference: Reference,
    environ: Mapping[str, str],
    in_vault: Callable[[FromVault], Secret | Problem],
) -> Secret | Problem:
    """The secret as it is now; ``in_vault`` looks into Vault, which takes a login."""
    match reference:
        case FromEnvironment():
            return from_environment(reference.env, environ)
        case FromFile():
            return from_file(reference.file)
        case FromSystemd():
            return from_systemd(reference.name, environ)
        case FromCommand():
            return from_command(reference.command, environ)
        case FromKeyring():
            return from_keyring(reference.service, reference.username)
        case FromVault():
            return in_vault(reference)
