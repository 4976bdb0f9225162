import pytest

from digest.domain.counting import counted


@pytest.mark.parametrize(("count", "said"), [(0, "0 articles"), (1, "1 article"), (2, "2 articles")])
def test_one_thing_is_told_in_the_singular_and_none_in_the_plural(count: int, said: str) -> None:
    assert counted(count, "article") == said


def test_a_plural_of_its_own_is_used() -> None:
    assert (counted(1, "entry", "entries"), counted(5, "entry", "entries")) == ("1 entry", "5 entries")
