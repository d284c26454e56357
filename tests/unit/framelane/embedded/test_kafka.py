"""What an embedded Kafka can be asked for."""

import pytest

from framelane.embedded import EmbeddedKafka
from streams.contract.errors import SettingError


@pytest.mark.parametrize("nodes", [-1, 0, 2, 4, 100])
def test_there_are_one_or_three_nodes(nodes: int) -> None:
    with pytest.raises(SettingError, match=f"nodes = {nodes}: expected 1, or 3"):
        EmbeddedKafka(nodes=nodes)
