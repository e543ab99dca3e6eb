"""How the way to the broker is encrypted, and what is said of files that are not right."""

import ssl
import subprocess
from pathlib import Path

import pytest

from cityward.settings import Settings
from cityward.wiring import broker_tls
from devices.errors import DescriptionError
from tests.fix_guarded import Certificates

TLS = "mqtts://broker"


def test_a_plain_broker_is_spoken_to_plainly(certificates: Certificates) -> None:
    assert broker_tls(Settings(broker_url="mqtt://broker")) is None
    assert broker_tls(Settings(broker_url="mqtt://broker", broker_ca=certificates.authority.certificate)) is None


def test_host_and_certificate_of_a_tls_broker_are_checked() -> None:
    context = broker_tls(Settings(broker_url=TLS))
    assert context
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_only_the_named_authority_is_trusted(certificates: Certificates) -> None:
    context = broker_tls(Settings(broker_url=TLS, broker_ca=certificates.authority.certificate))
    assert context
    assert [found["subject"] for found in context.get_ca_certs()] == [((("commonName", "authority"),),)]


def test_a_certificate_of_ones_own_is_taken(certificates: Certificates) -> None:
    own = certificates.client
    assert broker_tls(Settings(broker_url=TLS, broker_certificate=own.certificate, broker_key=own.key))


@pytest.mark.parametrize("setting", ["broker_ca", "broker_certificate", "broker_key"])
def test_a_missing_file_is_named_with_its_setting(setting: str, certificates: Certificates, tmp_path: Path) -> None:
    own = certificates.client
    files = {"broker_ca": own.certificate, "broker_certificate": own.certificate, "broker_key": own.key}
    missing = tmp_path / "missing.pem"
    with pytest.raises(DescriptionError, match=f"{setting}: {missing}: No such file or directory"):
        broker_tls(Settings.model_validate({"broker_url": TLS, **files, setting: missing}))


@pytest.mark.parametrize("setting", ["broker_ca", "broker_certificate", "broker_key"])
def test_a_file_of_something_else_is_named_with_its_setting(
    setting: str, certificates: Certificates, tmp_path: Path
) -> None:
    own = certificates.client
    files = {"broker_ca": own.certificate, "broker_certificate": own.certificate, "broker_key": own.key}
    other = tmp_path / "notes.txt"
    other.write_text("buy milk")
    with pytest.raises(DescriptionError, match=f"{setting}: {other}: holds no"):
        broker_tls(Settings.model_validate({"broker_url": TLS, **files, setting: other}))


def test_a_key_of_another_certificate_is_refused(certificates: Certificates) -> None:
    own, other = certificates.client, certificates.broker
    with pytest.raises(DescriptionError, match=f"not the one of {own.certificate}"):
        broker_tls(Settings(broker_url=TLS, broker_certificate=own.certificate, broker_key=other.key))


def test_an_encrypted_key_is_refused_and_nobody_asked_for_its_password(
    certificates: Certificates, tmp_path: Path
) -> None:
    own, encrypted = certificates.client, tmp_path / "encrypted.key"
    command = ["openssl", "ec", "-in", str(own.key), "-aes128", "-passout", "pass:s3cret", "-out", str(encrypted)]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(DescriptionError, match=f"broker_key: {encrypted}: .*encrypted"):
        broker_tls(Settings(broker_url=TLS, broker_certificate=own.certificate, broker_key=encrypted))


def test_certificate_and_key_go_together(certificates: Certificates) -> None:
    own = certificates.client
    for alone in ({"broker_certificate": own.certificate}, {"broker_key": own.key}):
        with pytest.raises(DescriptionError, match="set both or none"):
            broker_tls(Settings.model_validate({"broker_url": TLS, **alone}))
