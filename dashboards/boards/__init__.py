"""The four Grafana dashboards as Python, from which `dashboards/build.py` writes their JSON.

panels.py      panels, columns, thresholds and colours, over Grafana's foundation SDK
variables.py   the variables that choose data source, site, device and tunnel, and the links that carry them
layout.py      rows and panels placed on the grid, and the whole as JSON
firing.py      the table of firing alerts
fleet.py, device.py, tunnel.py, collector.py   one dashboard each
files.py       all of them as files
queries.py     what a dashboard asks, read back from its JSON
"""
