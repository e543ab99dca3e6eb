"""Bringing the boards to a Grafana that is there: what differs, and making it the same.

Grafana keeps a dashboard as it was sent and adds ``id`` and ``version``; whatever else differs was changed by somebody.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from cases.words import Language
from devices.errors import Permanent

BOARDS_FOLDER = Path(__file__).parent / "dashboards"
OLDEST = (11, 0)  # the schema of the boards is that of Grafana 11
TIMEOUT = 30.0  # seconds
SOURCE_UID = "cityward"  # of the data source, in provisioning and in every board
_THEIRS = ("id", "version")
_FOLDERS = {Language.EN: ("cityward-en", "Cityward"), Language.ZH: ("cityward-zh", "Cityward 城市设施")}


class GrafanaError(Permanent):
    """Grafana cannot be used as asked; the message says what to do."""


class Fate(StrEnum):
    """What a push does, or would do, to a dashboard."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One dashboard beside the one that is there; ``lines`` is a unified diff from theirs to ours."""

    uid: str
    title: str
    fate: Fate
    lines: tuple[str, ...]


def committed(language: Language, source: str = SOURCE_UID) -> list[dict[str, Any]]:
    """The boards of a language as they are in the distribution, asking the data source with this uid."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((BOARDS_FOLDER / language).glob("*.json"))]
    return [json.loads(text, object_hook=partial(_asking, source)) for text in texts]


def _asking(source: str, part: dict[str, Any]) -> dict[str, Any]:
    return {**part, "uid": source} if part.get("uid") == SOURCE_UID and "type" in part else part


def compare(ours: Mapping[str, Any], theirs: Mapping[str, Any] | None) -> Outcome:
    """What a push would do. Pure."""
    uid, title = str(ours["uid"]), str(ours["title"])
    if theirs is None:
        return Outcome(uid, title, Fate.CREATED, ())
    old, new = _lines(theirs), _lines(ours)
    if old == new:
        return Outcome(uid, title, Fate.UNCHANGED, ())
    return Outcome(uid, title, Fate.CHANGED, tuple(unified_diff(old, new, "in Grafana", "here", lineterm="", n=2)))


def _lines(board: Mapping[str, Any]) -> list[str]:
    kept = {name: value for name, value in board.items() if name not in _THEIRS}
    return json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True).splitlines()


class Grafana:
    """A Grafana at an address, used with a service account's token.

    Raises:
        GrafanaError: from every method, if Grafana does not answer, refuses, or is too old.
    """

    def __init__(self, url: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._url = url.rstrip("/")
        self._http = httpx.Client(base_url=self._url, headers=headers, timeout=TIMEOUT, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def check(self, source: str) -> None:
        """That it is new enough, takes our token, and has the data source with this uid."""
        health = self._ask("GET", "/api/health") or {}
        version = str(health.get("version", ""))
        if _numbers(version) < OLDEST:
            raise GrafanaError(
                f"{self._url}: Grafana {version or '?'} is too old; the boards need {OLDEST[0]} or newer"
            )
        if self._ask("GET", f"/api/datasources/uid/{source}") is None:
            raise GrafanaError(
                f"{self._url}: no data source with the uid {source!r}. Provision grafana/provisioning, or create a "
                "PostgreSQL data source with that uid, or name yours with --source"
            )

    def folder(self, language: Language, uid: str) -> str:
        """The folder with this uid; empty: our own for the language, made if it is not there."""
        own, title = _FOLDERS[language]
        if self._ask("GET", f"/api/folders/{uid or own}") is not None:
            return uid or own
        if uid:
            raise GrafanaError(f"{self._url}: no folder with the uid {uid!r}; create it, or leave --folder out")
        self._ask("POST", "/api/folders", {"uid": own, "title": title})
        return own

    def compared(self, boards: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Outcome]]:
        """Each board beside the one that is there."""
        for ours in boards:
            found = self._ask("GET", f"/api/dashboards/uid/{ours['uid']}")
            yield ours, compare(ours, None if found is None else found["dashboard"])

    def save(self, board: Mapping[str, Any], folder: str) -> None:
        """Put a board there, over what is there."""
        body = {"dashboard": {**board, "id": None}, "folderUid": folder, "overwrite": True, "message": "cityward"}
        self._ask("POST", "/api/dashboards/db", body)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """The answer; None for 404."""
        try:
            answer = self._http.request(method, path, json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise GrafanaError(
                f"{self._url}: no answer: {error or type(error).__name__}; is the address right?"
            ) from error
        if answer.status_code == httpx.codes.NOT_FOUND and method == "GET":
            return None
        if answer.is_success:
            return _document(answer, self._url)
        raise GrafanaError(f"{self._url}: {_refusal(answer, method, path)}")


def _document(answer: httpx.Response, url: str) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise GrafanaError(f"{url}: this does not answer as Grafana does; is it the address of Grafana itself?")
    return document


def _refusal(answer: httpx.Response, method: str, path: str) -> str:
    match answer.status_code:
        case httpx.codes.UNAUTHORIZED:
            return (
                "the token is not accepted; make one under Administration, Service accounts, with the role Editor, "
                "and set grafana_token"
            )
        case httpx.codes.FORBIDDEN:
            return f"the token may not do this ({method} {path}); its service account needs the role Editor"
        case _:
            return f"{method} {path} was answered with {answer.status_code}: {answer.text[:300]}"


def _numbers(version: str) -> tuple[int, ...]:
    words = version.split("-", maxsplit=1)[0].split(".")[:2]
    return tuple(int(word) if word.isdigit() else 0 for word in words)
