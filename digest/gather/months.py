"""The names of the months in the languages that dates are read in: en, de, fr, es, it, pt, nl, pl, sv, cs."""

from __future__ import annotations

import re
import unicodedata

_NAMES = """
january jan januar jaenner janner janv janvier enero ene gennaio gen janeiro
    januari styczen stycznia sty leden ledna led;
february feb febr februar fevr fev fevrier febrero febbraio fevereiro februari luty lutego lut unor unora uno;
march mar marz maerz mrz mars marzo marco maart mrt marzec marca brezen brezna bre;
april apr avril avr abril abr aprile kwiecien kwietnia kwi duben dubna dub;
may mai mayo maggio mag maio mei maj maja kveten kvetna kve;
june jun juni juin junio giugno giu junho czerwiec czerwca cze cerven cervna;
july jul juli juil juillet julio luglio lug julho lipiec lipca lip cervenec cervence;
august aug aout agosto ago augustus sierpien sierpnia sie augusti srpen srpna srp;
september sep sept septembre septiembre setiembre settembre set setembro wrzesien wrzesnia wrz zari zar;
october oct oktober okt octobre octubre ottobre ott outubro out pazdziernik pazdziernika paz rijen rijna rij;
november nov novembre noviembre novembro listopad listopada lis listopadu;
december dec dezember dez decembre diciembre dic dicembre dezembro grudzien grudnia gru prosinec prosince
"""
_MONTHS = {name: number for number, names in enumerate(_NAMES.split(";"), 1) for name in names.split()}
_ACCENTS = re.compile("[\u0300-\u036f]")


def month_of(word: str) -> int | None:
    """Return the month that `word` names, 1 to 12, in full or abbreviated, whatever its case and accents."""
    return _MONTHS.get(_ACCENTS.sub("", unicodedata.normalize("NFD", word.casefold())))
