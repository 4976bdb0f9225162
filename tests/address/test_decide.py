from digest.address.decide import ItemReason, Reading, item_reasons
from digest.domain.issues import Edition, Outline, Section, edition_for
from digest.domain.topics import TopicSlug

CLIMATE, SPACE, FOOD = map(TopicSlug, ("climate", "space", "food"))
TOPICS = (CLIMATE, SPACE, FOOD)
NAMES = {CLIMATE: "Climate & energy", SPACE: "Space"}
SOMETHING = Edition((Section(CLIMATE, (0,)),))


def test_every_item_has_its_reason() -> None:
    outline = Outline(TOPICS, ((CLIMATE,), (FOOD, SPACE), (SPACE, CLIMATE)))
    edition = edition_for(outline, {CLIMATE})
    assert item_reasons(outline, ("A", "B", "C"), Reading(edition), NAMES) == (
        ItemReason(0, "A", True, "follows Climate & energy"),
        ItemReason(1, "B", False, "is about food and Space, which they do not follow"),
        ItemReason(2, "C", True, "follows Climate & energy"),
    )


def test_what_they_follow_is_not_shown_when_no_mail_goes_out() -> None:
    outline = Outline(TOPICS, ((CLIMATE,), (SPACE,)))
    reasons = item_reasons(
        outline, ("A", "B"), Reading(SOMETHING, withheld="paused their subscription"), NAMES
    )
    assert reasons == (
        ItemReason(0, "A", False, "follows Climate & energy, but paused their subscription"),
        ItemReason(1, "B", False, "is about Space, which they do not follow"),
    )


def test_what_is_over_their_most_is_online_and_what_they_know_is_not_there_at_all() -> None:
    outline = Outline(TOPICS, ((CLIMATE,), (SPACE,), (CLIMATE,)))
    edition = edition_for(outline, {CLIMATE, SPACE}, most=1, without={1})
    reader = Reading(edition, {CLIMATE, SPACE}, told={1})
    assert item_reasons(outline, ("A", "B", "C"), reader, NAMES) == (
        ItemReason(0, "A", True, "follows Climate & energy"),
        ItemReason(1, "B", False, "follows Space, but was sent it before"),
        ItemReason(2, "C", False, "follows Climate & energy; online only, over their most of 1"),
    )
