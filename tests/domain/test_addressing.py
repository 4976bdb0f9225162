from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from digest.domain.addressing import NOTHING_BEFORE, Addressable, Before, Skip, Wishes, followed
from digest.domain.cadences import Cadence
from digest.domain.issues import Edition, Outline
from digest.domain.subscribers import SkipReason
from digest.domain.topics import TopicSlug

CLIMATE, SPACE, FOOD = map(TopicSlug, ("climate", "space", "food"))
ISSUE = Addressable(
    Outline((CLIMATE, SPACE), ((CLIMATE,), (SPACE, CLIMATE), (SPACE,))), date(2026, 11, 23), 7
)
ALL = frozenset({CLIMATE, SPACE})
LATELY = Before(date(2026, 11, 16), frozenset({0, 1, 2}))


@given(st.integers(0, 2**60 - 1))
def test_a_mask_is_the_topics_whose_bits_are_set(mask: int) -> None:
    topics = [TopicSlug(f"t{number}") for number in range(60)]
    assert sum(1 << topics.index(topic) for topic in followed(mask, topics)) == mask


def test_the_reason_that_no_other_wish_would_change_comes_first() -> None:
    def reason(
        follows: frozenset[TopicSlug], *, is_paused: bool = False, is_suppressed: bool = False
    ) -> Skip | Edition:
        wishes = Wishes(follows, cadence=Cadence.MONTHLY)
        return ISSUE.for_reader(wishes, LATELY, is_paused=is_paused, is_suppressed=is_suppressed)

    assert reason(ALL, is_paused=True, is_suppressed=True) == Skip(SkipReason.SUPPRESSED)
    assert reason(ALL, is_paused=True) == Skip(SkipReason.PAUSED)
    assert reason(frozenset()) == Skip(SkipReason.NO_TOPICS)
    assert reason(ALL) == Skip(SkipReason.NOT_DUE, date(2026, 12, 1))
    assert ISSUE.for_reader(Wishes(ALL), LATELY) == Skip(SkipReason.ALL_SENT)
    assert ISSUE.for_reader(Wishes(frozenset({FOOD})), LATELY) == Skip(SkipReason.NOTHING_FOLLOWED)


def test_a_most_that_changes_nothing_is_the_edition_of_everybody() -> None:
    whole = ISSUE.for_reader(Wishes(ALL), NOTHING_BEFORE)
    assert isinstance(whole, Edition)
    assert whole.key == "climate:0;space:1,2"
    assert ISSUE.for_reader(Wishes(ALL, most=3), NOTHING_BEFORE) == whole
    two = ISSUE.for_reader(Wishes(ALL, most=2), NOTHING_BEFORE)
    assert isinstance(two, Edition)
    assert (two.key, two.wanted) == ("climate:0;space:1,2|2", {0, 1})
    assert Edition.from_key(two.key) == two


def test_what_they_know_makes_room_for_what_they_do_not() -> None:
    found = ISSUE.for_reader(Wishes(ALL, most=2), Before(told=frozenset({0})))
    assert found == Edition.from_key("space:1,2")
