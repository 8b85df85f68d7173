"""The configuration file: typed, complete with its defaults, or refused with every mistake in it.

    config = load_config(Path("ipsecmon.yml"))
    for device in config.devices:
        print(device.name, config.timing(device).interval)

One way through the folder: ``loading`` reads the file and calls ``document`` (YAML to values that know their lines),
then ``checking`` (values to ``models``, errors in words). ``readings`` knows the form of each single value.
"""

from __future__ import annotations

from ipsecmon.config.loading import load_config
from ipsecmon.config.mistakes import ConfigError, Mistake, has_controls
from ipsecmon.config.models import (
    Config,
    Credential,
    Device,
    HistoryFile,
    HostKeys,
    Metrics,
    Poll,
    RetentionLimits,
    Tunnel,
    Vault,
    Web,
)
from ipsecmon.config.readings import HostKeyCheck, Listen, Tier
from ipsecmon.config.secret import HIDDEN, Secret
from ipsecmon.config.secret_sources import (
    FromCommand,
    FromEnvironment,
    FromFile,
    FromKeyring,
    FromSystemd,
    FromVault,
    Reference,
    Source,
)
from ipsecmon.config.settings import (
    Limits,
    Plan,
    PollTier,
    Settings,
    SshProfile,
    Timing,
    Transport,
)

__all__ = [
    "HIDDEN",
    "Config",
    "ConfigError",
    "Credential",
    "Device",
    "FromCommand",
    "FromEnvironment",
    "FromFile",
    "FromKeyring",
    "FromSystemd",
    "FromVault",
    "HistoryFile",
    "HostKeyCheck",
    "HostKeys",
    "Limits",
    "Listen",
    "Metrics",
    "Mistake",
    "Plan",
    "Poll",
    "PollTier",
    "Reference",
    "RetentionLimits",
    "Secret",
    "Settings",
    "Source",
    "SshProfile",
    "Tier",
    "Timing",
    "Transport",
    "Tunnel",
    "Vault",
    "Web",
    "has_controls",
    "load_config",
]
