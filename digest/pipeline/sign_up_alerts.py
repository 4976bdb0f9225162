"""Ops are told at once when more sign-ups come than may be mailed: for what, how many, what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from digest.domain.newsletters import Newsletter
from digest.domain.sign_ups import CAPPED, PUT_OFF, SignUpOutcome
from digest.pipeline.ops import tell_ops
from digest.runtime import Runtime
from digest.store.attempts import count_attempts, forgive_attempts
from digest.store.database import reading, writing
from digest.store.newsletters import list_newsletters
from digest.store.put_off_sign_ups import count_put_off
from digest.store.sign_ups import tallies_since

ALERT_FROM = 20
"""Sign-ups over a cap, in this hour and the one before, at which ops are told: honest slips are fewer."""

ALERT_AGAIN = timedelta(hours=6)
_HOUR = timedelta(hours=1)


def tell_of_caps(runtime: Runtime) -> None:
    """Tell ops of newsletters whose sign-ups are over their caps, of each once in `ALERT_AGAIN`."""
    now = runtime.clock()
    since = now.replace(minute=0, second=0, microsecond=0) - _HOUR
    with reading(runtime.engine) as session:
        tallies = tallies_since(session, since)
        newsletters = list_newsletters(session)
        waiting = count_put_off(session)
    for newsletter in newsletters:
        counts: Counter[SignUpOutcome] = Counter()
        for (number, _), of_hour in tallies.items():
            counts.update(of_hour if number == newsletter.id else {})
        over = sum(counts[outcome] for outcome in CAPPED)
        if over < ALERT_FROM or not _is_to_tell(runtime, newsletter):
            continue
        change = f"digest newsletter change {newsletter.slug}"
        is_told = tell_ops(
            runtime,
            f"sign-ups for {newsletter.name} are over their caps",
            _happened(newsletter, counts, since, *waiting.get(newsletter.id, (0, None))),
            to_do=_to_do(runtime, counts),
            commands=[f"{change} --no-sign-up", f"{change} --sign-up"],
        )
        if not is_told:
            with writing(runtime.engine) as session:
                forgive_attempts(session, [_key(newsletter)])


def _happened(
    newsletter: Newsletter,
    counts: Mapping[SignUpOutcome, int],
    since: datetime,
    waiting: int,
    due: datetime | None,
) -> str:
    # No sum: whoever is put off, and asked or given up an hour later, is told of in two of the lines.
    lines = "\n".join(
        f"{outcome.in_words}: {counts[outcome]:,}"
        for outcome in SignUpOutcome
        if outcome is not SignUpOutcome.CONFIRMED and counts.get(outcome)
    )
    told = (
        f"{newsletter.name} is sent more sign-ups than may be mailed at once. Since {since:%H:%M} UTC:"
        f"\n\n{lines}\n\n"
    )
    if any(counts.get(outcome) for outcome in PUT_OFF):
        told += "One that was put off and settled since stands in two lines. "
    if waiting and due:
        told += (
            f"{waiting:,} wait, and are asked as the caps allow, the next at {due:%H:%M} UTC. One that "
            "was not asked within two days is given up. "
        )
    return told + "Whoever signs up is told the same as ever."


def _to_do(runtime: Runtime, counts: Mapping[SignUpOutcome, int]) -> str:
    caps = runtime.sign_up_caps
    settings = {
        SignUpOutcome.PER_ADDRESS: ("sign_ups_per_address_day", caps.per_address_day),
        SignUpOutcome.PER_MONTH: ("sign_ups_per_address_month", caps.per_address_month),
        SignUpOutcome.PER_NETWORK: ("sign_ups_per_network_hour", caps.per_network_hour),
        SignUpOutcome.PER_DOMAIN: ("sign_ups_per_domain_hour", caps.per_domain_hour),
        SignUpOutcome.PER_NEWSLETTER: ("sign_ups_per_newsletter_hour", caps.per_newsletter_hour),
    }
    those = ", ".join(
        f"{name} ({most:,} now)" for outcome, (name, most) in settings.items() if counts.get(outcome)
    )
    return (
        f"If these are real people, raise {those or 'the caps'} in the settings and restart. If it is an "
        "attack, close the page until it is over, which gives up those who wait; the second command opens it "
        "again:"
    )


def _is_to_tell(runtime: Runtime, newsletter: Newsletter) -> bool:
    """Return whether this caller is to tell ops: nobody has told of this newsletter lately."""
    key = _key(newsletter)
    with writing(runtime.engine) as session:
        told, _ = count_attempts(session, [key], now=runtime.clock(), within=ALERT_AGAIN)[key]
    return told == 1


def _key(newsletter: Newsletter) -> str:
    return f"sign-up alert {newsletter.id}"
