import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from digest.domain.cadences import Cadence
from digest.domain.erasing import NO_MARKS
from digest.domain.errors import InvalidInput
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import Subscription, SubscriptionState
from digest.intake.lists.files import text_file
from digest.intake.lists.outcomes import Outcome
from digest.intake.lists.people import Terms
from digest.intake.lists.reading import List
from digest.intake.lists.steps import Imported, import_text
from digest.store.database import reading, writing
from digest.store.subscribers import set_subscription_state
from digest.store.subscription_pages import list_subscriptions
from tests.stored import CLIMATE, FOOD, NOW, SPACE, stored_newsletter, stored_reader

TOPICS = (CLIMATE, SPACE, FOOD)


class Import:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine)

    def __call__(self, *lines: str) -> Imported:
        text = "\n".join(lines) + "\n"
        return import_text(
            self.engine, self.newsletter, text, name="readers.csv", by="ops", now=NOW, marked=NO_MARKS
        )

    @property
    def subscriptions(self) -> list[Subscription]:
        with reading(self.engine) as session:
            return list(list_subscriptions(session, self.newsletter.id, limit=100_000))

    @property
    def follows(self) -> dict[str, set[str]]:
        return {found.subscriber.email: set(found.follows) for found in self.subscriptions}


@pytest.fixture
def bring(engine: Engine) -> Import:
    return Import(engine)


def listed(text: str) -> List:
    terms = Terms({str(topic): topic for topic in TOPICS}, (Cadence.EVERY,))
    return List((text_file("readers.csv", text),), terms)


def refusal(*lines: str) -> list[str]:
    with pytest.raises(InvalidInput) as told:
        listed("\n".join(lines)).check(now=NOW)
    return str(told.value).splitlines()


def test_readers_are_added_with_their_topics(bring: Import) -> None:
    done = bring(
        "email,name,topics,language,timezone",
        "anna@example.org,Anna,climate; food,de,Europe/Berlin",
        "ben@example.org,,,,",
    )
    assert (done.added, done.updated, done.notes) == (2, 0, ())
    anna, ben = bring.subscriptions
    assert (anna.follows, anna.subscriber.name) == ({CLIMATE, FOOD}, "Anna")
    assert (anna.subscriber.language, anna.subscriber.timezone) == ("de", "Europe/Berlin")
    assert (ben.follows, ben.state) == (frozenset(), SubscriptionState.ACTIVE)


def test_a_file_as_a_spreadsheet_writes_it_is_read(bring: Import) -> None:
    bring("\ufeff Topics ,EMAIL,Name\r", '"climate","anna@example.org","Berg, ""Anna"""\r', ",,\r", "\r")
    (anna,) = bring.subscriptions
    assert (anna.subscriber.email, anna.subscriber.name) == ("anna@example.org", 'Berg, "Anna"')
    assert anna.follows == {CLIMATE}


@pytest.mark.parametrize(("mark", "said"), [(";", "semicolons"), ("\t", "tabs")])
def test_semicolons_and_tabs_separate_fields_too_and_that_is_told(
    bring: Import, mark: str, said: str
) -> None:
    lines = (
        ["Email", "Name", "Topics"],
        ["anna@example.org", "Berg, Anna", "climate,food"],
        ["ben@example.org", "", '"climate;space"'],
    )
    done = bring(*map(mark.join, lines))
    assert (done.added, done.updated) == (2, 0)
    assert done.notes == (f"readers.csv: read with {said} between its fields",)
    assert bring.subscriptions[0].subscriber.name == "Berg, Anna"
    assert bring.follows == {"anna@example.org": {CLIMATE, FOOD}, "ben@example.org": {CLIMATE, SPACE}}


def test_commas_or_semicolons_stand_between_topics(bring: Import) -> None:
    bring("email,topics", 'anna@example.org,"climate, food"', "ben@example.org,climate;space")
    assert bring.follows == {"anna@example.org": {CLIMATE, FOOD}, "ben@example.org": {CLIMATE, SPACE}}


@pytest.mark.parametrize("char", ["\x85", "\u2028", "\x0b", "\x1c"])
def test_a_character_that_only_python_takes_for_a_line_end_is_none(bring: Import, char: str) -> None:
    bring("email,name", f"anna@example.org,An{char}na")
    assert len(bring.subscriptions) == 1


def test_a_name_over_two_lines_is_one_name() -> None:
    (line,) = listed('email,name\na@example.org,"An\nna"\n').lines(now=NOW)
    assert line.person is not None
    assert line.person.wanted.name == "An na"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("anna,climate", "'anna' is not an e-mail address"),
        (",climate", "'' is not an e-mail address"),
        ("anna@example.org,sports", "no topic 'sports'; there is: climate, space, food"),
        ("anna@example.org,climate;Space", "no topic 'Space'"),
        ("anna@example.org", "1 field where the first line names 2 columns"),
        ("anna@example.org,climate,space", "3 fields where the first line names 2 columns; put a field"),
        ("anna@example.org,cli\x00mate", "holds a NUL"),
        ("anna@exa\x00mple.org,climate", "holds a NUL"),
        ("anna@example..org,climate", "is not an e-mail address"),
        ("Anna <anna@example.org>,climate", "is not an e-mail address"),
    ],
)
def test_a_wrong_line_is_told_with_file_and_line(line: str, said: str) -> None:
    first, last = refusal("email,topics", "ben@example.org,climate", line)
    assert first.startswith("readers.csv line 3: ")
    assert said in first
    assert last.startswith("Nothing was imported.")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("cadence", "monthly", "'monthly' is no cadence of this newsletter; it offers: every"),
        ("max_items", "few", "max_items 'few' is no number from 1 to"),
        ("max_items", "-1", "max_items '-1' is no number from 1 to"),
        ("max_items", "9999", "max_items '9999' is no number from 1 to"),
        ("send_at", "noon", "'noon' is no day and hour: write it like 'saturday 08:00'"),
        ("text_only", "perhaps", "text_only 'perhaps' is neither yes nor no"),
        ("paused_until", "spring", "'spring' is no moment"),
    ],
)
def test_a_wrong_wish_is_told_with_file_and_line(field: str, value: str, said: str) -> None:
    first, _ = refusal(f"email,{field}", f"anna@example.org,{value}")
    assert first.startswith("readers.csv line 2: ")
    assert said in first


def test_how_often_and_how_much_readers_want_is_kept_where_the_file_does_not_say(bring: Import) -> None:
    bring("email,cadence,max_items", "anna@example.org,every,5", "ben@example.org,,")
    bring("email,name,max_items", "anna@example.org,Anna,", "ben@example.org,,0")
    assert [(found.cadence, found.max_items) for found in bring.subscriptions] == [
        (Cadence.EVERY, 5),
        (Cadence.EVERY, None),
    ]


def test_a_wrong_zone_is_told_with_file_and_line() -> None:
    first, _ = refusal("email,timezone", "anna@example.org,Berlin")
    assert first.startswith("readers.csv line 2: 'Berlin' is not a time zone")


def test_wrong_lines_are_told_together_up_to_ten() -> None:
    *told, more, last = refusal("email,topics", *["nobody"] * 5, *["nobody,climate"] * 8)
    assert [line.partition(":")[0] for line in told] == [f"readers.csv line {n}" for n in range(2, 12)]
    assert more == "… and 3 more lines"
    assert last.startswith("Nothing was imported. --skip-wrong imports the rest")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the file is empty. The first line must name 'email'"),
        ("\n\n", "line 1: the file is empty"),
        ("name,topics\nAnna,climate", "line 1: names the columns 'name', 'topics'. The first line must name"),
        ("email,phone\na@example.org,1", "line 1: names the columns 'email', 'phone'"),
        ("email,name,email\n", "line 1: names the columns"),
        ("anna@example.org\n", "line 1: 'anna@example.org' looks like a subscriber"),
        ("\nanna@example.org;Anna\n", "line 2: 'anna@example.org', 'anna' looks like a subscriber"),
        ("email|name\na@example.org|Anna", "line 1: 'email|name' looks like columns with '|' between"),
        ("mail;phone\na@example.org;1", "line 1: names the columns 'mail', 'phone'"),
        ("email\n", "holds no subscriber"),
        ('email,name\na@example.org,"Anna\nb@example.org,Ben\n', "not CSV"),
        ('email,name\na@example.org,"An"na\n', "line 2: not CSV"),
        ("email,name\na@example.org," + "x" * 200_000, "line 2: not CSV"),
    ],
)
def test_a_file_that_is_no_list_of_readers_is_told(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match="nothing was imported") as told:
        listed(text).check(now=NOW)
    assert said in str(told.value)


def test_nothing_is_half_imported(bring: Import) -> None:
    with pytest.raises(InvalidInput):
        bring("email,topics", "anna@example.org,climate", "ben@example.org,sports")
    assert bring.subscriptions == []


def test_lines_for_one_mailbox_are_one_reader(bring: Import) -> None:
    done = bring("email,topics", "anna@example.org,climate", "ANNA@example.org,food")
    assert done.added == 1
    assert done.notes == ("readers.csv line 3: ANNA@example.org is the mailbox of line 2; taken as one",)
    assert bring.follows == {"anna@example.org": {CLIMATE, FOOD}}


def test_who_unsubscribed_stays_so(bring: Import) -> None:
    who = stored_reader(bring.engine, bring.newsletter, "anna@example.org", SPACE)
    with writing(bring.engine) as session:
        set_subscription_state(session, bring.newsletter.id, who, SubscriptionState.UNSUBSCRIBED, now=NOW)
    done = bring("email,topics", "Anna@example.org,climate", "ben@example.org,climate")
    assert (done.added, done.updated) == (1, 0)
    assert done.notes == ("readers.csv line 2: Anna@example.org unsubscribed and stays so",)
    anna, _ = bring.subscriptions
    assert (anna.state, anna.follows) == (SubscriptionState.UNSUBSCRIBED, {SPACE})


@pytest.mark.parametrize("state", [SubscriptionState.PAUSED, SubscriptionState.PENDING])
def test_an_import_decides_for_nobody_who_has_decided(bring: Import, state: SubscriptionState) -> None:
    who = stored_reader(bring.engine, bring.newsletter, "anna@example.org", SPACE)
    with writing(bring.engine) as session:
        set_subscription_state(session, bring.newsletter.id, who, state, now=NOW)
    assert bring("email,topics", "anna@example.org,climate").updated == 1
    (anna,) = bring.subscriptions
    assert (anna.state, anna.follows) == (state, {CLIMATE})


def test_a_column_that_is_not_there_changes_nothing(bring: Import) -> None:
    bring("email,name,topics", "anna@example.org,Anna,climate;food")
    assert bring("email", "anna@example.org") == Imported({Outcome.UPDATED: 1})
    (anna,) = bring.subscriptions
    assert (anna.subscriber.name, anna.follows) == ("Anna", {CLIMATE, FOOD})


def test_an_empty_field_of_topics_ends_what_was_followed(bring: Import) -> None:
    bring("email,topics", "anna@example.org,climate")
    bring("email,topics", "anna@example.org,")
    assert bring.follows == {"anna@example.org": set()}


def test_readers_of_another_newsletter_keep_what_they_follow_there(bring: Import) -> None:
    other = stored_newsletter(bring.engine, slug="daily")
    stored_reader(bring.engine, other, "anna@example.org", FOOD)
    assert bring("email,topics", "anna@example.org,climate").added == 1
    with reading(bring.engine) as session:
        (there,) = list_subscriptions(session, other.id, limit=9)
    assert there.follows == {FOOD}


def test_a_long_list_is_imported_whole(bring: Import) -> None:
    lines = [f"reader{n}@example.org,Reader {n},climate;space" for n in range(2_500)]
    assert bring("email,name,topics", *lines).added == 2_500
    if bring.engine.dialect.name == "postgresql":
        with reading(bring.engine) as session:
            planned_for = session.scalar(text("SELECT reltuples FROM pg_class WHERE relname = 'follows'"))
        assert (planned_for or 0) >= 2_000, "plans are for what the list has brought so far"
    lines = [f"READER{n}@example.org,,food" for n in range(2_501)]
    done = bring("email,name,topics", *lines)
    assert (done.added, done.updated) == (1, 2_500)
    assert {frozenset(follows) for follows in bring.follows.values()} == {frozenset({FOOD})}


def said_of(text: str) -> str:
    """Return what is said of a file: nothing when it can be read."""
    try:
        listed(text).check(now=NOW)
    except InvalidInput as exc:
        return str(exc)
    return ""


@given(st.text())
def test_whatever_is_in_the_file_is_read_or_refused_in_words(text: str) -> None:
    said = said_of(text)
    assert not said or "readers.csv" in said


@given(st.lists(st.text(max_size=12), min_size=2, max_size=2))
def test_whatever_is_in_a_line_is_read_or_refused_in_words(fields: list[str]) -> None:
    said = said_of("email,name\n" + ",".join(fields))
    assert not said or "readers.csv" in said
