"""Conversion into types by several threads that are the first at once, in a process that it would end."""

import subprocess
import sys

_FIRST_AT_ONCE = """
import sys, threading
import msgspec
from devices.shapes import convert

sys.setswitchinterval(1e-6)
for _ in range(100):
    inner = [msgspec.defstruct(f"Inner{i}", [(f"field{j}", int | None, None) for j in range(8)]) for i in range(8)]
    outer = msgspec.defstruct("Outer", [(f"inner{i}", list[inner[i]] | None, None) for i in range(8)])
    start, made = threading.Barrier(4), []
    def first():
        start.wait()
        made.append(convert({"inner7": [{"field3": 1}]}, outer).inner7[0].field3)
    threads = [threading.Thread(target=first) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert made == [1] * 4, made
"""


def test_threads_that_are_the_first_at_once_end_no_process() -> None:
    ended = subprocess.run([sys.executable, "-c", _FIRST_AT_ONCE], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
