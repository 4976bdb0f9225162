import tomllib
from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.condense.grounding import Grounded, ground
from digest.condense.sentences import split_sentences
from digest.domain.articles import Article
from tests.condense.samples import HARBOUR, article, heading, paragraph

HOSPITAL = article(
    paragraph(
        "Meridian Health will close two of its nine clinics, the group said on Monday. "
        "About 340 nurses are affected, and 24 percent of all beds will go. "
        "The mayor of Corley, Jan Aldous, did not attend the meeting."
    ),
    paragraph(
        "Director Eva Brandt said costs had risen from 19 to 23 million dollars. "
        '"We are out of time," she told staff. The union Carefirst is suing Meridian Health. '
        "Aldous refused to comment."
    ),
    title="Meridian Health to close clinics",
)


def problems(text: str, language: str = "en", *, said: str = "") -> tuple[str, ...]:
    return ground(text, article(paragraph(said), language=language) if said else HOSPITAL).problems


def test_a_true_paraphrase_has_no_problems_and_rests_on_its_sentences() -> None:
    grounded = ground("Nearly a quarter of beds will go and some 340 nurses are affected.", HOSPITAL)
    said = [HOSPITAL.text[span.start : span.end] for span in grounded.support]
    assert grounded.problems == ()
    assert said == ["About 340 nurses are affected, and 24 percent of all beds will go."]


def test_a_takeaway_that_merges_two_sentences_rests_on_both_in_the_articles_order() -> None:
    grounded = ground("The union Carefirst is suing as two of nine clinics will close.", HOSPITAL)
    assert grounded.problems == ()
    assert [HOSPITAL.text[span.start :][:8] for span in grounded.support] == ["Meridian", "The unio"]


@pytest.mark.parametrize(
    ("takeaway", "problem"),
    [
        ("42 percent of all beds will go.", "'42 percent' is not in the article: it says '24 percent'"),
        ("24 of all beds, 240 nurses are affected.", "'240' is not in the article: it says '340'"),
        ("The mayor of Corley, Ivo Marsh, did not attend.", "'Ivo Marsh' is not named in the article"),
        ("Director Jan Aldous said costs had risen.", "'Jan Aldous' is not named in the supporting"),
        ("Director Eva Aldous said costs had risen.", "'Eva Aldous' mixes two names of the article"),
        ("The mayor of Corley attended the meeting.", "the article says the opposite: 'did not attend'"),
        ("Eva Brandt said costs had fallen.", "the article says the opposite: 'risen', not 'fallen'"),
        ("Nurses are not affected.", "the article does not say 'not' of this"),
        ("The group said on Friday it closes clinics.", "'Friday' is not in the supporting sentences"),
        ("“We have run out of time,” she told staff.", "the quotation “We have run out of time,” is not in"),
        ("Meridian Health is suing the union Carefirst.", "the roles are exchanged"),
        ("Rain ruined several village fairs in August.", "most of its words are not in the article"),
    ],
)
def test_what_was_corrupted_is_named_in_words(takeaway: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in problems(takeaway)), problems(takeaway)


@pytest.mark.parametrize(
    "takeaway",
    [
        "Costs rose to $23 million from $19 million, says Eva Brandt.",
        "Two out of nine clinics of Meridian Health will be closed.",
        "Meridian Health is being sued by the union Carefirst.",
        "Jan Aldous would not comment.",
        '"We are out of time," the director told staff.',
    ],
)
def test_other_words_for_the_same_are_believed(takeaway: str) -> None:
    assert problems(takeaway) == ()


@pytest.mark.parametrize(
    ("language", "said", "true", "corrupted"),
    [
        (
            "de",
            "Die Firma Albtal lehnte den Plan von Heike Zumbach am Montag ab.",
            "Den Plan von Heike Zumbach hat die Firma Albtal abgelehnt.",
            "Dem Plan von Heike Zumbach hat die Firma Albtal zugestimmt.",
        ),
        (
            "fr",
            "Le maire n'a pas signé le contrat de 3,5 millions d'euros.",
            "Le contrat de 3,5 M d'euros n'a pas été signé par le maire.",
            "Le maire a signé le contrat de 3,5 millions d'euros.",
        ),
        (
            "es",
            "Las ventas de Almena cayeron un 12 por ciento en marzo.",
            "En marzo bajaron un 12 % las ventas de Almena.",
            "Las ventas de Almena subieron un 12 por ciento en marzo.",
        ),
        (
            "it",
            "La giunta ha respinto la richiesta della società Bressan.",
            "La richiesta della società Bressan è stata respinta dalla giunta.",
            "La giunta ha approvato la richiesta della società Bressan.",
        ),
        (
            "pt",
            "O número de passageiros aumentou 8% em Vila Serena.",
            "Em Vila Serena, o número de passageiros cresceu 8%.",
            "O número de passageiros caiu 8% em Vila Serena.",
        ),
        (
            "nl",
            "De gemeente Wierum betaalt de schade niet.",
            "De schade wordt niet betaald door de gemeente Wierum.",
            "De gemeente Wierum betaalt de schade.",
        ),
        (
            "pl",
            "Bezrobocie w Borowicach wzrosło o 1200 osób.",
            "W Borowicach bezrobocie zwiększyło się o 1,2 tys. osób.",
            "Bezrobocie w Borowicach spadło o 1200 osób.",
        ),
    ],
)
def test_negation_and_direction_are_told_in_every_language(
    language: str, said: str, true: str, corrupted: str
) -> None:
    assert problems(true, language, said=said) == ()
    assert problems(corrupted, language, said=said) != ()


def test_a_takeaway_without_words_or_an_article_without_text_is_refused_with_the_reason() -> None:
    assert ground("…", HOSPITAL) == Grounded((), ("it has no words",))
    assert ground("Something.", article()) == Grounded((), ("the article has no text to check it against",))


def test_a_page_instead_of_a_takeaway_is_refused_at_once() -> None:
    assert ground("word " * 1000, HOSPITAL).problems == ("it has 5000 characters: too long for a takeaway",)


@pytest.mark.parametrize("word", ["not ", "Dana Virelli ", "12 ", "fell ", "“", "is it. ", "x"])
def test_an_article_that_repeats_one_word_without_end_is_read_in_parts(word: str) -> None:
    grounded = ground((word * 1000)[:1000], article(paragraph(word * 50_000), paragraph(word * 50_000)))
    assert all(span.end - span.start <= 1_500 for span in grounded.support)


def test_who_wrote_an_article_may_be_named() -> None:
    said = "Tram fares are far too high, and the council of Corley knows it."
    assert ground("Jan Roe: the council of Corley knows tram fares are too high.", HOSPITAL).problems
    named = replace(article(paragraph(said)), byline="Jan Roe")
    assert ground("Jan Roe: tram fares are too high, and the council of Corley knows.", named).problems == ()


def test_an_abbreviation_may_be_spelled_out_and_a_name_abbreviated() -> None:
    said = "The IMT published the results. The World Care Union paid for the study."
    assert problems("The Institute Morten Tilde published the results.", said=said) == ()
    assert problems("The WCU paid for the study.", said=said) == ()


@pytest.mark.parametrize("sample", [HOSPITAL, HARBOUR])
def test_every_sentence_of_an_article_is_grounded_in_it(sample: Article) -> None:
    for place, block in sample.located_blocks():
        for span in split_sentences(block.text, sample.language):
            text = block.text[span.start : span.end]
            grounded = ground(text, sample)
            assert grounded.problems == (), text
            assert any(own.start <= place.start + span.start < own.end for own in grounded.support)


def test_every_lexicon_has_every_list() -> None:
    folder = resources.files("digest.condense.grounding.lexicons")
    files = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    own = {file.name: set(tomllib.loads(file.read_text("utf-8"))) for file in files}
    assert len(own) == 8
    german = {"nouns_have_capitals", "noun_endings", "genitives", "reach"}
    assert all(lists - german == own["en.toml"] for lists in own.values())


FIGURES = [
    "1,2 million",
    "€ 3,5",
    "R$ 3",
    "TR-70",
    "9:26.53",
    "1.2.3",
    "12 500",
    "9" * 40,
    "१२",
    "²",
    "4 in 10",
]
WORDS = [
    "a third",
    "half-time",
    "two",
    "hundred",
    "and",
    "May",
    "dreiundzwanzig",
    "Dana Virelli",
    "'s",
    "Kelmouth",
]
TURNS = ["no", "not", "don't", "ne", "pas", "lehnte", "ab", "fell", "rose", "by", "from"]
MARKS = ["%", "„", "“", "»", "…", "-", ".", "\n\n", "\x00", "ß", "İ", "一二三"]
PIECES = st.sampled_from([*FIGURES, *WORDS, *TURNS, *MARKS])
TEXTS = st.one_of(st.text(max_size=120), st.lists(PIECES, max_size=25).map(" ".join))


@settings(max_examples=150, deadline=None)
@given(
    takeaway=TEXTS,
    blocks=st.lists(TEXTS, max_size=3),
    title=TEXTS,
    language=st.sampled_from(["en", "de", "fr", "es", "it", "pt", "nl", "pl", "ja", None, "x/../y"]),
)
def test_any_text_is_checked_without_an_error(
    takeaway: str, blocks: list[str], title: str, language: str | None
) -> None:
    sample = article(*map(heading, blocks), title=title or "A title", language=language)
    grounded = ground(takeaway, sample)
    assert len(grounded.support) <= 3
    assert all(0 <= span.start < span.end <= len(sample.text) for span in grounded.support)
