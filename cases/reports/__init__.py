"""What a bureau wants on paper: weekly list, monthly bulletin, quarterly scores, watch list, ledger.

Builders take what was read and return a ``Report``; ``files`` makes CSV, XLSX and JSON of it.

Does not: read a database or a clock, know a terminal or a browser.
"""
