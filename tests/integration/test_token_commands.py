"""Tokens and the record of changes at the prompt."""

import json
from datetime import timedelta

from psycopg import Connection

from storage import console_tokens
from tests.integration.desk import Desk
from tests.integration.making import rows
from tests.integration.prompt import START, Command, Now


def test_a_token_is_shown_once_and_good_until_revoked_or_over(
    desk: Desk, cityward: Command, connection: Connection, now: Now
) -> None:
    assert desk
    text = cityward("users", "token", "add", "grid", "--role", "viewer", "--days", "2").output.strip()
    assert text.startswith(console_tokens.PREFIX)
    kept = rows(connection, "SELECT to_jsonb(console_token)::text FROM console_token")
    assert text not in str(kept)
    found = console_tokens.find(connection, text, START)
    assert found is not None
    assert found.role == "viewer"
    again = cityward("users", "token", "add", "grid", "--role", "supervisor")
    assert "there is a token grid already" in str(again.exception)
    now.set(START + timedelta(days=3))
    assert console_tokens.find(connection, text, now.at) is None
    other = cityward("users", "token", "add", "grid", "--role", "supervisor").output.strip()
    assert console_tokens.find(connection, other, now.at) is not None
    assert cityward("users", "token", "revoke", "grid").output == "grid is revoked.\n"
    assert console_tokens.find(connection, other, now.at) is None
    assert "revoked" in cityward("users", "token", "list").output


def test_what_is_wrong_with_a_token_is_said(desk: Desk, cityward: Command) -> None:
    assert desk
    for arguments, words in [
        (["add", "Grid 7", "--role", "viewer"], "lower case"),
        (["add", "grid", "--role", "crew"], "--unit belongs to a crew"),
        (["add", "grid", "--role", "crew", "--unit", "mars"], "'mars' is not in the city file"),
        (["revoke", "grid"], "there is no token grid"),
    ]:
        assert words in str(cityward("users", "token", *arguments).exception)


def test_changes_of_users_and_tokens_are_on_record(desk: Desk, cityward: Command) -> None:
    assert desk
    cityward("users", "add", "ann", "--role", "operator", "--password", "correct horse battery")
    cityward("users", "token", "add", "grid", "--role", "viewer")
    cityward("users", "disable", "ann")
    shown = cityward("users", "audit").output
    assert [action in shown for action in ("user.save", "token.add", "user.disable", "command line")] == [True] * 4
    (line,) = cityward("users", "audit", "--about", "grid", "--json").output.splitlines()
    assert json.loads(line)["detail"] == {"role": "viewer", "unit": "", "days": 365}
    assert "password" not in cityward("users", "audit", "--json").output
