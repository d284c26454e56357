import numpy as np
import pytest
from networks import yolo, yunet
from onnx import TensorProto, helper, numpy_helper

from streams.operators.onnx_input import input_shape


@pytest.mark.parametrize(
    ("content", "shape"),
    [
        (yolo("v8", width=96, height=64), (1, 3, 64, 96)),
        (yolo("v5", open_size=True), (1, 3, None, None)),
        (yunet(side=640), (1, 3, 640, 640)),
    ],
)
def test_the_shape_of_the_first_input(content: bytes, shape: tuple[int | None, ...]) -> None:
    assert input_shape(content) == shape


def test_weights_among_the_inputs_are_no_picture() -> None:
    weights = numpy_helper.from_array(np.ones((1, 3, 1, 1), np.float32), "weights")
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("weights", [1, 3, 1, 1]), ("picture", [-1, 3, 300, 200]))
    ]
    output = helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 1, 300, 200])
    node = helper.make_node("Conv", ["picture", "weights"], ["out"], kernel_shape=[1, 1])
    model = helper.make_model(helper.make_graph([node], "old", inputs, [output], [weights]), ir_version=3)

    assert input_shape(model.SerializeToString()) == (None, 3, 300, 200)


def test_a_network_without_an_input_has_none() -> None:
    model = helper.make_model(helper.make_graph([], "empty", [], []))

    assert input_shape(model.SerializeToString()) == ()


@pytest.mark.parametrize("content", [b"\xff", b"\x07", b"\x80" * 12])
def test_what_is_no_protobuf_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no protobuf"):
        input_shape(content)
