"""A guess at the language of a short text, from its script and its commonest small words; no model, no network."""

from __future__ import annotations

import re
from typing import Literal

from shared.model.word_list import word_list

Language = Literal["en", "de", "es", "fr", "zh"]

_HAN = re.compile(r"[\u4e00-\u9fff]")
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_WORD = re.compile(r"[^\W\d_]+")
_LOOKED_AT = 600
_SMALL_WORDS: dict[Language, frozenset[str]] = {
    "en": word_list(
        """i i'm im ive my me we our us the a an and or is are was were am be been to of in on at for with from
        have has had do does did not don't you your it it's that this they he she his her but so about will would
        can could just really when what like love want work live yesterday tomorrow today last next week month year
        ago please give tips looking need always never answer call use keep every each too very also because if who
        where there here their them him her more some any only than then which how why been being into over after
        before since until again still even much many was were makes make made got get had has its ours yours no
        yes thanks thank hello hi good great nice"""
    ),
    "de": word_list(
        """ich bin mein meine meinen meiner mir mich wir uns unser der die das ein eine einen einem einer und oder
        ist sind war waren zu von im am auf für mit aus habe hat hatte haben nicht du dein es dass dies sie er aber
        wird werde kann als den dem des bei nach gestern heute morgen vorgestern letzte letzten nächste nächsten
        nächstes woche vor wohne arbeite heiße in jahr monat"""
    ),
    "es": word_list(
        """yo soy mi mis me nosotros el la los las un una unos y o es son era estoy está de del en por para con
        desde tengo tiene hay no tú tu te se que esto lo le pero muy como más ayer hoy mañana anoche semana mes año
        pasado pasada próximo próxima hace vivo trabajo gusta fui quiero a al voy llamo"""
    ),
    "fr": word_list(
        """je j j'ai suis mon ma mes moi nous notre le la les un une des et ou est sont était ai à au aux de du
        dans pour avec chez ne pas tu ton ta vous votre ce cette ça que qui mais très hier demain aujourd'hui
        semaine mois année an dernier dernière prochain prochaine il elle y vais travaille habite vis aime en soir
        me m"""
    ),
    "zh": frozenset(),
}


def language(text: str) -> Language | None:
    """The likely language; None where no list has a clear lead or the script is none of theirs."""
    head = text[:_LOOKED_AT].casefold().replace("\u2019", "'")
    han = len(_HAN.findall(head))
    if han and not _KANA_OR_HANGUL.search(head) and 2 * han >= len(_WORD.findall(head)):
        return "zh"
    counts = _counts(head)
    best = max(counts, key=lambda name: counts[name])
    others = max(count for name, count in counts.items() if name != best)
    return best if counts[best] > others else None


def _counts(text: str) -> dict[Language, int]:
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text)
    halves = [half for word in words if "'" in word for half in word.split("'")]
    return {name: sum(word in small for word in (*words, *halves)) for name, small in _SMALL_WORDS.items()}
