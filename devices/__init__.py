"""What is out there and how it talks: kinds, topics, payloads, the registry.

Does not: open a socket or a database, know what counts as wrong, read a clock.
"""
