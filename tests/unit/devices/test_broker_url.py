"""How a broker is written down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.broker import Broker

WORDS = st.text(st.characters(codec="utf-8"))


@given(
    host=st.sampled_from(["localhost", "mqtt.city.example", "10.0.0.7", "::1", "2001:db8::17"]),
    port=st.integers(1, 65535),
    username=WORDS,
    password=WORDS,
    tls=st.booleans(),
)
def test_a_broker_is_read_back_from_its_url(host: str, port: int, username: str, password: str, *, tls: bool) -> None:
    broker = Broker(host, port, username, password if username else "", tls)
    assert Broker.parse(broker.url) == broker


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://localhost", Broker("localhost", 1883)),
        ("mqtt://localhost:2883", Broker("localhost", 2883)),
        ("mqtt://reader@localhost", Broker("localhost", username="reader")),
        ("mqtt://reader:p%40ss%2Fw%3Ard@localhost:2883", Broker("localhost", 2883, "reader", "p@ss/w:rd")),
        ("mqtt://[::1]:2883", Broker("::1", 2883)),
        ("mqtts://localhost", Broker("localhost", 8883, tls=True)),
        ("mqtts://reader:p%40ss@localhost:9883", Broker("localhost", 9883, "reader", "p@ss", tls=True)),
    ],
)
def test_what_is_left_out_of_a_url_has_a_default(url: str, broker: Broker) -> None:
    assert Broker.parse(url) == broker


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "localhost:1883",
        "mqtt://",
        "mqtt://:1883",
        "mqtts://",
        "https://reader:s3cret@localhost",
        "mqtts://reader:s3cret@localhost:65536",
        "mqtt://reader:s3cret@",
        "mqtt://reader:s3cret/2@localhost",
        "mqtt://reader:s3cret@localhost:mqtt",
        "mqtt://reader:s3cret@localhost:65536",
        "mqtt://reader:s3cret@[::1",
    ],
)
def test_a_wrong_url_is_refused_with_the_right_form_and_without_the_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"mqtt://\[user\[:password\]@\]host\[:port\]") as wrong:
        Broker.parse(url)
    assert "s3cret" not in str(wrong.value)
    assert wrong.value.__cause__ is None
    assert wrong.value.__suppress_context__ or wrong.value.__context__ is None


def test_a_broker_is_shown_without_its_password() -> None:
    broker = Broker("::1", 2883, "reader", "s3cret")
    assert str(broker) == "[::1]:2883"
    assert "s3cret" not in repr(broker)
