"""What one reader gets of an issue: the rule that addressing, previews, dry runs and explanations share."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from digest.domain.cadences import Cadence, due_on
from digest.domain.issues import Edition, Issue, Outline, edition_for
from digest.domain.less import NOTHING_LESS, Less
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SkipReason, Subscription
from digest.domain.times import zone
from digest.domain.topics import TopicSlug


def followed(mask: int, topics: Iterable[TopicSlug]) -> frozenset[TopicSlug]:
    """Return the topics whose bits are set in `mask`, bit 0 being the first."""
    return frozenset(topic for bit, topic in enumerate(topics) if mask >> bit & 1)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a reader asked for. `most` is how many articles a mail may hold, None for all.

    `is_text` asks for mail that is text alone.
    """

    follows: frozenset[TopicSlug]
    most: int | None = None
    cadence: Cadence = Cadence.EVERY
    is_text: bool = False
    less: Less = NOTHING_LESS

    @classmethod
    def of(cls, subscription: Subscription, less: Less) -> Wishes:
        """Return what a subscriber asked for."""
        return cls(
            subscription.follows,
            subscription.max_items,
            subscription.cadence,
            subscription.text_only,
            less,
        )


@dataclass(frozen=True, slots=True)
class Before:
    """What a reader was sent before: the day of their last issue, and what of *this* issue they know.

    `told` are positions in this issue whose article, or its story, was in a mail of theirs.
    """

    last_on: date | None = None
    told: frozenset[int] = frozenset()


NOTHING_BEFORE = Before()


@dataclass(frozen=True, slots=True)
class Skip:
    """Why a reader gets nothing; `until` is from when on they are due again, for that reason alone."""

    reason: SkipReason
    until: date | None = None

    @property
    def in_words(self) -> str:
        """The reason as ops and editors read it."""
        return f"not due until {self.until}" if self.until else self.reason.in_words


@dataclass(frozen=True, slots=True)
class Addressable:
    """All of an issue that decides who gets what of it. `day` is the local date after those it covers.

    `sources` are the names of its articles' sources, none where they were not kept.
    """

    outline: Outline
    day: date
    window_days: int
    sources: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, newsletter: Newsletter, issue: Issue, outline: Outline, sources: Sequence[str] = ()
    ) -> Addressable:
        """Return an issue of `newsletter` as its window and this outline make it."""
        tz = zone(newsletter.timezone)
        first, last = issue.window.local_days(tz)
        return cls(outline, last + timedelta(days=1), (last - first).days + 1, tuple(sources))

    def for_reader(
        self,
        wishes: Wishes,
        before: Before,
        *,
        is_paused: bool = False,
        is_suppressed: bool = False,
        is_outside: bool = False,
    ) -> Edition | Skip:
        """Return what a reader gets of the issue, or why they get nothing.

        `is_outside` is who is not among the readers that the issue is for.
        """
        if is_suppressed or is_paused:
            return Skip(SkipReason.SUPPRESSED if is_suppressed else SkipReason.PAUSED)
        if is_outside:
            return Skip(SkipReason.OUTSIDE)
        until = self.not_due_until(wishes.cadence, before.last_on) if wishes.follows else None
        if until is not None:
            return Skip(SkipReason.NOT_DUE, until)
        found = self.edition(
            wishes.follows,
            most=wishes.most,
            told=before.told,
            is_text=wishes.is_text,
            less=wishes.less,
        )
        return Skip(found) if isinstance(found, SkipReason) else found

    def not_due_until(self, cadence: Cadence, last_on: date | None) -> date | None:
        """Return from when on a reader of this cadence is due again, None when this issue is theirs."""
        if cadence is Cadence.EVERY or last_on is None:
            return None
        due = due_on(cadence, last_on, window_days=self.window_days)
        return due if due > self.day else None

    def edition(
        self,
        follows: Collection[TopicSlug],
        *,
        most: int | None = None,
        told: Collection[int] = (),
        is_text: bool = False,
        less: Less = NOTHING_LESS,
    ) -> Edition | SkipReason:
        """Return what readers of these wishes see, or why there is nothing for them."""
        if not follows:
            return SkipReason.NO_TOPICS
        edition = self._edition(follows, most, told, less)
        if edition.sections:
            return replace(edition, is_text=True) if is_text else edition
        if less and self._edition(follows, most, told, NOTHING_LESS).sections:
            return SkipReason.WANTS_LESS
        has_some = told and edition_for(self.outline, follows).sections
        return SkipReason.ALL_SENT if has_some else SkipReason.NOTHING_FOLLOWED

    def _edition(
        self, follows: Collection[TopicSlug], most: int | None, told: Collection[int], less: Less
    ) -> Edition:
        if not less:
            return edition_for(self.outline, follows, most=most, without=told)
        without = less.unwanted(self.sources).union(told)
        return edition_for(self.outline, less.wanted(follows), most=most, without=without, single=less.single)
