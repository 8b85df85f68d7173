"""``python -m ipsecmon`` is ``ipsecmon``."""

from ipsecmon.cli import entry

entry()
