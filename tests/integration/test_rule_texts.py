from datetime import timedelta
from pathlib import Path

import numpy as np
from psycopg import Connection

from devices.kind import Kind
from devices.moments import micros
from devices.registry import Registry
from rules.packs import PACKS_FOLDER, load_packs
from storage import permit_store, rule_texts
from storage.permit_store import Permit
from storage.rule_texts import RuleText
from tests.integration.making import COVER_EAST, COVER_WEST, NOON, device_of

HOUR = timedelta(hours=1)


def test_a_rule_is_kept_as_its_pack_has_it_and_reads_the_same_again(
    connection: Connection, kinds: dict[str, Kind], tmp_path: Path
) -> None:
    rules = {rule.id: rule for rule in load_packs(kinds, PACKS_FOLDER)}
    rule_texts.keep(connection, rules.values(), NOON)
    rule_texts.keep(connection, rules.values(), NOON + HOUR)
    kept = {rule_id: rule_texts.find(connection, rule_id, rule.version) for rule_id, rule in rules.items()}
    texts = [each.text for each in kept.values() if each is not None]
    assert {each.loaded_at for each in kept.values() if each is not None} == {NOON}
    (tmp_path / "all.yaml").write_text("\n".join(texts), encoding="utf-8")
    again = {rule.id: rule.version for rule in load_packs(kinds, tmp_path)}
    assert again == {rule.id: rule.version for rule in rules.values()}


def test_a_version_that_was_never_in_force_is_not_there(connection: Connection) -> None:
    assert rule_texts.find(connection, "MH-01", "0123456789ab") is None
    assert RuleText("x", NOON) != rule_texts.find(connection, "MH-02", "x")


def test_rules_are_told_of_permits_for_as_long_as_they_are_in_force(connection: Connection, registry: Registry) -> None:
    for target, kind, start, hours in (
        (COVER_EAST, "night_work", NOON, 2),
        ("district:west", "night_work", NOON + 2 * HOUR, 1),
        ("city:all", "festival", NOON, 8),
    ):
        permit = Permit(
            kind=kind, target=target, valid_from=start, valid_to=start + hours * HOUR, holder="x", reason="y"
        )
        number, _ = permit_store.grant(connection, permit, at=NOON, actor="Li")
    permit_store.revoke(connection, number, at=NOON + HOUR, actor="Li", reason="rain")
    east, west = (device_of(registry, name).id for name in (COVER_EAST, COVER_WEST))
    spells = permit_store.spells(connection, NOON)

    def permitted(kind: str, device: int, hours: float) -> bool:
        at = np.array([micros(NOON + hours * HOUR)])
        return bool(spells.touch(kind, np.array([device]), at, at)[0])

    assert [permitted("night_work", east, hours) for hours in (-0.1, 0, 1.9, 2)] == [False, True, True, False]
    assert [permitted("night_work", west, hours) for hours in (1.9, 2, 2.9, 3)] == [False, True, True, False]
    assert [permitted("festival", west, hours) for hours in (0, 0.9, 1)] == [True, True, False]
    assert not permit_store.spells(connection, NOON + 4 * HOUR).touch(
        "night_work", np.array([east]), np.array([micros(NOON)]), np.array([micros(NOON)])
    )[0]
