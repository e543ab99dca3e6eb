"""Telling people: messages about cases, the channels that carry them, and the delivery that does not give up.

Whoever moves a case writes a notification and its job in the same commit (the outbox); delivery happens later
and elsewhere, channel by channel.
Does not: decide who is told what, move cases, speak SQL (``storage`` implements
``outbox.NotificationStore``).
"""
