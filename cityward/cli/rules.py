"""Commands about rules."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cases import supervision, supervision_testing
from cases.supervision_testing import CaseOutcome
from cityward import wiring
from cityward.cli.context import CommandError, database, head, heads, load_settings, out, table
from cityward.showing import many
from devices.errors import Retryable
from devices.kind import Kind
from rules.catalogue import catalogue, described
from rules.packs import PACKS_FOLDER
from rules.rule import Rule
from rules.testing import Outcome, read_tests, run_packs
from storage.errors import NotMigratedError
from storage.rule_states import Benched, benched

rules_app = typer.Typer(no_args_is_help=True)
_OF_CASES = "supervision"  # the tests of the rule that looks at cases
_HEAD = """\
# The rules

What `cityward rules catalogue` says of the packs that come along. Figures without a standard are project defaults, and
those marked unverified were not read in the standard itself: nothing here is a statement of conformity. Limits are
overridable by device, deadlines by city.
"""


@rules_app.command("check")
def check(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of packs; without it those in force.", show_default=False)
    ] = None,
) -> None:
    """Read rule packs and say everything that is wrong with them, by file, line and rule."""
    settings = load_settings()
    kinds = wiring.kinds(settings)
    rules = wiring.rules(settings, kinds, folder)
    out.print(f"{many(len(rules), 'rule')}, nothing wrong.")


@rules_app.command("list")
def list_rules() -> None:
    """The rules in force, and where there is a database those that are benched because they crashed."""
    settings = load_settings()
    rows = [
        (rule.id, rule.kind, str(rule.input), rule.names[settings.language], rule.severity.name.lower(),
         rule.case.problem, rule.case.arrive or "-", rule.case.fix, rule.version)
        for rule in wiring.rules(settings, wiring.kinds(settings))
    ]  # fmt: skip
    rows.append((supervision.RULE_ID, "-", "case", supervision.NAMES[settings.language], "-", "-", "-", "-", "-"))
    language = settings.language
    headings = heads(language, "rule", "kind", "input", "name", "severity", "problem", "arrive", "fix", "version")
    least = heads(language, "version", "kind", "input", "arrive")
    out.print(table(head(language, "rules", count=len(rows)), headings, rows, least=least, language=language))
    if settings.database_url:
        try:
            with database(settings) as connection:
                off = benched(connection)
        except (Retryable, NotMigratedError):  # packs can be looked at without the city's database
            return
        if off:
            out.print(benched_table(off))


def benched_table(off: Sequence[Benched]) -> Table:
    """Rules that crashed; a changed pack or a new start tries them again."""
    rows = [(each.rule_id, each.holder, f"{each.at:%Y-%m-%d %H:%M:%S} UTC", each.detail) for each in off]
    return table("Benched rules, until their pack changes", ["rule", "by", "since", "because"], rows)


@rules_app.command("show")
def show(rule_id: Annotated[str, typer.Argument(metavar="RULE", help="Its id, such as MH-01.")]) -> None:
    """A rule in words: what it judges, when it raises and clears, what follows, limits, sources, and its tests."""
    settings = load_settings()
    kinds = wiring.kinds(settings)
    rules = {rule.id: rule for rule in wiring.rules(settings, kinds)}
    if rule_id == supervision.RULE_ID:
        tests_of_cases = supervision_testing.run_tests()[0]
        out.print(_of_cases())
        out.print("\n".join([f"{many(len(tests_of_cases), 'test')}:", *(f"- {test.name}" for test in tests_of_cases)]))
        return
    if rule_id not in rules:
        raise CommandError(f"no rule {rule_id!r}; there are {', '.join([*rules, supervision.RULE_ID])}")
    rule = rules[rule_id]
    out.print("\n".join(described(rule, kinds[rule.kind])))
    tests = [test for test in read_tests(kinds, settings.packs_dir or PACKS_FOLDER) if test.rule.id == rule_id]
    out.print("\n".join(["", f"{many(len(tests), 'test')}:", *(f"- {test.name} ({test.where})" for test in tests)]))


@rules_app.command("catalogue")
def print_catalogue() -> None:
    """All rules in force in words, as a page of Markdown."""
    settings = load_settings()
    kinds = wiring.kinds(settings)
    out.print(page(wiring.rules(settings, kinds), kinds), soft_wrap=True, end="")


def page(rules: Sequence[Rule], kinds: Mapping[str, Kind]) -> str:
    """The catalogue with the one rule that looks at cases."""
    return f"{_HEAD}\n{catalogue(rules, kinds)}\n## Cases 案件\n\n{_of_cases()}"


def _of_cases() -> str:
    return (
        f"### {supervision.RULE_ID} {supervision.NAMES['en']} {supervision.NAMES['zh']}\n\n"
        "- judges each case by the clock\n"
        "- white when 80 % of the time to fix is used; yellow when a deadline has passed or a check has failed; "
        "red when as much time again has passed, a second check has failed, or nobody takes on what endangers life\n"
        f"- source: {supervision.SOURCE}\n"
    )


@rules_app.command("test")
def run_tests(
    packs: Annotated[
        list[str] | None,
        typer.Argument(
            help="A pack, such as manhole or my/packs/manhole.yaml, or a folder of them, or supervision: the colours "
            "of cases; without any those in force and supervision.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the tests that stand beside packs, and say which cases are not tested.

    The tests of manhole.yaml stand in manhole.tests.yaml. Every rule needs a test in which it raises, one in which it
    does not and one in which it clears; with a delay, one with a gap in the readings too.
    """
    settings = load_settings()
    kinds = wiring.kinds(settings)
    in_force = settings.packs_dir or PACKS_FOLDER
    outcomes: list[Outcome] = []
    lacking: list[str] = []
    of_cases: list[CaseOutcome] = []
    if not packs or _OF_CASES in packs:
        of_cases, lacking = supervision_testing.run_tests()
    for path in [_pack(name, in_force) for name in packs or () if name != _OF_CASES] or ([] if packs else [in_force]):
        found, uncovered = _run(path, kinds)
        outcomes += found
        lacking += uncovered
    tests = [*(each.problems for each in outcomes), *(each.problems for each in of_cases)]
    problems = [*(problem for each in tests for problem in each), *lacking]
    if problems:
        failed = sum(bool(each) for each in tests)
        raise CommandError("\n".join([*problems, f"{failed} of {len(tests)} tests fail, {len(lacking)} are missing"]))
    rules = {outcome.test.rule.id for outcome in outcomes} | ({supervision.RULE_ID} if of_cases else set())
    out.print(f"{many(len(tests), 'test')} of {many(len(rules), 'rule')}, nothing wrong.")


def _pack(name: str, in_force: Path) -> Path:
    for path in (Path(name), in_force / f"{name}.yaml"):
        if path.exists():
            return path
    raise CommandError(f"no pack {name!r}: neither a file, nor a folder, nor in {in_force}")


def _run(path: Path, kinds: Mapping[str, Kind]) -> tuple[list[Outcome], list[str]]:
    return run_packs(kinds, path) if path.is_dir() else run_packs(kinds, path.parent, [path])
