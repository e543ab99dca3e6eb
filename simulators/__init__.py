"""The pretend city: its devices, what they measure, what goes wrong with them, and their MQTT traffic.

Does not: know how it is judged or stored, read a clock, wait for anything outside ``publish``.
"""
