import pytest

from digest.condense.language import get_language
from digest.condense.trimming import forms
from digest.condense.words import words


@pytest.mark.parametrize(
    ("language", "sentence", "shorter"),
    [
        (
            "en",
            "But the board of the harbour voted to build a wall.",
            "The board of the harbour voted to build a wall.",
        ),
        (
            "en",
            "However, the board of the harbour voted to build.",
            "The board of the harbour voted to build.",
        ),
        (
            "fr",
            "Toutefois, les commerçants du port dénoncent la fin du marché.",
            "Les commerçants du port dénoncent la fin du marché.",
        ),
        (
            "en",
            "The wall (and its gates) will cost the town $83 million.",
            "The wall will cost the town $83 million.",
        ),
        (
            "en",
            "The wall will close the fish market for two seasons, which angers its traders.",
            "The wall will close the fish market for two seasons.",
        ),
        (
            "en",
            "The board, which met for nine hours, voted to build the wall at once.",
            "The board voted to build the wall at once.",
        ),
        (
            "en",
            "Ines Amaro, a lawyer for the traders, said the claim would be heard.",
            "Ines Amaro said the claim would be heard.",
        ),
        (
            "en",
            "Ines Amaro, 54, was elected by the board of the harbour.",
            "Ines Amaro was elected by the board of the harbour.",
        ),
        (
            "en",
            "The board voted on Tuesday to build a wall around the town.",
            "The board voted to build a wall around the town.",
        ),
        (
            "en",
            "The traders -- there are forty of them -- want the board of the harbour to pay.",
            "The traders want the board of the harbour to pay.",
        ),
        (
            "de",
            "Der Rat beschloss am Dienstag den Bau von zwanzig Kilometern Radwegen.",
            "Der Rat beschloss den Bau von zwanzig Kilometern Radwegen.",
        ),
        (
            "fr",
            "Le conseil municipal a voté mardi la construction de la digue.",
            "Le conseil municipal a voté la construction de la digue.",
        ),
        (
            "de",
            "Der Sturm beschädigte in der Nacht mehr als vierzig Häuser, darunter das Rathaus.",
            "Der Sturm beschädigte in der Nacht mehr als vierzig Häuser.",
        ),
    ],
)
def test_what_only_adds_can_be_left_out(language: str, sentence: str, shorter: str) -> None:
    assert forms(sentence, get_language(language)) == (sentence, shorter)


@pytest.mark.parametrize(
    "sentence",
    [
        "The harbour board voted for the wall on Tuesday, officials said.",
        "The wall will protect the town of Port Ellery, although the sea rises faster.",
        "In addition to the wall, the board of the harbour will pay for gates.",
        "But for the wall, the town of Port Ellery would have flooded.",
        "The board, which met, argued, and adjourned, voted to build the wall.",
        "The wall, a part of the plan, which the court has read, will be built.",
        "The wall, which cannot be built without the court, will cost $83 million.",
        "The board voted between Monday and Friday to build the wall at once.",
        "The town calls the flood of that year Black Friday to this day.",
        "The court papers that the traders filed Thursday said the wall was illegal.",
        "The wall will cost the town $83 million (if the court agrees) in all.",
        "The chair said: “The wall (and its gates) will cost the town $83 million.”",
        "So far, one person on the board of the harbour has resigned.",
        "But he voted for the wall.",
        "The prize went to builders from the town -- the third, who won in 2012, and others.",
    ],
)
def test_what_carries_meaning_stays(sentence: str) -> None:
    assert forms(sentence, get_language("en")) == (sentence,)


def test_what_may_be_every_saturday_stays() -> None:
    sentence = "Tot maart blijven de afvaarten op zaterdag gewoon bestaan."
    assert forms(sentence, get_language("nl")) == (sentence,)


def test_removing_a_parenthesis_never_joins_two_words() -> None:
    language = get_language("en")
    sentence = "The be(e)ver dams of the river cost 3 (or so).5 million dollars in all."
    for form in forms(sentence, language):
        assert set(words(form)) <= set(words(sentence))
