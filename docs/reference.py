"""Writes the reference pages from what they describe: settings, commands, metrics, tables.

python docs/reference.py    # a test says when a page is stale
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from typer.core import TyperGroup
from typer.main import get_command

from cityward import embedded
from cityward.cli import app
from cityward.metrics import ConsoleMetrics, DispatcherMetrics, Metrics
from cityward.settings import ClockSettings, Settings
from devices.kind import load_kinds
from storage.connection import Connection, connect
from storage.migrate import migrate

_MADE = "Made by `python docs/reference.py`: mend what it describes, not this page."
# Libraries' own tables; roll-ups have a column for each measure of each kind and are told of in storage.md.
_APART = r"^(_yoyo_|yoyo_|procrastinate_|rollup_(hour|day|minute)_)"
_RELATIONS = """
    SELECT relation.relname::text, relation.relkind = 'v', coalesce(obj_description(relation.oid, 'pg_class'), '')
    FROM pg_class AS relation
    WHERE relation.relnamespace = 'public'::regnamespace AND relation.relkind IN ('r', 'p', 'v')
        AND relation.relname !~ %(apart)s
    ORDER BY relation.relname COLLATE "C"
"""
_COLUMNS = """
    SELECT attname::text, format_type(atttypid, atttypmod), coalesce(col_description(attrelid, attnum), '')
    FROM pg_attribute
    WHERE attrelid = %(relation)s::regclass AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum
"""


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _value(default: object) -> str:
    if default is PydanticUndefined or default is None or default in ("", {}, []):
        return ""
    if isinstance(default, SecretStr):
        return ""
    return f"`{default.value if hasattr(default, 'value') else default}`"


def settings() -> str:
    """Every setting with its default and meaning."""
    lines = [
        "# Settings",
        "",
        f"{_MADE} In `cityward.toml` by these names,",
        "in the environment as `CITYWARD_<NAME>`, which wins; a part of `clock` as `CITYWARD_CLOCK__FACTOR`.",
        "`cityward settings` shows those in force, `cityward settings --toml` writes a file to start from.",
        "",
        "| setting | default | meaning |",
        "|---|---|---|",
    ]
    fields = {name: field for name, field in Settings.model_fields.items() if name != "clock"}
    fields |= {f"clock.{name}": field for name, field in ClockSettings.model_fields.items()}
    lines += [f"| `{name}` | {_value(each.default)} | {_cell(each.description)} |" for name, each in fields.items()]
    return "\n".join(lines) + "\n"


def _explained(command: object, words: tuple[str, ...]) -> Iterator[str]:
    """A command and those below it."""
    if command.hidden:
        return
    yield f"\n## {' '.join(words)}\n"
    yield (command.help or "").strip()
    context = command.context_class(command, info_name=" ".join(words))
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _explained(inner, (*words, name))
        return
    records = [record for each in command.params if (record := each.get_help_record(context))]
    if records:
        yield ""
    for name, text in records:
        yield f"- `{name}`: {' '.join(text.split())}"


def commands() -> str:
    """Every command with its arguments and options."""
    head = f"# Commands\n\n{_MADE} At the prompt `--help` says the same."
    return "\n".join([head, *_explained(get_command(app), ("cityward",))]) + "\n"


def metrics() -> str:
    """Every metric of every process."""
    lines = [
        "# Metrics",
        "",
        _MADE,
        "Served for Prometheus on `metrics_port`; [operations.md](operations.md) says what to watch.",
        "",
        "| metric | type | labels | of | meaning |",
        "|---|---|---|---|---|",
    ]
    registries: dict[str, CollectorRegistry] = {
        "collector": Metrics.create().registry,
        "dispatcher": DispatcherMetrics.create().registry,
        "console": ConsoleMetrics.create().registry,
    }
    for process, registry in registries.items():
        for collector in registry._collector_to_names:  # noqa: SLF001 - nothing public names what has no value yet
            for each in collector.describe():
                name = f"{each.name}_total" if each.type == "counter" else each.name
                labels = ", ".join(getattr(collector, "_labelnames", ()))
                lines.append(f"| `{name}` | {each.type} | {labels} | {process} | {_cell(each.documentation)} |")
    return "\n".join(lines) + "\n"


def tables(connection: Connection) -> str:
    """Tables with their columns, views with what they say."""
    found = connection.execute(_RELATIONS, {"apart": _APART}).fetchall()
    lines = [
        "# Tables and views",
        "",
        f"{_MADE} What stands here is in the database too: `\\d+ NAME` in psql.",
        "Ask views: tables may change. [storage.md](storage.md) explains roll-ups and figures, and who may read what.",
        "",
        "## Views",
        "",
        "| view | what it says |",
        "|---|---|",
    ]
    lines += [f"| `{name}` | {_cell(says)} |" for name, is_view, says in found if is_view]
    for name, is_view, says in found:
        if is_view:
            continue
        lines += ["", f"## {name}", "", *([says, ""] if says else []), "| column | type | |", "|---|---|---|"]
        for column, kind, meaning in connection.execute(_COLUMNS, {"relation": name}).fetchall():
            lines.append(f"| `{column}` | {kind} | {_cell(meaning)} |")
    return "\n".join(lines) + "\n"


def write() -> None:
    """All pages."""
    pages: dict[str, Callable[[], str]] = {"settings": settings, "commands": commands, "metrics": metrics}
    folder = Path(__file__).parent
    for name, page in pages.items():
        (folder / f"reference-{name}.md").write_text(page(), encoding="utf-8")
    with tempfile.TemporaryDirectory() as temporary, embedded.database(Path(temporary)) as url:
        migrate(url, load_kinds(), lambda _step: None)
        with connect(url) as connection:
            (folder / "reference-tables.md").write_text(tables(connection), encoding="utf-8")


if __name__ == "__main__":
    write()
