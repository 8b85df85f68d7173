"""Recording rules and alerts, made from one table of thresholds.

    thresholds.py     every number a rule compares with, once
    settings.py       reads changes of them: `ipsecmon rules --set`
    timescale.py      durations and rates, also for an emulated network that lives faster than the clock
    rules.py          what a rule is, and what every alert carries
    tunnel_rules.py  device_rules.py  monitor_rules.py  record_rules.py     the rules by what they are about
    rule_file.py      the file Prometheus loads, and the table of alerts for a reader

`dashboards/rules/` holds what comes out with the thresholds as they are here.
"""
