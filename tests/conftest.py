"""Fixtures by concern, servers for real."""

from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("cityward", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cityward")

pytest_plugins = [
    "tests.fix_postgres",
    "tests.fix_timescale",
    "tests.fix_rolled",
    "tests.fix_gate",
    "tests.fix_broker",
    "tests.fix_mosquitto",
    "tests.fix_city",
    "tests.fix_processes",
    "tests.fix_guarded",
    "tests.fix_console",
    "tests.fix_browser",
]


def pytest_report_header() -> str:
    from tests.fix_broker import BROKERS  # noqa: PLC0415 - a plugin, registered first

    missing = "" if "mosquitto" in BROKERS else " (Mosquitto is not installed: tests run on the embedded broker only)"
    return f"brokers: {', '.join(BROKERS)}{missing}"
