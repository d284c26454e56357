"""The token and its cookies."""

import base64

import pytest

from consumers.view.security.tokens import KEPT_S, SHORTEST, Token
from streams.contract.errors import SettingError

SECRET = "3f2a9c0d7be14455"


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_a_token_that_is_soon_guessed_is_refused_with_the_mend() -> None:
    Token("x" * SHORTEST)
    with pytest.raises(SettingError, match=r"15 characters.*openssl rand"):
        Token("x" * (SHORTEST - 1))


@pytest.mark.parametrize(
    ("header", "good"),
    [
        (f"Bearer {SECRET}", True),
        (f"bearer  {SECRET} ", True),
        (f"Bearer {SECRET}x", False),
        ("Bearer", False),
        (basic(f"anyone:{SECRET}"), True),
        (basic(f":{SECRET}"), True),
        (basic(f"{SECRET}:"), False),
        (basic(SECRET), False),
        ("Basic not base64!", False),
        ("Basic /w==", False),
        (f"Digest {SECRET}", False),
        (SECRET, False),
        ("", False),
    ],
)
def test_what_authorizes(header: str, good: bool) -> None:
    assert Token(SECRET).authorizes(header) is good


def test_a_cookie_is_good_for_a_week_and_does_not_show_the_token() -> None:
    now = [1_000_000.0]
    token = Token(SECRET, now_s=lambda: now[0])
    cookie = token.cookie()
    assert SECRET not in cookie
    now[0] += KEPT_S - 1
    assert token.is_cookie(cookie)
    now[0] += 1
    assert not token.is_cookie(cookie)


def test_a_cookie_of_another_token_or_one_that_was_changed_is_none() -> None:
    token = Token(SECRET)
    until, _, signature = token.cookie().partition(".")
    assert not Token("another-token-of-ours").is_cookie(f"{until}.{signature}")
    for forged in (
        f"{int(until) + 1}.{signature}",
        f"{until}.",
        until,
        "",
        ".",
        f"{until}.\u00e9",
        f"{until}.{SECRET}",
    ):
        assert not token.is_cookie(forged), forged


def test_a_view_that_starts_again_knows_its_cookies() -> None:
    assert Token(SECRET).is_cookie(Token(SECRET).cookie())
