import pytest

from digest.condense.language import get_language
from digest.condense.standing import is_mid_quote, is_personal, leans, opens_with_quote


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "They want the board to pay."),
        ("en", "It’s a wall."),
        ("en", "As a result, the market closes."),
        ("de", "Außerdem fordert der Verband ein Gutachten."),
        ("fr", "C’est un grand jour."),
        ("fr", "D’ailleurs, le marché ferme."),
        ("es", "Sin embargo, el mercado cierra."),
        ("it", "Tuttavia il mercato chiude."),
        ("pt", "No entanto, o mercado fecha."),
        ("nl", "Daarom sluit de markt."),
        ("pl", "Dodała, że głosowanie było trudne."),
        ("it", "Ha aggiunto che il voto è stato difficile."),
        ("en", "The decision angers the traders."),
        ("de", "Die Entscheidung verärgert die Händler."),
        ("pl", "Jednak targ zostanie zamknięty."),
    ],
)
def test_a_sentence_that_opens_with_a_pronoun_or_connective_leans(language: str, sentence: str) -> None:
    assert leans(sentence, get_language(language))


@pytest.mark.parametrize(
    "sentence",
    [
        "The board voted.",
        "IT companies hire.",
        "The decision to build a wall angers the traders.",
        "Theirry left.",
        "As a rule it holds.",
    ],
)
def test_a_sentence_with_its_own_subject_does_not_lean(sentence: str) -> None:
    assert not leans(sentence, get_language("en"))


@pytest.mark.parametrize("sentence", ['said "we won.', "we won”, he said.", "(as in 2004", "„Wir", "« Oui"])
def test_an_unclosed_quotation_or_parenthesis_is_seen(sentence: str) -> None:
    assert is_mid_quote(sentence)


@pytest.mark.parametrize(
    "sentence", ['He said "no".', "Er sagte „nein“.", "On dit « non ».", "Han sade ”nej”.", "It's (now) his."]
)
def test_closed_quotations_are_whole(sentence: str) -> None:
    assert not is_mid_quote(sentence)


def test_who_speaks_is_told_from_acronyms() -> None:
    english = get_language("en")
    assert is_personal(["They", "told", "us", "to", "leave"], english)
    assert not is_personal(["The", "US", "told", "them", "to", "leave"], english)
    assert opens_with_quote("“Leave,” they said.")
    assert not opens_with_quote("The “leave” order stands.")
