"""``python -m cityward``."""

from cityward.cli import main

main()
