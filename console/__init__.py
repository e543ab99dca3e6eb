"""The web: dispatch desk, crew pages, and the API that other systems use.

Does not: decide. What may happen to a case or an alarm is said by their life cycles; who may do it, by ``access``.
"""
