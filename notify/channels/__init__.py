"""The channels, one a module: each takes a notification, returns when the receiver has it, else says why not.

Does not: retry (delivery does), choose who is told.
"""
