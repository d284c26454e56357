"""Which node leads the cluster, by the nodes' logs."""

from pathlib import Path

from f03_broker import controller


def test_it_is_whoever_became_the_controller_last(tmp_path: Path) -> None:
    logs = [tmp_path / f"{n}.log" for n in range(3)]
    word = "[QuorumController id={}] Becoming the active controller at epoch {}, next write offset 1.\n"
    logs[0].write_text(word.format(1, 8) + word.format(1, 9))
    logs[1].write_text(word.format(2, 3) + word.format(2, 10))
    logs[2].write_text("nothing of that kind\n")
    assert controller(logs) == 1
    logs[0].write_text(word.format(1, 11))
    assert controller(logs) == 0
