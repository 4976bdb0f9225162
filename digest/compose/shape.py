"""What editors made of a draft, put on top of what was chosen by itself: pure, so that it holds each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from digest.domain.topics import TopicMatch, TopicSlug
from digest.store.articles import ArticleId
from digest.store.condensed import Candidate
from digest.store.edits import Edit, Field

PIN, DROP, YES = "pin", "drop", "yes"

_One = TypeVar("_One")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an editor put an article: between these two, None at either end.

    Both are named, as one may have left the issue when the place is looked for again.
    """

    after: ArticleId | None = None
    before: ArticleId | None = None

    def __str__(self) -> str:
        return f"{self.after or 0}:{self.before or 0}"

    @classmethod
    def parse(cls, told: str) -> Place:
        """Read what `str` wrote."""
        after, before = (ArticleId(int(number)) or None for number in told.split(":"))
        return cls(after, before)


@dataclass(frozen=True, slots=True)
class Said:
    """What an editor said, and who."""

    value: str
    by: str


@dataclass(frozen=True, slots=True)
class Shape:
    """The last word on each article, in the order in which it was said."""

    wishes: Mapping[ArticleId, Said] = field(default_factory=dict)
    places: Mapping[ArticleId, Said] = field(default_factory=dict)
    topics: Mapping[ArticleId, Said] = field(default_factory=dict)
    headlines: Mapping[ArticleId, Said] = field(default_factory=dict)
    leads: Mapping[ArticleId, Said] = field(default_factory=dict)

    @classmethod
    def of(cls, edits: Sequence[Edit]) -> Shape:
        """Return what a log of changes comes to."""
        said: dict[Field, dict[ArticleId, Said]] = {one: {} for one in Field}
        for edit in edits:
            if (article_id := edit.about.article_id) is not None:
                told = said[edit.about.field]
                told.pop(article_id, None)
                if edit.after:
                    told[article_id] = Said(edit.after, edit.by)
        return cls(
            said[Field.WISH], said[Field.PLACE], said[Field.TOPIC], said[Field.HEADLINE], said[Field.LEAD]
        )

    def pin(self, article_id: ArticleId) -> Said | None:
        """Return who wants an article in whatever it scores, None when nobody does."""
        wish = self.wishes.get(article_id)
        return wish if wish and wish.value == PIN else None

    def drop(self, article_id: ArticleId) -> Said | None:
        """Return who wants an article never in the issue, None when nobody does."""
        wish = self.wishes.get(article_id)
        return wish if wish and wish.value == DROP else None

    def keeps(self, article_id: ArticleId) -> bool:
        """Whether an editor worked on an article: then it stays in, also when better ones come."""
        worked = (self.places, self.topics, self.headlines, self.leads)
        return self.pin(article_id) is not None or any(article_id in told for told in worked)

    def rank_of_lead(self, candidate: Candidate) -> int:
        """Return what a report's place in its story goes by: the editor's last choice is first."""
        chosen = list(self.leads)[::-1]
        article_id = candidate.stored.id
        if article_id in self.leads:
            return chosen.index(article_id)
        return len(chosen) if self.pin(article_id) else len(chosen) + 1

    def moved(self, candidate: Candidate) -> Candidate:
        """Return an article with the topics it has once an editor's move is made.

        It leaves the topic it fitted best. Its other topics stay: their readers get it as before.
        """
        topics = self.topics_of(candidate.stored.id, candidate.topics)
        return candidate if topics is candidate.topics else replace(candidate, topics=topics)

    def topics_of(self, article_id: ArticleId, matches: tuple[TopicMatch, ...]) -> tuple[TopicMatch, ...]:
        """Return the topics of an article that matched these, as `moved` does."""
        said = self.topics.get(article_id)
        if said is None:
            return matches
        to = TopicSlug(said.value)
        score = matches[0].score if matches else 1.0
        others = [match for match in matches[1:] if match.slug != to]
        return (TopicMatch(to, score, f"moved there by {said.by}"), *others)

    def headline(self, candidate: Candidate) -> str:
        """Return the headline an article has in the issue."""
        return self.headline_of(candidate.stored.id, candidate.stored.article.title)

    def headline_of(self, article_id: ArticleId, title: str) -> str:
        """Return the headline of an article whose publisher gave it this title."""
        said = self.headlines.get(article_id)
        return said.value if said else title

    def in_place(self, ordered: Sequence[_One], told_by: Callable[[_One], Sequence[ArticleId]]) -> list[_One]:
        """Return `ordered` with what editors put somewhere at its place; `told_by` gives a story's reports.

        An article whose neighbours have both left stands where its score puts it.
        """
        found = list(ordered)
        for article_id, said in self.places.items():
            at = _index(found, article_id, told_by)
            if at is not None:
                one = found.pop(at)
                found.insert(_place(found, Place.parse(said.value), told_by, otherwise=at), one)
        return found


UNSHAPED = Shape()


def _place(
    found: Sequence[_One], place: Place, told_by: Callable[[_One], Sequence[ArticleId]], *, otherwise: int
) -> int:
    after, before = _index(found, place.after, told_by), _index(found, place.before, told_by)
    if after is not None:
        return after + 1
    return otherwise if before is None else before


def _index(
    found: Sequence[_One], article_id: ArticleId | None, told_by: Callable[[_One], Sequence[ArticleId]]
) -> int | None:
    return next((index for index, one in enumerate(found) if article_id in told_by(one)), None)
