"""The composition root: settings, clock, wiring, processes, the command line.

Does not: know what is wrong with a manhole cover, or how anything is stored.
"""
