"""ipsecmon: watches site-to-site IPsec tunnels on Cisco routers and firewalls through their show commands."""

__version__ = "0.1.0"
