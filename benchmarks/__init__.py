"""Proof and measure: everything that runs is killed under load and the books are checked; and what it costs.

Starts servers and processes of its own, real ones, on the loopback address, and ends those only.

Does not: touch a broker or a database that was there before.
"""
