"""The configuration file: typed, complete with its defaults, or refused with every mistake in it.

    config = load_config(Path("ipsecmon.yml"))
    for device in config.devices:
        print(device.name, config.settings(device).timing.interval)

One way through the folder: ``loading`` reads the file and calls ``document`` (YAML to values that know their lines),
then ``checking`` (values to ``models``, errors in words). ``readings`` knows the form of each single value.
"""

from __future__ import annotations

from ipsecmon.config.changes import Changes
from ipsecmon.config.checking import DeviceReader, DeviceRefused
from ipsecmon.config.loading import LoadedConfig, load_config, load_with_files
from ipsecmon.config.mistakes import ConfigError, Mistake, has_controls
from ipsecmon.config.models import (
    Config,
    Credential,
    Defaults,
    Device,
    Group,
    HistoryFile,
    HostKeys,
    Jump,
    Metrics,
    Poll,
    PollingPlan,
    RetentionLimits,
    Source,
    Ssh,
    Tunnel,
    Vault,
    Web,
)
from ipsecmon.config.readings import HostKeyCheck, Listen, Tier, duration_text
from ipsecmon.config.secret import HIDDEN, Secret
from ipsecmon.config.secret_sources import (
    AnySource,
    FromCommand,
    FromEnvironment,
    FromFile,
    FromKeyring,
    FromSystemd,
    FromVault,
    Reference,
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
    "AnySource",
    "Changes",
    "Config",
    "ConfigError",
    "Credential",
    "Defaults",
    "Device",
    "DeviceReader",
    "DeviceRefused",
    "FromCommand",
    "FromEnvironment",
    "FromFile",
    "FromKeyring",
    "FromSystemd",
    "FromVault",
    "Group",
    "HistoryFile",
    "HostKeyCheck",
    "HostKeys",
    "Jump",
    "Limits",
    "Listen",
    "LoadedConfig",
    "Metrics",
    "Mistake",
    "Plan",
    "Poll",
    "PollTier",
    "PollingPlan",
    "Reference",
    "RetentionLimits",
    "Secret",
    "Settings",
    "Source",
    "Ssh",
    "SshProfile",
    "Tier",
    "Timing",
    "Transport",
    "Tunnel",
    "Vault",
    "Web",
    "duration_text",
    "has_controls",
    "load_config",
    "load_with_files",
]
