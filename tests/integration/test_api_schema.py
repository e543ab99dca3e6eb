"""The API does as its description says, whatever is sent to it: made-up requests for every operation."""

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from psycopg import Connection
from schemathesis import openapi
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from console.access import Role
from console.app import create_app
from console.context import Context
from console.limits import Limits
from storage import console_tokens
from tests.fix_console import Time
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST

EXAMPLES = int(os.environ.get("CITYWARD_API_EXAMPLES", "8"))  # of each operation
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance
]  # fmt: skip


@pytest.fixture
def api(context: Context, desk: Desk, time: Time) -> schemathesis.BaseSchema:
    """The description of a console that may be asked as often as one likes, with a case and an alarm."""
    desk.alarm(("MH-01", COVER_EAST), at=time.at)
    desk.take_up(time.at)
    return openapi.from_asgi("/api/openapi.json", create_app(replace(context, limits=Limits(0), guests=Limits(0))))


def test_every_operation_answers_as_described(api: schemathesis.BaseSchema, connection: Connection, time: Time) -> None:
    until = time.at + timedelta(days=1)
    token = console_tokens.add(connection, "tester", role=Role.SUPERVISOR, unit="", expires_at=until, at=time.at)
    succeeded = set()
    for found in api.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[*HealthCheck],
        )
        @given(case=operation.as_strategy())
        def answers_as_described(case: schemathesis.Case[Any]) -> None:
            answer = case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)
            if answer.status_code < 300:
                succeeded.add(case.operation.label)

        answers_as_described()
    assert len(succeeded) >= 12, succeeded
