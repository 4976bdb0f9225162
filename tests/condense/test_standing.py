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
        ("pl", "Dzięki temu zespół wygrał zawody."),
        ("nl", "Vorig jaar gebeurde dat 31 keer."),
        ("pt", "Os dados foram divulgados na terça-feira."),
        ("fr", "Les images ont été rendues publiques lundi."),
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


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("de", "Das teilte der Landrat am Montag mit."),
        ("de", "Für sie wird eine Brücke gebaut."),
        ("de", "Die 38-Jährige hat Maschinenbau studiert."),
        ("fr", "Publiée mardi, elle a porté sur 61 000 insectes."),
        ("fr", "Depuis cette date, le pont est fermé."),
        ("es", "Trabajaba en una mina."),
        ("es", "No encontró diferencias."),
        ("it", "Lavora da solo, di notte."),
        ("it", "Il Comune la userà da maggio."),
        ("pt", "Ela acompanha uma rede de voluntários."),
        ("pt", "Acompanhou a rede durante dez anos."),
        ("nl", "Voor hen komt er een watertaxi."),
        ("pl", "Pracuje nad nim 19 osób."),
        ("pl", "Wykazało to badanie z Zalesia."),
        ("sv", "Det beslutade regionen på tisdagen."),
        ("ru", "Об этом сообщила мэрия."),
        ("ja", "しかし、費用は分かっていない。"),
        ("zh", "此外，旅馆担心客人减少。"),
    ],
)
def test_what_was_named_before_is_missed_in_every_language(language: str, sentence: str) -> None:
    assert leans(sentence, get_language(language))


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("de", "Das neue Haus am See kostet drei Millionen Euro."),
        ("de", "Das in Bonn ansässige Amt zieht um."),
        ("de", "Diese Woche entscheidet der Stadtrat über den Haushalt."),
        ("de", "Die 38-jährige Vera Mustermann leitet das Werk."),
        ("fr", "Cette semaine, le conseil vote le budget."),
        ("fr", "Selon le maire, il faudra trois ans."),
        ("es", "Este lunes el Gobierno aprobó la ley."),
        ("es", "Costa Azul suprime seis ferris."),
        ("es", "La cuenta asciende a tres millones."),
        ("es", "Llegó el primer tren a Arnoa."),
        ("it", "È morto ieri a Roma Carlo Modello."),
        ("it", "La costa ligure perde le spiagge."),
        ("it", "Carla Modello dirige il museo."),
        ("pt", "Foi detido o suspeito do incêndio."),
        ("pt", "Esta semana a Câmara aprova o orçamento."),
        ("nl", "Deze week stemt de raad over de haven."),
        ("nl", "Het veer vaart op zondag niet meer."),
        ("pl", "W tym roku powstanie nowy most."),
        ("pl", "Dzięki temu, że rada ustąpiła, targ zostanie."),
        ("pt", "Os dados do instituto foram divulgados na terça-feira."),
        ("pl", "Ruszyła budowa mostu w Zalesiu."),
        ("pl", "Materiał dowodowy trafił do sądu."),
        ("ru", "В этом году откроют новый мост."),
    ],
)
def test_a_sentence_that_only_resembles_a_leaning_one_stands(language: str, sentence: str) -> None:
    assert not leans(sentence, get_language(language))


def test_who_speaks_is_told_from_acronyms() -> None:
    english = get_language("en")
    assert is_personal(["They", "told", "us", "to", "leave"], english)
    assert not is_personal(["The", "US", "told", "them", "to", "leave"], english)
    assert opens_with_quote("“Leave,” they said.")
    assert not opens_with_quote("The “leave” order stands.")
