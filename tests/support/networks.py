"""Small networks (ONNX) that find coloured squares, made to the layouts of real detectors.

They compute what they put out from the picture, cell by cell of 8 pixels: a cell that is all red is class 0 with a
score of 1, one that is all green class 1, half of it half as much, and gray is nothing.
"""

from collections.abc import Sequence

import numpy as np
from onnx import NodeProto, TensorProto, checker, helper, numpy_helper

CELL = 8
LABELS = ("red", "green")
# Of a cell that is all red; the objectness of v5 is below 1, so that it is seen to be multiplied.
OBJECTNESS = 0.9
# Each cell has a second box, a little smaller and less sure: NMS has to leave it out.
SECOND = 0.8

_RED_GREEN = np.array([[1, -1, -1], [-1, 1, -1]], np.float32).reshape(2, 3, 1, 1)


def yolo(layout: str, *, width: int = 96, height: int = 64, open_size: bool = False) -> bytes:
    """A detector of red and green squares in a layout of `detect`, for RGB from 0 to 1.

    Its boxes are the cells. open_size: it does not say which size it takes, as those with a dynamic input do.
    """
    across, down = width // CELL, height // CELL
    columns, rows = np.meshgrid(np.arange(across), np.arange(down))
    centres = (np.stack([columns.ravel(), rows.ravel()]) + 0.5) * CELL
    cells = np.concatenate([centres, np.full_like(centres, CELL)])
    smaller = np.concatenate([centres, np.full_like(centres, CELL - 1)])
    nodes = [
        helper.make_node("AveragePool", ["images"], ["cells"], kernel_shape=[CELL, CELL], strides=[CELL, CELL]),
        helper.make_node("Conv", ["cells", "red_green"], ["raw"], kernel_shape=[1, 1]),
        helper.make_node("Clip", ["raw", "zero", "one"], ["clipped"]),
        helper.make_node("Reshape", ["clipped", "two_rows"], ["scores"]),
    ]
    weights = {
        "red_green": _RED_GREEN,
        "zero": np.float32(0),
        "one": np.float32(1),
        "two_rows": np.array([1, 2, -1], np.int64),
    }
    if layout == "end2end":
        corners = np.concatenate([centres - CELL / 2, centres + CELL / 2])
        weights |= {"boxes": corners.T[None].astype(np.float32), "column": np.array([1, -1, 1], np.int64)}
        nodes += [
            helper.make_node("ReduceMax", ["scores"], ["best"], axes=[1], keepdims=1),
            helper.make_node("ArgMax", ["scores"], ["which"], axis=1, keepdims=1),
            helper.make_node("Cast", ["which"], ["number"], to=TensorProto.FLOAT),
            helper.make_node("Reshape", ["best", "column"], ["best_column"]),
            helper.make_node("Reshape", ["number", "column"], ["number_column"]),
            helper.make_node("Concat", ["boxes", "best_column", "number_column"], ["output0"], axis=2),
        ]
    else:
        boxes = np.concatenate([cells, smaller], axis=1)[None].astype(np.float32)
        weights |= {"boxes": boxes, "second": np.float32(SECOND)}
        nodes += [
            helper.make_node("Mul", ["scores", "second"], ["second_scores"]),
            helper.make_node("Concat", ["scores", "second_scores"], ["all_scores"], axis=2),
        ]
        parts = ["boxes", "all_scores"]
        if layout == "v5":
            weights["bright"] = np.full((1, 3, 1, 1), OBJECTNESS, np.float32)
            weights["one_row"] = np.array([1, 1, -1], np.int64)
            nodes += [
                helper.make_node("Conv", ["cells", "bright"], ["brightness"], kernel_shape=[1, 1]),
                helper.make_node("Reshape", ["brightness", "one_row"], ["one_objectness"]),
                helper.make_node("Concat", ["one_objectness", "one_objectness"], ["objectness"], axis=2),
            ]
            parts.insert(1, "objectness")
        nodes.append(helper.make_node("Concat", parts, ["output0" if layout == "v8" else "joined"], axis=1))
        if layout == "v5":
            nodes.append(helper.make_node("Transpose", ["joined"], ["output0"], perm=[0, 2, 1]))
    size: list[int | str] = ["height", "width"] if open_size else [height, width]
    return _model(nodes, weights, inputs={"images": [1, 3, *size]}, outputs={"output0": [1, "rows", "columns"]})


def yunet(*, side: int | None = None) -> bytes:
    """A finder of red squares with the outputs of YuNet, for BGR from 0 to 255.

    side: the only size of picture that the file names, as that of 2023 does; OpenCV takes others all the same.

    A cell of 16 pixels that is all red is a face as large as two cells, its eyes at 1/4 and 3/4 of the cell's width
    and 1/4 of its height, the nose in the middle, the mouth at 3/4. The cells of 8 and 32 see nothing.
    """
    nodes: list[NodeProto] = []
    outputs: dict[str, list[int | str]] = {}
    red = np.array([-1, -1, 1], np.float32).reshape(1, 3, 1, 1) / 255
    weights = {
        "red": red,
        "bright": np.full((1, 3, 1, 1), 1 / 255, np.float32),
        "nothing": np.array([-10], np.float32),
        "something": np.array([0], np.float32),
        "four": np.zeros((4, 3, 1, 1), np.float32),
        "ten": np.zeros((10, 3, 1, 1), np.float32),
        # exp(size) x the cell.
        "box": np.array([0.5, 0.5, np.log(2), np.log(2)], np.float32),
        "points": np.array([0.25, 0.25, 0.75, 0.25, 0.5, 0.5, 0.25, 0.75, 0.75, 0.75], np.float32),
    }
    heads = {"cls": ("red", 1), "obj": ("bright", 1), "bbox": ("four", 4), "kps": ("ten", 10)}
    for cell in (8, 16, 32):
        nodes.append(
            helper.make_node("AveragePool", ["input"], [f"cells_{cell}"], kernel_shape=[cell] * 2, strides=[cell] * 2)
        )
    for head, (kernel, columns) in heads.items():
        for cell in (8, 16, 32):
            bias = {"bbox": "box", "kps": "points"}.get(head, "something" if cell == 16 else "nothing")
            name = f"{head}_{cell}"
            weights[f"rows_{columns}"] = np.array([1, -1, columns], np.int64)
            nodes += [
                helper.make_node("Conv", [f"cells_{cell}", kernel, bias], [f"map_{name}"], kernel_shape=[1, 1]),
                helper.make_node("Transpose", [f"map_{name}"], [f"last_{name}"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"last_{name}", f"rows_{columns}"], [name]),
            ]
            outputs[name] = [1, (side // cell) ** 2 if side else f"cells_of_{cell}", columns]
    return _model(nodes, weights, inputs={"input": [1, 3, side or "height", side or "width"]}, outputs=outputs)


def _model(
    nodes: Sequence[NodeProto],
    weights: dict[str, "np.ndarray | np.generic"],
    *,
    inputs: dict[str, list[int | str]],
    outputs: dict[str, list[int | str]],
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "squares",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.asarray(each), name) for name, each in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model)
    return model.SerializeToString()
