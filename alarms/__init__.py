"""The memory of what is wrong, after ISA-18.2: one open alarm per rule and device.

Does not: decide whether a reading is wrong, open cases, tell anybody.
"""
