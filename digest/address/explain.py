"""Why a reader gets what they get of an issue, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.address.decide import ItemReason, Reading, item_reasons
from digest.address.steps import own_zone
from digest.domain.addressing import Addressable, Skip, Wishes
from digest.domain.bounces import Meaning
from digest.domain.deliveries import DeliveryId, DeliveryState
from digest.domain.issues import Edition, Issue, IssueId, IssueState, Outline
from digest.domain.measuring import Measuring
from digest.domain.newsletters import Newsletter
from digest.domain.segments import asks_who_reads
from digest.domain.subscribers import SkipReason, Subscription, SubscriptionState
from digest.domain.times import by_the_clock, zone
from digest.domain.topics import TopicSlug
from digest.domain.wished import WHENEVER
from digest.store.audiences import find_skip
from digest.store.contents import addresses_of, sources_of
from digest.store.database import reading
from digest.store.deliveries import DeliveryRow, edition_key_of, find_delivery
from digest.store.failures import FAILING
from digest.store.history import History, repeats_of
from digest.store.issue_segments import is_outside, limits_of
from digest.store.issues import get_issue
from digest.store.left_out import FORGOTTEN
from digest.store.less import less_of, muted_until
from digest.store.measured import agreement_of
from digest.store.newsletters import list_topics, newsletter_by_id
from digest.store.returned import find_what_came_back
from digest.store.revisions import get_outline, get_rendered
from digest.store.schedules import find_own_hour
from digest.store.subscribers import get_subscription
from digest.store.suppressions import is_suppressed


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a reader gets what they get of an issue.

    `verdict` is one sentence. `follows` are the short names of what they follow now, `follows_names` what
    readers see these topics called. `delivery` is the state of their delivery, None while there is none.
    `not_before` is the hour it waits for, None when it waits for none.
    """

    email: str
    issue_id: IssueId
    verdict: str
    follows: tuple[TopicSlug, ...]
    follows_names: tuple[str, ...]
    items: tuple[ItemReason, ...]
    delivery: DeliveryState | None
    issue_state: IssueState
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What an issue tells: the topics of each of its items, their titles, and what addresses each is told at.

    Without `addresses` nothing is known to have been told before, without `sources` none is known.
    """

    outline: Outline
    titles: tuple[str, ...]
    addresses: tuple[frozenset[str], ...] = ()
    sources: tuple[str, ...] = ()


def explain(
    engine: Engine, issue_id: int, email: str, *, told: Told | None = None, now: datetime | None = None
) -> Explanation:
    """Say why `email` gets, or does not get, each item of an issue.

    `told` is what a draft would tell; without it what the approval froze counts. `now` is when it is asked,
    None: at this moment. Once the issue was
    addressed, what was decided then counts, not what they follow now. Raises `NotFound` for an unknown issue
    or reader, `Conflict` without `told` for an issue that was never approved.
    """
    with reading(engine) as session:
        issue = get_issue(session, issue_id)
        subscription = get_subscription(session, issue.newsletter_id, email)
        if told is None:
            frozen = get_outline(session, issue), get_rendered(session, issue).titles
            told = Told(*frozen, addresses_of(session, issue), sources_of(session, issue))
        return _Case(session, issue, subscription, told, now).explanation()


class _Case:
    """One reader and one issue."""

    def __init__(
        self,
        session: Session,
        issue: Issue,
        subscription: Subscription,
        told: Told,
        now: datetime | None,
    ) -> None:
        self._session = session
        self._issue = issue
        self._subscription = subscription
        self._told = told
        self._newsletter = newsletter_by_id(session, issue.newsletter_id)
        self._limits = limits_of(session, issue)
        who = subscription.subscriber.id
        self._is_outside = is_outside(session, self._newsletter, self._limits, who, now=now)
        repeats = repeats_of(session, issue, told.addresses)
        self._before = History(session, issue, repeats).of(subscription.subscriber.id)
        self._delivery = find_delivery(session, issue.id, who)
        # What was decided is explained by what they wanted then.
        self._decided_at = self._delivery.created_at if self._delivery else issue.sending_at
        self._less = less_of(session, issue.newsletter_id, who, after=issue.window.end, by=self._decided_at)

    def explanation(self) -> Explanation:
        delivery = self._delivery
        names = {topic.slug: topic.name for topic in list_topics(self._session, self._newsletter.id)}
        edition, verdict, withheld = self._without_delivery() if delivery is None else self._with(delivery)
        follows = self._subscription.follows
        reader = Reading(
            edition,
            follows,
            self._before.told,
            withheld,
            self._less,
            self._less.unwanted(self._told.sources),
            self._muted_until(),
            is_over=delivery is not None,
        )
        return Explanation(
            email=self._subscription.subscriber.email,
            issue_id=self._issue.id,
            verdict=f"{verdict}, as text alone" if edition.is_text and not withheld else verdict,
            follows=tuple(topic for topic in names if topic in follows),
            follows_names=tuple(name for topic, name in names.items() if topic in follows),
            items=item_reasons(self._told.outline, self._told.titles, reader, names),
            delivery=None if delivery is None else DeliveryState(delivery.state),
            issue_state=self._issue.state,
            not_before=self._own_hour(delivery),
        )

    def _muted_until(self) -> Mapping[TopicSlug, date]:
        who, of = self._subscription.subscriber, self._newsletter
        until = muted_until(self._session, of.id, who.id, now=self._issue.window.end)
        tz = own_zone(who.timezone, of)
        return {topic: end.astimezone(tz).date() for topic, end in until.items()}

    def _with(self, delivery: DeliveryRow) -> tuple[Edition, str, str]:
        """Return what a delivery carries, the verdict, and why its reader misses even that."""
        edition = Edition.from_key(edition_key_of(self._session, delivery))
        state = DeliveryState(delivery.state)
        verdict = _DELIVERY_WORDS[state]
        if state is DeliveryState.PENDING:
            verdict = self._waiting(delivery)
        elif state is DeliveryState.FAILED and (said := answer_of(delivery)):
            # Without a code no server refused it: it was given up here, and what is kept says why.
            said = f"the mail server refused it: {said}" if delivery.smtp_code else said
            verdict = f"did not get this issue: {said.rstrip('.')}"
        elif state is DeliveryState.ACCEPTED:
            verdict += self._came_back(delivery)
        return edition, verdict, _NEVER_ARRIVED.get(state, "")

    def _came_back(self, delivery: DeliveryRow) -> str:
        """Say what became of a mail after a server had taken it, '' when nothing was told."""
        found = find_what_came_back(self._session, DeliveryId(delivery.id), (*FAILING, Meaning.COMPLAINT))
        if found is None:
            return ""
        meaning, said = found
        if meaning is Meaning.COMPLAINT:
            return ", and its reader called it spam"
        return ", but it came back" + (f": {said.rstrip('.')}" if said else "")

    def _waiting(self, delivery: DeliveryRow) -> str:
        """Say when a mail leaves that has not, and what the last try came to."""
        if hour := self._own_hour(delivery):
            return f"gets this issue: goes out at {self._at(hour)}"
        then = self._at(delivery.next_at)
        if delivery.attempts and (said := answer_of(delivery)):
            return f"gets this issue: put off by '{said.rstrip('.')}', tried again at {then}"
        later = f", not before {then}" if delivery.next_at > delivery.created_at else ""
        return _DELIVERY_WORDS[DeliveryState.PENDING] + later

    def _own_hour(self, delivery: DeliveryRow | None) -> datetime | None:
        """Return the hour by their own clock that a reader's mail waits for, None when it does not.

        What a worker has claimed once was due, and was put off, such as for receivers that take mail slowly.
        """
        if delivery is not None:
            waits = delivery.state == DeliveryState.PENDING and not (delivery.attempts or delivery.fence)
            return delivery.next_at if waits and delivery.next_at > delivery.created_at else None
        return self._their_hour() if self._issue.state in _TO_COME else None

    def _their_hour(self) -> datetime | None:
        """Return when their mail may leave at the earliest; their own wish counts from when the issue can."""
        hour = find_own_hour(self._session, self._issue.id)
        tz = own_zone(self._subscription.subscriber.timezone, self._newsletter)
        theirs = hour.where(tz) if hour and self._newsletter.local_time else None
        wished = self._subscription.wished
        if wished == WHENEVER:
            return theirs
        anyone = hour.where(zone(self._newsletter.timezone)) if hour else self._issue.window.end
        return wished.first_from(theirs if theirs and wished.hour is None else anyone, tz)

    def _at(self, moment: datetime) -> str:
        return by_the_clock(moment, own_zone(self._subscription.subscriber.timezone, self._newsletter))

    def _without_delivery(self) -> tuple[Edition, str, str]:
        """Return what a reader would see, the verdict, and why they miss even what they follow."""
        edition = self._decided(is_paused=False, is_suppressed=False)
        shown = edition if isinstance(edition, Edition) else self._everything()
        return shown, *self._verdict()

    def _everything(self) -> Edition:
        """Return what a reader who gets nothing follows of the issue, all the same."""
        found = self._addressable().edition(
            self._subscription.follows, told=self._before.told, less=self._less
        )
        return Edition(()) if isinstance(found, SkipReason) else found

    def _addressable(self) -> Addressable:
        return Addressable.of(self._newsletter, self._issue, self._told.outline, self._told.sources)

    def _decided(self, *, is_paused: bool, is_suppressed: bool) -> Edition | Skip:
        return self._addressable().for_reader(
            Wishes.of(self._subscription, self._less),
            self._before,
            is_paused=is_paused,
            is_suppressed=is_suppressed,
            is_outside=self._is_outside,
        )

    def _verdict(self) -> tuple[str, str]:
        """Return the verdict on a reader without a delivery, and why they miss even what they follow."""
        skip = find_skip(self._session, self._issue.id, self._subscription.subscriber.id)
        if skip is not None:
            then = skip.in_words if skip.reason in _SAYS_ALL else "only since the audience was fixed"
            return f"was sent nothing of this issue: {skip.in_words}", then
        if told := self._is_out():
            return f"gets nothing of this issue: {told}", told
        found = self._decided(
            is_paused=self._subscription.state is SubscriptionState.PAUSED,
            is_suppressed=is_suppressed(self._session, self._subscription.subscriber.email),
        )
        will = "would" if self._issue.state is IssueState.DRAFT else "will"
        if isinstance(found, Skip):
            return f"{will} get nothing of this issue: {found.in_words}", found.in_words
        hour = self._own_hour(None)
        return f"{will} get this issue" + (f", not before {self._at(hour)}" if hour else ""), ""

    def _is_out(self) -> str:
        """Return why a reader is not in the audience at all, '' when they are or would be."""
        if self._subscription.state not in (SubscriptionState.ACTIVE, SubscriptionState.PAUSED):
            return f"subscription is {self._subscription.state}"
        if self._issue.state is IssueState.CANCELLED and self._issue.sending_at is None:
            return "it was cancelled before it was sent"
        if self._issue.state in _TO_COME:
            return ""
        without = self._limits.without
        if without and (without.query == FORGOTTEN or asks_who_reads(without.query)):
            return "left out, or subscribed after its audience was fixed: which of them is not kept any more"
        return "subscribed after its audience was fixed"


_TO_COME = (IssueState.DRAFT, IssueState.APPROVED)
_SAYS_ALL = (
    SkipReason.WANTS_LESS,
    SkipReason.PAUSED,
    SkipReason.SUPPRESSED,
    SkipReason.OUTSIDE,
    SkipReason.NOT_DUE,
    SkipReason.ALREADY_SENT,
)

_DELIVERY_WORDS: Mapping[DeliveryState, str] = {
    DeliveryState.PENDING: "gets this issue: waiting to be sent",
    DeliveryState.CLAIMED: "gets this issue: being sent now",
    DeliveryState.SENDING: "gets this issue: being sent now",
    DeliveryState.ACCEPTED: "got this issue: the mail server accepted it",
    DeliveryState.FAILED: "did not get this issue: its mail failed",
    DeliveryState.UNKNOWN: "may have got this issue: the mail server never answered",
    DeliveryState.CANCELLED: "does not get this issue: cancelled before it was sent",
}

_NEVER_ARRIVED: Mapping[DeliveryState, str] = {
    DeliveryState.FAILED: "the mail failed",
    DeliveryState.CANCELLED: "the mail was cancelled",
}


def answer_of(delivery: DeliveryRow) -> str:
    """Return what the last try came to: the mail server's code and words, or why there is no answer."""
    return " ".join(str(part) for part in (delivery.smtp_code, delivery.smtp_text) if part)


def edition_of(
    session: Session,
    newsletter: Newsletter,
    issue: Issue,
    subscription: Subscription,
    told: Told,
    *,
    now: datetime | None = None,
) -> Edition | Skip:
    """Return what a subscriber would get of an issue, whether or not they paused or are suppressed.

    It is measured where their newsletter asks and they agreed, as the issue is addressed.
    """
    who = subscription.subscriber.id
    before = History(session, issue, repeats_of(session, issue, told.addresses)).of(who)
    less = less_of(session, newsletter.id, who, after=issue.window.end)
    found = Addressable.of(newsletter, issue, told.outline, told.sources).for_reader(
        Wishes.of(subscription, less),
        before,
        is_outside=is_outside(session, newsletter, limits_of(session, issue), who, now=now),
    )
    if isinstance(found, Skip) or newsletter.measuring is Measuring.OFF:
        return found
    return replace(found, is_measured=agreement_of(session, newsletter.id, who) is not None)
