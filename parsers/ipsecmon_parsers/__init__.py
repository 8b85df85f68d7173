"""Reads the IPsec show commands of Cisco devices: text in, typed records out."""
