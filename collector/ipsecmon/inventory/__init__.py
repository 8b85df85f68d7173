"""Where devices come from: files, Prometheus' service discovery, Nornir's inventory plugins; and when they are asked again.

    inventory = Inventory(Path("ipsecmon.yml"))
    collected = inventory.collect()
    print(collected.config.devices, collected.left_out)

The files are checked as one configuration and refused as a whole. The other sources are asked one by one: what one of
them says of a single host that cannot be used leaves out this host, and one that fails keeps its last good devices.
"""

from __future__ import annotations

from ipsecmon.inventory.collecting import Collected, Inventory
from ipsecmon.inventory.hosts import FoundHost, LeftOut, SourceFailed
from ipsecmon.inventory.watching import ReloadHealth, Watcher

__all__ = [
    "Collected",
    "FoundHost",
    "Inventory",
    "LeftOut",
    "ReloadHealth",
    "SourceFailed",
    "Watcher",
]
