"""Passwords and the hashes that Mosquitto checks them against."""

import hashlib
import re
from base64 import b64decode
from urllib.parse import quote

from devices.credentials import hashed, new_password, password_file


def test_passwords_are_long_all_different_and_need_no_quoting() -> None:
    passwords = {new_password() for _ in range(1000)}
    assert len(passwords) == 1000
    for password in passwords:
        assert len(password) == 24
        assert password.isalnum()
        assert quote(password, safe="") == password
        assert not set(password) & set("0O1lI")


def test_a_hash_is_pbkdf2_with_sha512_as_mosquitto_writes_it() -> None:
    found = re.fullmatch(r"\$7\$(\d+)\$([A-Za-z0-9+/]{16})\$([A-Za-z0-9+/]{86}==)", hashed("s3cret"))
    assert found
    iterations, salt, digest = int(found[1]), b64decode(found[2]), b64decode(found[3])
    assert iterations == 101
    assert len(salt) == 12
    assert digest == hashlib.pbkdf2_hmac("sha512", b"s3cret", salt, iterations)


def test_the_same_password_has_another_hash_each_time() -> None:
    assert hashed("s3cret") != hashed("s3cret")


def test_the_password_file_has_a_line_a_user_in_order() -> None:
    assert password_file({"b": "$7$x", "a c": "$7$y"}) == "a c:$7$y\nb:$7$x\n"
    assert password_file({}) == ""
