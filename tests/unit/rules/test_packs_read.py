"""What a sound pack says is what the rule has."""

from collections.abc import Callable, Mapping, Sequence

from rules.rule import AT_ONCE, Hold, Input, Rule, Severity

MINUTE = 60_000_000


def test_a_rule_is_read_as_it_is_written(rule_of: Callable[..., Rule]) -> None:
    rule = rule_of(
        "raise: [{when: tilt > 15, for: {samples: 2, or: 30s}, severity: major}, {when: tilt > 90}]",
        "severity: {critical: tilt > 90, default: notice, minor: tilt > 20}",
        "clear: tilt < 5",
        "clear_for: {samples: 3, or: 10m}",
        "max_gap: 1h",
    )
    assert [branch.hold for branch in rule.branches] == [Hold(samples=2, duration=MINUTE // 2), AT_ONCE]
    assert [branch.severity for branch in rule.branches] == [Severity.MAJOR, None]
    assert [branch.when.text for branch in rule.branches if branch.when] == ["tilt > 15", "tilt > 90"]
    assert rule.severity is Severity.NOTICE
    assert [severity for severity, _ in rule.severity_when] == [Severity.CRITICAL, Severity.MINOR]
    assert rule.clear is not None
    assert rule.clear_hold == Hold(samples=3, duration=10 * MINUTE)
    assert rule.max_gap == 60 * MINUTE


def test_a_silence_rule_needs_no_condition(rule_of: Callable[..., Rule]) -> None:
    rule = rule_of("input: silence", "raise: [{silent: 49h}]", "clear_messages: 3")
    assert rule.input is Input.SILENCE
    assert (rule.branches[0].when, rule.branches[0].silent) == (None, 49 * 60 * MINUTE)
    assert rule.clear_messages == 3


def test_a_rules_version_changes_with_its_text_and_with_nothing_else(rule_of: Callable[..., Rule]) -> None:
    versions: Sequence[str] = [
        rule_of("raise: tilt > 15").version,
        rule_of("raise:   tilt > 15  # a comment").version,
        rule_of("raise: tilt > 16").version,
    ]
    assert versions[0] == versions[1] != versions[2]


def test_the_shipped_packs_are_sound_and_every_rule_says_where_it_comes_from(shipped: Mapping[str, Rule]) -> None:
    assert list(shipped) == sorted(shipped)
    assert {rule.kind for rule in shipped.values()} == {"manhole", "fume", "noise", "streetlight", "bridge"}
    assert all(rule.source for rule in shipped.values())
