from hypothesis import given
from hypothesis import strategies as st

from digest.address.decide import ItemReason, followed, item_reasons, skip_reason
from digest.domain.issues import Edition, Outline, Section, edition_for
from digest.domain.subscribers import SkipReason
from digest.domain.topics import TopicSlug

CLIMATE, SPACE, FOOD = map(TopicSlug, ("climate", "space", "food"))
TOPICS = (CLIMATE, SPACE, FOOD)
NAMES = {CLIMATE: "Climate & energy", SPACE: "Space"}
SOMETHING, NOTHING = Edition((Section(CLIMATE, (0,)),)), Edition(())


@given(st.integers(0, 2**60 - 1))
def test_a_mask_is_the_topics_whose_bits_are_set(mask: int) -> None:
    topics = [TopicSlug(f"t{number}") for number in range(60)]
    assert sum(1 << topics.index(topic) for topic in followed(mask, topics)) == mask


def test_a_reader_with_something_to_read_is_not_skipped() -> None:
    assert skip_reason({CLIMATE}, SOMETHING, is_paused=False, is_suppressed=False) is None


def test_the_reason_nobody_could_change_by_following_more_comes_first() -> None:
    assert skip_reason({CLIMATE}, SOMETHING, is_paused=True, is_suppressed=True) is SkipReason.SUPPRESSED
    assert skip_reason({CLIMATE}, SOMETHING, is_paused=True, is_suppressed=False) is SkipReason.PAUSED
    assert skip_reason((), NOTHING, is_paused=False, is_suppressed=False) is SkipReason.NO_TOPICS
    assert skip_reason({FOOD}, NOTHING, is_paused=False, is_suppressed=False) is SkipReason.NOTHING_FOLLOWED


def test_every_item_has_its_reason() -> None:
    outline = Outline(TOPICS, ((CLIMATE,), (FOOD, SPACE), (SPACE, CLIMATE)))
    edition = edition_for(outline, {CLIMATE})
    assert item_reasons(outline, ("A", "B", "C"), edition, NAMES) == (
        ItemReason(0, "A", True, "follows Climate & energy"),
        ItemReason(1, "B", False, "is about food and Space, which they do not follow"),
        ItemReason(2, "C", True, "follows Climate & energy"),
    )


def test_what_they_follow_is_not_shown_when_no_mail_goes_out() -> None:
    outline = Outline(TOPICS, ((CLIMATE,), (SPACE,)))
    reasons = item_reasons(outline, ("A", "B"), SOMETHING, NAMES, withheld="paused their subscription")
    assert reasons == (
        ItemReason(0, "A", False, "follows Climate & energy, but paused their subscription"),
        ItemReason(1, "B", False, "is about Space, which they do not follow"),
    )
