"""What counts as wrong: rule packs, expressions, the engine. Pure.

Does not: read a clock or a table, remember what an operator did, open cases, or know SQL and MQTT.
"""
