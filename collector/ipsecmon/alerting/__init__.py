"""Recording rules and alerts, made from one table of thresholds.

    thresholds.py   every number a rule compares with, once; `ipsecmon rules --set` changes them
    timescale.py    durations and rates, also for an emulated network that lives faster than the clock

`dashboards/rules/` holds what comes out with the thresholds as they are here.
"""
