"""Payload formats, one module each: bytes to readings or to a reason why not.

Does not: know topics, devices or the time of day.
"""
