"""From PUBLISH to a committed batch to PUBACK.

Does not: decide what counts as wrong, write SQL, buffer anything outside the broker.
"""
