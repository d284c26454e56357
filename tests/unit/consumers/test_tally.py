from consumers.tally import CameraSums, Tally


def test_counts_by_camera_and_refused_records_by_reason() -> None:
    tally = Tally()
    tally.of("gate-1").frames += 2
    tally.of("gate-1").skipped += 1
    tally.refuse("empty")
    tally.refuse("empty")
    assert tally.cameras == {"gate-1": CameraSums(frames=2, skipped=1)}
    assert tally.refused == {"empty": 2}
