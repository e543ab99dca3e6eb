"""What a device measures at a time, given its faults: one module a kind, each a pure function.

Does not: know a limit that something is judged by, a topic, a payload, a schedule beyond that of vehicles.
"""
