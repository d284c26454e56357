"""Whatever a file of pipelines or an `--op` says: pipelines, or a SettingError that names the mend."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from toml_texts import VALUES, files

from streams.contract.errors import SettingError
from streams.contract.kafka_settings import load_kafka_settings
from streams.operators import OPERATORS
from streams.pipeline_settings import PipelineSettings, load_pipelines, quick_pipeline

KEYS = [field.name for field in dataclasses.fields(PipelineSettings)]
DEEP = "[" * 1500 + "]" * 1500
LONG = "9" * 5000
# Python has no limit for these, until somebody shows one.
LONG_HEX = "0x" + "f" * 5000
PARAMETERS = sorted({field.name for each in OPERATORS.values() for field in dataclasses.fields(each)})  # type: ignore[arg-type]
OPERATOR = st.tuples(st.sampled_from(sorted(OPERATORS)), st.sampled_from(PARAMETERS), VALUES)
anything = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pipelines.toml"


def read(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        for each in load_pipelines(path):
            # What is read can be made.
            assert each.label.startswith(each.name)
    except SettingError as error:
        assert str(path) in str(error)


@anything
@given(files("pipeline", KEYS, begin='name = "a"\n'))
@example(f"a = {DEEP}")
@example(f'[[pipeline]]\nname = "a"\nquality = {LONG}')
@example(f'[[pipeline]]\nname = "a"\nquality = {LONG_HEX}')
@example("[pipeline]\n")
@example("pipeline = 1\n")
def test_any_file(path: Path, text: str) -> None:
    read(path, text)


@anything
@given(st.lists(OPERATOR, max_size=3))
def test_any_parameter_of_any_operator(path: Path, operators: list[tuple[str, str, str]]) -> None:
    entries = ", ".join(f'{{ op = "{op}", {name} = {value} }}' for op, name, value in operators)
    read(path, f'[[pipeline]]\nname = "a"\noperators = [{entries}]\n')


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(SettingError, match=r"pipelines\.toml"):
        load_pipelines(path)


@anything
@given(st.one_of(st.text(), OPERATOR.map(lambda each: f"{each[0]}:{each[1]}={each[2]}")))
@example(f"blur:kernel={DEEP}")
@example(f"blur:kernel={LONG}")
@example(f"blur:kernel={LONG_HEX}")
def test_any_operator_of_the_command_line(text: str) -> None:
    try:
        quick_pipeline([text])
    except SettingError as error:
        assert "--op" in str(error)


@anything
@given(files("kafka", ["bootstrap", "security", "password", "ca", "librdkafka"]), st.booleans())
@example(f"[kafka]\nbootstrap = {DEEP}", False)
@example(f"[kafka]\nbootstrap = {LONG_HEX}", False)
def test_any_settings_of_kafka(path: Path, text: str, one: bool) -> None:
    path.write_text(text.replace("[[", "[").replace("]]", "]") if one else text, errors="surrogatepass")
    try:
        load_kafka_settings(config=path, environ={})
    except SettingError as error:
        assert str(path) in str(error)
