"""Whatever a source is called: a source, a SourceError or a SettingError; and a password is never shown."""

import re
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from producers.credentials import Address
from producers.sources import SOURCES, SourceOptions, open_source
from producers.sources.web import Web
from streams.contract.errors import SettingError, SourceError
from streams.contract.redact import redact

OPTIONS = SourceOptions(camera_id="gate-1")
# Nobody listens there.
NOWHERE = "127.0.0.1:1"
# Those that would reach out, or wait for somebody to type.
_AFAR = ("rtsp", "rtsps", "http", "https", "stdin")
WORDS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)
# As people write them, with whatever is on a keyboard; long enough to be told from what else is in an address.
PASSWORDS = st.text(string.ascii_letters + string.digits + string.punctuation, min_size=8, max_size=16)
PATHS = st.sampled_from(["", "/", "/live", "/live?channel=1", "/live?token=abc&x=1#top", "/at/home"])
anything = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def opened(text: str) -> str:
    """What is to be seen of it: the source's name, or the error."""
    try:
        source = open_source(text, OPTIONS)
    except (SourceError, SettingError) as error:
        return str(error)
    source.close()
    return source.name


@anything
@given(st.one_of(st.text(), st.tuples(st.sampled_from([*SOURCES, "ftp", "file"]), st.text()).map(":".join)))
@example("a\0b")
@example("synthetic:?size=\0")
@example("x" * 5000)
def test_any_text(text: str) -> None:
    assume(not text.lower().startswith(tuple(f"{scheme}:" for scheme in _AFAR)))
    # What is there is opened, and may be anything.
    assume("\0" in text or len(text) > 200 or not Path(text).exists())
    opened(text)


@anything
@given(st.sampled_from(["rtsp", "http", "https"]), WORDS, PASSWORDS, PATHS)
def test_redact_hides_every_password(scheme: str, user: str, password: str, path: str) -> None:
    assert password not in redact(f"{scheme}://{user}:{password}@cam.example{path}")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["http", "https"]), WORDS, PASSWORDS, PATHS)
def test_an_address_on_the_web_that_cannot_be_had(scheme: str, user: str, password: str, path: str) -> None:
    # As it stands that is a port, and the user a host, which would be asked for.
    assume(not re.match(r"[0-9]*[/?#]", password))
    assert password not in opened(f"{scheme}://{user}:{password}@{NOWHERE}{path}")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WORDS, PASSWORDS.filter(lambda text: not set(text) & set("/?#@")), PATHS)
def test_a_stream_that_cannot_be_had(capfd: pytest.CaptureFixture[str], user: str, password: str, path: str) -> None:
    assert password not in opened(f"rtsp://{user}:{password}@{NOWHERE}{path}")
    # FFmpeg says something itself, too.
    assert password not in "".join(capfd.readouterr())


@anything
@given(st.text(), PASSWORDS, st.sampled_from(["", "http://u:", "rtsp://u:", "//u:"]), st.booleans())
def test_no_password_in_an_address_of_a_camera_is_shown(text: str, password: str, before: str, by_user: bool) -> None:
    assume(password not in text)
    source = f"{before}{password}@cam/live" if before else text
    address = Address(source=source, username=text if by_user else "", password_env="VARIABLE")
    shown = repr(address) + address.name
    try:
        # Whoever opens it may use it.
        Web(address.resolve({"VARIABLE": password}), stop=OPTIONS.stop).close()
    except SourceError as error:
        shown += str(error)
    assert password not in shown


@anything
@given(st.text(), PASSWORDS, st.sampled_from(["source_env", "username_env", "password_env"]))
def test_nothing_of_what_the_environment_holds_is_shown(text: str, secret: str, way: str) -> None:
    assume(secret not in text)
    given = {"source": text, "username": text, way: "VARIABLE"}
    if way != "password_env":
        given[way.removesuffix("_env")] = ""
    address = Address(**given)  # type: ignore[arg-type]
    shown = repr(address) + address.name
    try:
        address.resolve({"VARIABLE": secret})
    except SourceError as error:
        shown += str(error)
    assert secret not in shown
