"""Who changed what, in words, and what one may undo and redo next."""

from __future__ import annotations

from digest.compose.shape import DROP, PIN, YES
from digest.pipeline.history import Stack, acts_of, stack_of
from digest.store.articles import ArticleId
from digest.store.edits import About, Edit, Field
from tests.stored import NOW

TIDES = ArticleId(41)


def edit(
    number: int,
    by: str = "Ada",
    *,
    field: Field = Field.SUBJECT,
    before: str = "",
    after: str = "x",
    undoes: int | None = None,
    act: int = 0,
) -> Edit:
    article_id = None if field in (Field.SUBJECT, Field.PREHEADER, Field.INTRO) else TIDES
    return Edit(number, act or number, About(field, article_id), before, after, by, NOW, undoes)


def test_one_undoes_ones_own_changes_newest_first_and_redoes_them() -> None:
    log = [edit(1), edit(2, "Ben"), edit(3)]
    assert stack_of(log, "Ada") == Stack(undo=3, redo=None)
    log.append(edit(4, undoes=3))
    assert stack_of(log, "Ada") == Stack(undo=1, redo=4)
    log.append(edit(5, undoes=1))
    assert stack_of(log, "Ada") == Stack(undo=None, redo=5)
    log.append(edit(6, undoes=5))
    assert stack_of(log, "Ada") == Stack(undo=6, redo=4)
    assert stack_of(log, "Ben") == Stack(undo=2, redo=None)
    assert stack_of(log, "Cy") == Stack(undo=None, redo=None)


def test_a_new_change_forgets_what_was_undone() -> None:
    log = [edit(1), edit(2, undoes=1), edit(3)]
    assert stack_of(log, "Ada") == Stack(undo=3, redo=None)


def test_what_another_undid_is_for_nobody_to_redo_but_them() -> None:
    log = [edit(1), edit(2, "Ben", undoes=1)]
    assert stack_of(log, "Ben") == Stack(undo=2, redo=None)


def test_each_change_is_told_in_words() -> None:
    told = {
        "pinned 'Tides'": edit(1, field=Field.WISH, after=PIN),
        "unpinned 'Tides'": edit(1, field=Field.WISH, before=PIN, after=""),
        "dropped 'Tides'": edit(1, field=Field.WISH, after=DROP),
        "took back: dropped 'Tides'": edit(1, field=Field.WISH, before=DROP, after="", undoes=7),
        "moved 'Tides'": edit(1, field=Field.PLACE, after="1:2"),
        "left the place of 'Tides' to its score": edit(1, field=Field.PLACE, before="1:2", after=""),
        "moved 'Tides' to cities": edit(1, field=Field.TOPIC, after="cities"),
        "moved 'Tides' back to its topic": edit(1, field=Field.TOPIC, before="cities", after=""),
        "wrote a headline for 'Tides'": edit(1, field=Field.HEADLINE),
        "let 'Tides' lead its story": edit(1, field=Field.LEAD, after=YES),
        "changed the takeaways of 'Tides'": edit(1, field=Field.TAKEAWAYS),
        "changed the intro": edit(1, field=Field.INTRO),
        "cleared the subject": edit(1, before="x", after=""),
    }
    for words, one in told.items():
        (act,) = acts_of([one], {TIDES: "Tides"})
        assert act.in_words == words


def test_what_is_taken_back_and_made_again_is_told_by_what_it_was() -> None:
    dropped = edit(1, field=Field.WISH, after=DROP)
    back = edit(2, field=Field.WISH, before=DROP, after="", undoes=1)
    again = edit(3, field=Field.WISH, before="", after=DROP, undoes=2)
    acts = acts_of([dropped, back, again], {TIDES: "Tides"})
    words = [act.in_words for act in acts]
    assert words == ["dropped 'Tides'", "took back: dropped 'Tides'", "made again: dropped 'Tides'"]
    (last,) = acts_of([again], {TIDES: "Tides"}, before=[dropped, back])
    assert last == acts[2]


def test_changes_made_at_once_are_one_act() -> None:
    acts = acts_of([edit(1), edit(2, field=Field.INTRO, act=1), edit(3)], {})
    assert [(act.number, act.in_words) for act in acts] == [
        (1, "changed the subject and 1 more"),
        (3, "changed the subject"),
    ]
