"""The labels of publishers' own summaries, "Key Takeaways" and its like, in ten languages."""

from __future__ import annotations

import re
import unicodedata

_COUNTED = re.compile(r"\b(?:\d{1,2}|two|three|four|five|six|seven|drei|vier|fünf)\s+")
_SPACE = re.compile(r"\s+")
_ENDS = re.compile(r"^\W+|\W+$")


def bare_line(text: str) -> str:
    """Return `text` as labels are compared: case-folded, no decoration at either end, plain apostrophes."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _SPACE.sub(" ", _ENDS.sub("", folded))


def bare_label(text: str) -> str:
    """Return `text` as `bare_line` does, without how many there are: "The 5 key takeaways"."""
    return _COUNTED.sub("", bare_line(text))


def is_summary_label(text: str) -> bool:
    """Say whether a whole line is such a label, whatever signs stand around it."""
    return bare_label(text) in SUMMARY_LABELS


_WRITTEN = """
alles wichtige in kürze, auf den punkt, auf den punkt gebracht, auf einen blick, darum geht es, darum
geht's, das musst du wissen, das müssen sie wissen, das sollten sie wissen, das wichtigste, das wichtigste
auf einen blick, das wichtigste im überblick, das wichtigste in aller kürze, das wichtigste in kürze, das
wichtigste zum thema, das wichtigste zusammengefasst, die fakten, die kernaussagen, die kernpunkte, die
kurzfassung, die wichtigsten erkenntnisse, die wichtigsten erkenntnisse auf einen blick, die wichtigsten
fakten, die wichtigsten fakten im überblick, die wichtigsten punkte, die wichtigsten punkte im überblick,
fazit in kürze, im überblick, in kürze, kernaussagen, kernpunkte, kurz & knapp, kurz gefasst, kurz und
knapp, kurz zusammengefasst, kurzfassung, kurzüberblick, was du wissen musst, was sie wissen müssen,
wichtigste punkte, worum geht es, zusammenfassung, zusammengefasst, überblick,
article highlights, article summary, at a glance, bullet points, executive summary, fast facts, here's what
to know, here's what you need to know, highlights, in a nutshell, in brief, in short, key facts, key
findings, key insights, key points, key takeaway, key takeaways, main points, main takeaway, main takeaways,
need to know, our key takeaways, quick facts, quick read, quick summary, quick takeaways, story highlights,
story summary, summary, summary of the story, takeaways, the bottom line, the brief, the essentials, the
essentials in brief, the gist, the highlights, the key points, the key takeaways, the main points, the quick
read, the short version, the takeaway, the takeaways, things to know, tl dr, tl;dr, tldr, too long; didn't
read, top takeaways, topline, what to know, what you need to know, what you should know, why it matters in
brief,
aspectos clave, aspectos destacados, claves, conclusiones clave, datos clave, de un vistazo, destacados, en
breve, en pocas palabras, en resumen, en síntesis, ideas clave, ideas principales, la noticia en breve, las
claves, las claves de la noticia, lo esencial, lo esencial de la noticia, lo más destacado, lo más
importante, lo más importante de la noticia, lo que debe saber, lo que debes saber, lo que hay que saber, lo
que necesita saber, lo que necesitas saber, los puntos clave, los puntos principales, puntos clave, puntos
destacados, puntos principales, qué debe saber, qué hay que saber, resumen, resumen de la noticia, resumen
del artículo,
ce qu'il faut retenir, ce qu'il faut savoir, ce qu'il faut savoir de l'article, en bref, en deux mots, en
quelques mots, en résumé, en un clin d'œil, en un coup d'œil, l'article en bref, l'essentiel, l'essentiel de
l'actualité, l'essentiel de l'article, l'essentiel à retenir, le résumé, le résumé de l'article, les
chiffres clés, les clés, les faits, les infos clés, les points clés, les points essentiels, les points
forts, les points principaux, les points à retenir, points clés, points essentiels, points à retenir, pour
résumer, que faut-il retenir, que faut-il retenir ?, résumé, à retenir,
a colpo d'occhio, che cosa sapere, cosa c'è da sapere, cosa devi sapere, cosa sapere, cose da sapere, da
sapere, i concetti chiave, i fatti in breve, i fatti principali, i punti chiave, i punti essenziali, i punti
principali, i punti salienti, il punto, in breve, in due parole, in pillole, in poche parole, in sintesi,
l'articolo in breve, l'essenziale, la notizia in breve, la notizia in sintesi, le cose da sapere, punti
chiave, punti essenziali, punti principali, punti salienti, quello che devi sapere, riassunto, riassunto
dell'articolo, ricapitolando, sintesi,
belangrijkste feiten, belangrijkste inzichten, belangrijkste punten, de belangrijkste feiten, de
belangrijkste punten, de essentie, de feiten, de feiten op een rij, de hoofdpunten, de kern, de kern van het
verhaal, de kernpunten, de samenvatting, dit is wat je moet weten, dit moet je weten, het artikel in het
kort, het belangrijkste, het belangrijkste in het kort, het belangrijkste op een rij, het nieuws in het
kort, hoofdpunten, in een oogopslag, in het kort, in kort bestek, in vogelvlucht, in één oogopslag,
kernpunten, kort en bondig, kort samengevat, op een rij, samengevat, samenvatting, samenvatting van het
artikel, wat je moet weten, wat u moet weten,
artykuł w skrócie, co musisz wiedzieć, co musisz wiedzieć?, co trzeba wiedzieć, co warto wiedzieć, co warto
wiedzieć?, fakty, główne punkty, główne wnioski, kluczowe fakty, kluczowe informacje, kluczowe punkty,
kluczowe wnioski, krótko, najważniejsze, najważniejsze fakty, najważniejsze informacje, najważniejsze
informacje z artykułu, najważniejsze punkty, najważniejsze w skrócie, najważniejsze wnioski, o czym jest
artykuł, podsumowanie, skrót artykułu, skrót wiadomości, streszczenie, to musisz wiedzieć, w kilku punktach,
w kilku słowach, w kilku zdaniach, w pigułce, w skrócie, w telegraficznym skrócie,
a notícia em resumo, a reter, destaques, destaques da notícia, em poucas linhas, em poucas palavras, em
resumo, em suma, em síntese, ideias principais, num relance, num ápice, o essencial, o essencial da notícia,
o que precisa de saber, o que precisa saber, o que reter, o que saber, o que você precisa saber, o que você
precisa saber sobre, o que é preciso saber, os pontos essenciais, os pontos principais, os pontos-chave,
pontos chave, pontos essenciais, pontos principais, pontos-chave, pontos-chave da notícia, principais
conclusões, principais destaques, principais pontos, resumindo, resumo, resumo da notícia, resumo do artigo,
det viktigaste, i korthet, sammanfattning,
det vigtigste, hovedpunkter, kort fortalt, kort oppsummert, resumé,
"""

SUMMARY_LABELS = frozenset(
    bare_line(label) for label in _WRITTEN.replace("\n", " ").split(",") if label.strip()
)
"""As `bare_label` returns them."""
