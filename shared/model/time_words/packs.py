"""Every language whose words for time are known; another language is another file and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from shared.model.language import Language
from shared.model.time_words.chinese import CHINESE
from shared.model.time_words.english import ENGLISH
from shared.model.time_words.french import FRENCH
from shared.model.time_words.german import GERMAN
from shared.model.time_words.pack import Pack
from shared.model.time_words.spanish import SPANISH

PACKS: Mapping[Language, Pack] = {"en": ENGLISH, "de": GERMAN, "es": SPANISH, "fr": FRENCH, "zh": CHINESE}
