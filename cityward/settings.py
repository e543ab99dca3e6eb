"""What can be set: in ``cityward.toml``, or in the environment as ``CITYWARD_<NAME>``, which wins.

``cityward settings`` prints every setting with its meaning and the value in force.
"""

import re
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_network
from itertools import combinations, product
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from cases.words import Language
from console.defaults import RATE, REPORT_WITHIN_M
from devices.broker import Broker
from devices.topics import overlap, subscriptions
from ingest.mqtt.packets import Protocol
from storage.hypertables import ROLLUPS_DAYS

CONFIG_FILE = Path("cityward.toml")


class LogFormat(StrEnum):
    """For people, or for machines."""

    CONSOLE = "console"
    JSON = "json"


class MqttVersion(StrEnum):
    """What a broker may speak."""

    V311 = "3.1.1"
    V5 = "5"


class ClockSettings(BaseModel):
    """A clock that runs faster than the wall, for a pretend city only. All processes need the same."""

    model_config = ConfigDict(extra="forbid")

    factor: Annotated[float, Field(gt=0, description="Seconds of the city for each second on the wall.")] = 1.0
    start: Annotated[
        AwareDatetime | None, Field(description="What the clock shows at the anchor, RFC 3339 with offset.")
    ] = None
    anchor: Annotated[
        AwareDatetime | None, Field(description="A moment on the wall; without it the clock is the wall's.")
    ] = None
    file: Annotated[
        Path | None, Field(description="A file that another process keeps the time in, as cityward evaluate does.")
    ] = None


class Settings(BaseSettings):
    """Every setting of every process."""

    model_config = SettingsConfigDict(
        env_prefix="CITYWARD_",
        env_nested_delimiter="__",
        toml_file=CONFIG_FILE,
        extra="forbid",
        hide_input_in_errors=True,  # it may hold a password
    )

    database_url: Annotated[
        str,
        Field(description="PostgreSQL or TimescaleDB; empty: an embedded PostgreSQL in data_dir."),
    ] = ""
    broker_url: Annotated[
        str, Field(description="The MQTT broker, mqtt://[user:password@]host[:port]; mqtts:// encrypts.")
    ] = "mqtt://127.0.0.1:1883"
    mqtt_version: Annotated[
        MqttVersion,
        Field(description="What collectors speak, 3.1.1 or 5; the embedded broker keeps sessions over 3.1.1 alone."),
    ] = MqttVersion.V311
    broker_ca: Annotated[
        Path | None,
        Field(description="PEM file of whom to trust as signer of the broker's certificate, instead of the system's."),
    ] = None
    broker_certificate: Annotated[
        Path | None, Field(description="PEM file of our own certificate, for a broker that asks for one.")
    ] = None
    broker_key: Annotated[Path | None, Field(description="PEM file of its key, not encrypted.")] = None
    data_dir: Annotated[Path, Field(description="Where the embedded PostgreSQL keeps its files.")] = Path(".cityward")
    partitions: Annotated[
        dict[str, list[str]],
        Field(description="Name and topic filters of each partition; the name is its MQTT client id."),
    ] = {"all": ["city/#"]}
    kinds_dirs: Annotated[
        list[Path], Field(description="Folders of further kinds, beside the five that come along.")
    ] = []
    packs_dir: Annotated[Path | None, Field(description="A folder of rule packs instead of those that come along.")] = (
        None
    )
    language: Annotated[Language, Field(description="Of what the command line shows: en or zh.")] = Language.EN
    log_format: Annotated[LogFormat, Field(description="console or json, on standard error.")] = LogFormat.CONSOLE
    watchdog_s: Annotated[
        float, Field(gt=0, description="Seconds of the city's clock between looks for silent devices.")
    ] = 30.0
    keep_readings_days: Annotated[
        dict[str, Annotated[int, Field(ge=7)]],
        Field(
            description="Days for which readings are kept, by kind; others 400. Needs TimescaleDB's community edition."
        ),
    ] = {}
    keep_rollups_days: Annotated[
        int,
        Field(
            ge=ROLLUPS_DAYS,
            description="Days for which roll-ups by the hour are kept, five years or more; days for ever.",
        ),
    ] = ROLLUPS_DAYS
    metrics_port: Annotated[
        int, Field(ge=0, le=65535, description="Prometheus metrics of collector, dispatcher and console; 0: none.")
    ] = 0
    metrics_host: Annotated[str, Field(description="Where metrics are served.")] = "127.0.0.1"
    grafana_url: Annotated[str, Field(description="Grafana's address, for cityward grafana push.")] = ""
    grafana_token: Annotated[
        SecretStr, Field(description="Token of a service account of Grafana's with the role Editor.")
    ] = SecretStr("")
    console_host: Annotated[str, Field(description="Where the console listens.")] = "127.0.0.1"
    console_port: Annotated[int, Field(ge=0, le=65535, description="The console's port.")] = 8080
    console_https: Annotated[
        bool, Field(description="Whether people reach the console by https, through a proxy: cookies then need it.")
    ] = False
    console_url: Annotated[
        str, Field(description="Where people reach the console; messages to crews then carry a link to their case.")
    ] = ""
    console_link_days: Annotated[int, Field(ge=1, le=90, description="Days for which a crew's link is good.")] = 7
    console_rate: Annotated[
        float,
        Field(ge=0, description="Requests a second of one visitor, ten times as many at once; 0: no limit."),
    ] = RATE
    report_within_m: Annotated[
        float,
        Field(gt=0, le=1000, description="Metres within which the facility is that a citizen's report means."),
    ] = REPORT_WITHIN_M
    console_proxy: Annotated[
        str,
        Field(description="Addresses or networks of proxies before the console, by commas: believed about who asks."),
    ] = ""
    console_map_style: Annotated[
        str,
        Field(description="A MapLibre style on the city's own tile server, for the desk's map; empty: a plain ground."),
    ] = ""
    console_entry: Annotated[
        SecretStr, Field(description="A word whose link /enter/<word> signs in once, for a demonstration only.")
    ] = SecretStr("")
    clock: Annotated[ClockSettings, Field(description="A faster clock, for a pretend city only.")] = ClockSettings()

    @field_validator("broker_url")
    @classmethod
    def _broker(cls, url: str) -> str:
        Broker.parse(url)
        return url

    @field_validator("console_proxy")
    @classmethod
    def _proxy(cls, proxies: str) -> str:
        for each in filter(None, (proxy.strip() for proxy in proxies.split(","))):
            try:
                ip_network(each)
            except ValueError as error:
                raise ValueError(f"{each} is no address and no network: write 10.0.0.5 or 10.0.0.0/24") from error
        return proxies

    @field_validator("console_map_style")
    @classmethod
    def _map_style(cls, url: str) -> str:
        if url and not re.fullmatch(r"https?://[\w.:\[\]-]+/[^\s;,]*", url):
            raise ValueError("write the style's address: https://tiles.example/style.json")
        return url

    @field_validator("partitions")
    @classmethod
    def _partitions(cls, partitions: dict[str, list[str]]) -> dict[str, list[str]]:
        if not partitions or not all(partitions.values()):
            raise ValueError('name at least one partition, each with a filter: {"all": ["city/#"]}')
        for (one, mine), (other, yours) in combinations(partitions.items(), 2):
            for a, b in product(mine, yours):
                if overlap(a, b):
                    raise ValueError(f"{one} ({a}) and {other} ({b}) share topics; a device belongs to one partition")
        return partitions

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def broker(self) -> Broker:
        """The broker, taken apart."""
        return Broker.parse(self.broker_url)

    @property
    def protocol(self) -> Protocol:
        """The version of MQTT, by its number on the wire."""
        return Protocol.V5 if self.mqtt_version is MqttVersion.V5 else Protocol.V311

    def filters(self, partition: str) -> list[str]:
        """The MQTT filters of a partition."""
        return [each for topic_filter in self.partitions[partition] for each in subscriptions(topic_filter)]

    def partition_of(self, topic: str) -> str | None:
        """The partition that hears a topic, if any does."""
        names = (name for name in self.partitions if any(overlap(each, topic) for each in self.filters(name)))
        return next(names, None)


def environment(settings: dict[str, str | float | datetime]) -> dict[str, str]:
    """Settings as the environment of another process, ``clock.factor`` written as ``clock__factor``."""
    return {
        f"CITYWARD_{name.upper()}": value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in settings.items()
    }
