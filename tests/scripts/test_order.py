"""Which test files begin first."""

from tests.plugins.order import APART, LONG, TESTS, spread

SHORT = [TESTS / f"canvas/test_{number}.py" for number in range(100)]


def test_long_files_are_there_and_begin_early_and_apart():
    long = [TESTS / name for name in LONG]
    assert [path for path in long if not path.is_file()] == []
    order = spread([*SHORT, *reversed(long)])
    assert [path for path in order if path in SHORT] == SHORT
    assert [order.index(path) for path in long] == [number * APART for number in range(len(long))]


def test_a_few_files_keep_their_order():
    assert spread(SHORT[:2]) == SHORT[:2]
    assert spread([SHORT[0], TESTS / LONG[1], TESTS / LONG[0]]) == [
        TESTS / LONG[0],
        SHORT[0],
        TESTS / LONG[1],
    ]
