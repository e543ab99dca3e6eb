"""The form for signing in, as a browser shows it."""

import pytest

from cases.words import Language
from tests.fix_browser import Browse


@pytest.mark.parametrize(("language", "said"), [(Language.EN, "is wrong"), (Language.ZH, "密码错误")])
def test_a_wrong_password_is_refused_in_the_browsers_language(browse: Browse, language: Language, said: str) -> None:
    page = browse(language=language)
    page.goto("/sign-in")
    page.locator("[name=username]").fill("nobody")
    page.locator("[name=password]").fill("wrong")
    page.keyboard.press("Enter")
    assert said in page.get_by_role("alert").inner_text()
    assert page.locator("html").get_attribute("lang") == language
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, "nothing sticks out of a phone"
