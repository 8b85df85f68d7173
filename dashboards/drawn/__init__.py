"""The dashboards as pictures, for whoever has no Grafana at hand.

    asking.py      the panels' real queries, sent to a real Prometheus
    showing.py     values as Grafana writes them: units, words for values, colours by thresholds
    drawing.py     panels on a dark ground, close to how Grafana draws them

They are drawn from the committed JSON, never from the Python it was built from, and they are no proof that Grafana shows it so.
"""
