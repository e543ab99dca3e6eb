"""What devices measure, given the city and their faults: one module a kind, each a pure function of columns.

Every number follows from the seed, the device and the time alone, so readings may be made in any portions.
Does not: know a rule, a topic, a payload, or who reports when.
"""
