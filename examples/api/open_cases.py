"""Lists open cases, page by page: python open_cases.py FILE_WITH_TOKEN."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

TOKEN = Path(sys.argv[1]).read_text(encoding="utf-8").strip()
DESK = os.environ.get("CITYWARD_DESK", "http://127.0.0.1:8080")


def everything(client: httpx.Client, path: str) -> Iterator[dict[str, Any]]:
    """All that a list has; a cursor leaves out and repeats nothing while others work."""
    asked: dict[str, Any] = {"limit": 100}
    while asked.get("cursor", "the first") is not None:
        page = client.get(path, params=asked).raise_for_status().json()
        yield from page["items"]
        asked["cursor"] = page["next"]


with httpx.Client(base_url=DESK, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
    for case in everything(client, "/api/v1/cases"):
        print(case["number"], case["problem"], "at", case["facility"], "for", case["unit"], case["state"])
