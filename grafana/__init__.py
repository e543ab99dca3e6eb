"""The boards of the operations centre: Grafana dashboards as typed code, the JSON made of it, and bringing it there.

Does not: keep figures of its own. Every panel asks the views that ``storage`` makes, as a role that may read nothing
else; thresholds are the limits and targets that the rules use.
"""
