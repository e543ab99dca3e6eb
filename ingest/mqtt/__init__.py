"""MQTT 3.1.1 and 5 for a subscriber, as bytes and decisions: what to send, what arrived, what that means.

Pure: bytes and times go in, bytes and messages come out.
Does not: open sockets, read clocks, wait, publish, take QoS 2, remember what it was not told to acknowledge.
"""
