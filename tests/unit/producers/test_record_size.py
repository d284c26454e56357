import pytest

from producers.record_size import batch_bytes


def test_a_batch_has_a_header_and_each_part_its_length() -> None:
    # The batch's header; of the record its length, attributes and differences, lengths of key and value, and count.
    assert batch_bytes(b"", 0, []) == 61 + 1 + 3 + 1 + 1 + 1
    assert batch_bytes(b"abc", 10, [("h", b"vv")]) == batch_bytes(b"", 0, []) + 3 + 10 + (1 + 1 + 1 + 2)


@pytest.mark.parametrize(("size", "length"), [(63, 1), (64, 2), (8191, 2), (8192, 3)])
def test_a_length_takes_a_byte_for_each_seven_bits_with_its_sign(size: int, length: int) -> None:
    body = 3 + 1 + length + size + 1
    of_body = 1 if body < 64 else 2 if body < 8192 else 3
    assert batch_bytes(b"", size, []) == 61 + of_body + body
