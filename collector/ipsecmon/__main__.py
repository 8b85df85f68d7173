"""``python -m ipsecmon`` is ``ipsecmon``."""

from ipsecmon.cli import main

main()
