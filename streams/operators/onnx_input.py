"""What an ONNX file says of the picture that its network takes, which OpenCV does not tell.

ONNX is protobuf; the numbers of the fields are those of onnx.proto (https://github.com/onnx/onnx).
"""

from collections.abc import Iterator

_MODEL_GRAPH = 7
_GRAPH_INITIALIZER, _GRAPH_INPUT = 5, 11
_TENSOR_NAME = 8
_INPUT_NAME, _INPUT_TYPE = 1, 2
_TYPE_TENSOR = 1
_TENSOR_SHAPE = 2
_SHAPE_DIM = 1
_DIM_VALUE = 1

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


def input_shape(content: bytes) -> tuple[int | None, ...]:
    """The shape of the network's first input, None where a side is left open; () where it has none, or no shape.

    ValueError when the content is no protobuf.
    """
    graph = _first(memoryview(content), _MODEL_GRAPH)
    # In old files the weights are among the inputs.
    weights = {bytes(_first(tensor, _TENSOR_NAME)) for tensor in _all(graph, _GRAPH_INITIALIZER)}
    for each in _all(graph, _GRAPH_INPUT):
        if bytes(_first(each, _INPUT_NAME)) not in weights:
            shape = _first(_first(_first(each, _INPUT_TYPE), _TYPE_TENSOR), _TENSOR_SHAPE)
            return tuple(_number(dim, _DIM_VALUE) for dim in _all(shape, _SHAPE_DIM))
    return ()


def _all(message: memoryview, number: int) -> Iterator[memoryview]:
    return (value for each, value in _fields(message) if each == number and isinstance(value, memoryview))


def _first(message: memoryview, number: int) -> memoryview:
    return next(_all(message, number), memoryview(b""))


def _number(message: memoryview, number: int) -> int | None:
    found = (value for each, value in _fields(message) if each == number and isinstance(value, int))
    # 0 and what is negative (-1, as 64 bits) stand for "any" in some files.
    return next((value for value in found if 0 < value < 1 << 31), None)


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message: numbers, and what has a length; the rest is passed over."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
        elif kind == _BYTES:
            length, at = _varint(message, at)
            yield key >> 3, message[at : at + length]
            at += length
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            at += 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"no protobuf: a field of kind {kind}")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("no protobuf: it ends within a number")
