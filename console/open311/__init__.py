"""Open311 GeoReport v2: what citizens' apps and hotlines report, and what became of it."""
