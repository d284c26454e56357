"""What a worker tells of its pipeline's settings."""

import json

import msgspec

from streams.pipeline_settings import OperatorSettings, PipelineSettings
from streams.settings_quick import parse_op
from streams.told_settings import told_settings


def test_operators_stand_as_in_a_file() -> None:
    op, parameters = parse_op("motion:min_area=0.01,zones=[[[0,0.5],[1,0.5],[1,1]]]")
    settings = PipelineSettings(name="gates", operators=(OperatorSettings(op, parameters),))
    told = told_settings(settings)
    assert told["operators"] == [{"op": "motion", "min_area": 0.01, "zones": [[[0, 0.5], [1, 0.5], [1, 1]]]}]
    assert (told["input"], told["output"], told["events"], told["dead_letter"], told["quality"]) == (
        "frames.raw",
        "frames.processed",
        "frames.events",
        "frames.dead-letter",
        80,
    )
    assert "name" not in told
    assert json.loads(msgspec.json.encode(told))["format"] == "jpeg"


def test_nothing_secret_is_told() -> None:
    parameters = {
        "url": "https://anna:1234@store.example/in?sig=5678",
        "api_key": "abcd1234",
        "targets": ["rtsp://cam:4321@gate/1", {"token": "efgh"}],
        "model": "/models/yunet.onnx",
    }
    settings = PipelineSettings(name="gates", operators=(OperatorSettings("plugin:Upload", parameters),))
    (operator,) = told_settings(settings)["operators"]
    assert not any(secret in json.dumps(operator) for secret in ("anna", "1234", "5678", "abcd", "4321", "efgh"))
    assert operator["model"] == "/models/yunet.onnx"
    assert operator["url"] == "https://***@store.example/in?sig=***"
