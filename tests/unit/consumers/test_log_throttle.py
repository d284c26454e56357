from consumers.log_throttle import LogThrottle


def test_lets_one_through_a_second_and_tells_how_many_were_held_back() -> None:
    now = [100.0]
    throttle = LogThrottle(clock=lambda: now[0])
    answers = []
    for at in (100.0, 100.1, 100.9, 101.0, 101.5, 105.0):
        now[0] = at
        answers.append(throttle.admit())
    assert answers == [0, None, None, 2, None, 1]
