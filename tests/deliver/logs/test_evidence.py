"""What a log proves: what its server took, what it gave up, and of which time that is said."""

from __future__ import annotations

import gzip
import itertools
import random
import tracemalloc
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.deliver.logs.evidence import Evidence, read_logs
from digest.deliver.logs.servers import Joiner, LoggedBounce
from digest.deliver.logs.stamps import Stamps
from digest.domain.errors import InvalidInput
from tests.deliver.logs.samples import (
    ONE,
    THREE,
    TOLD,
    TWO,
    bounced,
    exim,
    journal_export,
    journal_json,
    postfix,
    rfc5424,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SEVEN = datetime(2026, 11, 23, 7, 0, 1, tzinfo=UTC)
ALL = (ONE, TWO, THREE)
Content = bytes | Iterable[str]


def read(folder: Path, *contents: Content, wanted: Iterable[str] = ALL) -> Evidence:
    names = []
    for number, content in enumerate(contents):
        file = folder / f"mail.log.{number}"
        file.write_bytes(content if isinstance(content, bytes) else "".join(content).encode())
        names.append(str(file))
    return read_logs(names, wanted=list(wanted), now=NOW, zone=UTC)


SENT = "dsn=2.0.0, status=sent (250 2.0.0 ok)"
POSTFIX = [
    *postfix("4F2A1C0D", ONE, end=SENT),
    *postfix("3ZbVxq2WqKz9rTt", TWO, end=bounced()),
    *postfix("5B3D2E", THREE, taken=False),
    "Nov 23 07:00:02 mx postfix/smtpd[9]: lost connection after DATA from localhost[127.0.0.1]\n",
]
GONE = LoggedBounce(TWO, "ada@example.org", "5.1.1", TOLD)


@pytest.mark.parametrize("form", ["syslog", "rfc5424", "json", "export", "gzip", "another name"])
def test_postfix_naming_a_message_is_not_postfix_taking_it(form: str, tmp_path: Path) -> None:
    """Killed between arm and dot, a worker leaves a cleanup line behind and nothing in the queue."""
    content: Content = {
        "syslog": lambda: POSTFIX,
        "rfc5424": lambda: rfc5424(POSTFIX[:-1]),
        "json": lambda: journal_json(POSTFIX[:-1]),
        "export": lambda: journal_export(POSTFIX[:-1]),
        "gzip": lambda: gzip.compress("".join(POSTFIX).encode()),
        "another name": lambda: [line.replace("postfix/", "mta-out/") for line in POSTFIX],
    }[form]()
    found = read(tmp_path, content)
    assert found.taken == {ONE, TWO}
    assert found.bounced == (GONE,)
    assert found.servers == {"Postfix"}
    assert found.first is not None
    assert found.first.replace(microsecond=0) == SEVEN


def test_a_mail_on_hold_or_thrown_away_was_taken(tmp_path: Path) -> None:
    held = [*postfix("A1", ONE, taken=False), *postfix("A2", TWO, taken=False)]
    held.append("Nov 23 07:00:01 mx postfix/cleanup[1]: A1: hold: header Subject: x from localhost\n")
    held.append("Nov 23 07:00:01 mx postfix/cleanup[1]: A2: milter-discard: END-OF-MESSAGE from localhost\n")
    assert read(tmp_path, held).taken == {ONE, TWO}


def test_what_ran_out_of_time_in_the_queue_has_bounced(tmp_path: Path) -> None:
    lines = postfix("A1", ONE)
    lines.append("Nov 23 07:00:01 mx postfix/qmgr[1]: A1: from=<b@example.org>, status=expired, returned\n")
    (bounce,) = read(tmp_path, lines).bounced
    assert (bounce.message_id, bounce.status) == (ONE, "4.4.7")


def test_a_deferral_says_nothing_yet(tmp_path: Path) -> None:
    deferred = "dsn=4.2.2, status=deferred (host mx said: 452 4.2.2 full, status=bounced (dsn=5.1.1))"
    found = read(tmp_path, postfix("A1", ONE, end=deferred, removed=False))
    assert (found.taken, found.bounced) == ({ONE}, ())


EXIM = [
    *exim(
        "1tEabc-0001ab-2C", ONE, end='=> ada@example.org R=dnslookup T=remote_smtp H=mx [192.0.2.1] C="250"'
    ),
    *exim("1tEabd-000000001ab-2CdE", TWO, end=f"** ada@example.org R=dnslookup T=remote_smtp: {TOLD}"),
    *exim(
        "1tEabe-0001ab-2C",
        THREE,
        end="== ada@example.org R=x T=y defer (-44): 451 4.7.1 later",
        completed=False,
    ),
]


@pytest.mark.parametrize("form", ["main log", "syslog", "with zone and process"])
def test_exim_writes_what_it_took_and_what_it_gave_up(form: str, tmp_path: Path) -> None:
    lines = {
        "main log": lambda: EXIM,
        "syslog": lambda: [f"Nov 23 07:00:01 mx exim[7]: {line}" for line in EXIM],
        "with zone and process": lambda: [
            line.replace("07:00:01 ", "08:00:01.250 +0100 [7123] ") for line in EXIM
        ],
    }[form]()
    found = read(tmp_path, lines)
    assert found.taken == {ONE, TWO, THREE}
    (bounce,) = found.bounced
    assert (bounce.message_id, bounce.email, bounce.status) == (TWO, "ada@example.org", "5.1.1")
    assert found.servers == {"Exim"}
    assert found.covers(SEVEN + timedelta(milliseconds=300), SEVEN + timedelta(milliseconds=900))


def test_ids_of_a_queue_are_joined_over_rotated_files_in_whatever_order(tmp_path: Path) -> None:
    lines = [
        *postfix("A1", ONE, clock="05:00:00", end=bounced()),
        *postfix("A2", TWO, clock="06:30:00"),
    ]
    older, newest = lines[:2], [line.replace("05:00:00", "06:10:00") for line in lines[4:]]
    middle = gzip.compress("".join(lines[2:4]).replace("05:00:00", "06:00:00").encode())
    for order in itertools.permutations([older, middle, newest]):
        found = read(tmp_path, *order)
        assert (found.taken, [one.message_id for one in found.bounced]) == ({ONE, TWO}, [ONE])
        assert (found.first, found.last) == (
            SEVEN - timedelta(hours=2, seconds=1),
            SEVEN - timedelta(minutes=30, seconds=1),
        )


def test_a_queue_s_id_that_is_given_again_is_another_mail(tmp_path: Path) -> None:
    lines = [*postfix("A1", ONE, end=SENT), *postfix("A1", "<shop@example.net>", end=bounced())]
    lines += postfix("A1", TWO, taken=False)
    found = read(tmp_path, lines)
    assert (found.taken, found.bounced) == ({ONE}, ())


def test_bounces_are_told_of_every_mail_of_ours_and_of_no_other(tmp_path: Path) -> None:
    lines = [*postfix("A1", ONE, end=bounced()), *postfix("A2", "<shop@example.net>", end=bounced())]
    found = read(tmp_path, lines, wanted=())
    assert (found.taken, [one.message_id for one in found.bounced]) == (frozenset(), [ONE])


def test_what_others_write_into_the_same_log_is_no_evidence(tmp_path: Path) -> None:
    others = [
        f"Nov 23 07:00:01 mx amavis[5]: (05-1) Passed CLEAN, Message-ID: {THREE}, Hits: -1\n",
        f"Nov 23 07:00:01 mx postfix/smtpd[5]: warning: header Message-ID: {THREE}\n",
        f"Nov 23 07:00:01 mx app[5]: X1: message-id={THREE} (queue active)\n",
    ]
    for lines in ([*others, *POSTFIX], [*POSTFIX, *others]):
        assert read(tmp_path, lines).taken == {ONE, TWO}


def test_a_list_of_message_ids_counts_as_it_is_and_names_no_time(tmp_path: Path) -> None:
    listed = b'{"message_id": "' + ONE.encode() + b'", "at": 1}\n\xff\xfe <not an id>\n'
    found = read(tmp_path, listed)
    assert (found.taken, found.servers, found.first) == ({ONE}, frozenset(), None)
    assert found.covers(SEVEN, NOW)
    assert not found.covers(SEVEN, NOW + timedelta(seconds=1))


def test_a_log_covers_what_lies_between_its_first_and_last_line(tmp_path: Path) -> None:
    found = read(tmp_path, POSTFIX)
    last = SEVEN + timedelta(seconds=1)
    assert found.covers(SEVEN, last + timedelta(milliseconds=999))
    assert not found.covers(SEVEN - timedelta(milliseconds=1), last)
    assert not found.covers(SEVEN, last + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"Dear diary,\nnothing happened.\n", "no log of Postfix or Exim"),
        (random.Random(7).randbytes(200_000), "nor any other text"),
        (b"SQLite format 3\0\n<1.7.0123456789ab@example.org>\n", "nor any other text"),
        (gzip.compress(b"x" * 1000)[:-9], "damaged or cut"),
        (b"\x1f\x8bnothing", "damaged or cut"),
    ],
    ids=["empty", "a diary", "a picture", "our database", "cut", "not gzip"],
)
def test_what_is_no_log_is_said(content: bytes, told: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=told):
        read(tmp_path, content)
    if content:
        with pytest.raises(InvalidInput, match=told):
            read(tmp_path, POSTFIX, content)


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    for name in (tmp_path / "none.log", tmp_path):
        with pytest.raises(InvalidInput, match=f"{name} cannot be read"):
            read_logs([str(name)], wanted=(), now=NOW)


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    def peak(mails: int) -> int:
        file = tmp_path / f"{mails}.log"
        with file.open("w") as log:
            for number in range(mails):
                log.writelines(
                    postfix(f"{number:X}", f"<7.{number}.0123456789ab@news.example.org>", end=SENT)
                )
        tracemalloc.start()
        found = read_logs([str(file)], wanted=[ONE], now=NOW, zone=UTC)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (found.taken, found.lines) == ({ONE}, 5 * mails)
        return most

    few = peak(500)
    assert peak(4_000) < few + 100_000


@given(
    st.lists(
        st.sampled_from([*POSTFIX, *EXIM, "\x00\n", "Nov 31 29:61:00 x\n", ": removed", " <= "]), min_size=1
    )
)
def test_lines_in_any_order_are_read(lines: list[str]) -> None:
    joiner = Joiner(lambda _: True, lambda _: None, lambda _: None)
    for line in lines:
        joiner.read(line.encode())
        written = Stamps(NOW, UTC).read(line.encode())
        assert written is None or written.tzinfo is not None, line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"Nov 23 07:00:01 mx x", SEVEN),
        (b"Nov  3 07:00:01 mx x", SEVEN - timedelta(days=20)),
        (b"<22>Nov 23 07:00:01 mx x", SEVEN),
        (b"Dec 24 07:00:01 mx x", SEVEN.replace(year=2025, month=12, day=24)),
        (b"Feb 29 07:00:01 mx x", SEVEN.replace(year=2024, month=2, day=29)),
        (b"2026-11-23T07:00:01Z mx x", SEVEN),
        (b"2026-11-23T08:00:01.000000+01:00 mx x", SEVEN),
        (b"2026-11-23T02:00:01-0500 mx x", SEVEN),
        (b"<22>1 2026-11-23T07:00:01.000Z mx x", SEVEN),
        (b"2026-11-23 07:00:01 1tE", SEVEN),
        (b"2026-11-23 08:00:01.000 +0100 1tE", SEVEN),
        (b"@1795417201000000 - x", SEVEN),
        (b"Nov 31 07:00:01 mx x", None),
        (b"Foo 23 07:00:01 mx x", None),
        (b"2026-11-23 25:00:01 x", None),
        (b"no stamp", None),
        (b"", None),
    ],
)
def test_every_form_of_a_stamp_is_read(line: bytes, expected: datetime | None) -> None:
    assert Stamps(NOW, UTC).read(line) == expected


def test_a_stamp_without_a_zone_is_of_the_zone_that_is_given() -> None:
    east = timezone(timedelta(hours=2))
    for line in (b"Nov 23 09:00:01 mx x", b"2026-11-23 09:00:01 1tE"):
        assert Stamps(NOW, east).read(line) == SEVEN
