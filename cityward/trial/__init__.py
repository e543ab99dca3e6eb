"""A trial of the whole: a scenario against the real processes, on a clock that waits for them, and what came of it."""
