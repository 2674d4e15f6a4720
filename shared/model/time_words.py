"""The words for time of five languages, as data: what grounding looks for and how it writes the answer.

Keys are regular expressions without groups. Another language is another `Pack`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.model.language import Language

Unit = Literal["hour", "day", "week", "weekend", "month", "season", "year"]
Step = tuple[Unit, int, str]  # unit, how many from now (negative: back), part of the day ("" = the whole)
VAGUE = 3  # what "a few" counts for


@dataclass(frozen=True, slots=True)
class Pack:
    """One language. `show` has full phrases ("on {0}"), `bare` the same behind a preposition of the text ("since {0}")."""

    fixed: Mapping[str, Step]
    units: Mapping[str, Unit]
    numbers: Mapping[str, int]
    few: str
    before: Mapping[str, int]  # "last" week: -1
    after: Mapping[str, int]  # semaine "dernière": -1
    ago: str  # {n} and {u} stand for number and unit
    ahead: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    lead: str  # articles and prepositions that the written phrase replaces
    keep: str  # prepositions that stay in front of the bare phrase
    not_behind: str  # what must not stand in front ("over the" last year is a span)
    show: Mapping[str, str]
    bare: Mapping[str, str]
    month_lead: str  # what makes a lone month name a date
    weekday_lead: str  # what makes a lone weekday a date
    day_parts: str = r"(?!)"
    spaced: bool = True
    weekday_in_week: bool = False  # "last Monday" counts from the calendar week


_EN = Pack(
    fixed={
        r"(?:the )?day before yesterday": ("day", -2, ""),
        r"(?:the )?day after tomorrow": ("day", 2, ""),
        r"yesterday (?:morning|afternoon|evening|night)": ("day", -1, "@"),
        r"tomorrow (?:morning|afternoon|evening|night)": ("day", 1, "@"),
        r"this (?:morning|afternoon|evening)": ("day", 0, "@"),
        r"yesterday": ("day", -1, ""),
        r"tomorrow": ("day", 1, ""),
        r"last night": ("day", -1, "night"),
        r"tonight": ("day", 0, "evening"),
        r"(?:earlier |later )?today": ("day", 0, ""),
        r"(?:the )?week before last": ("week", -2, ""),
        r"(?:the )?week after next": ("week", 2, ""),
        r"(?:the )?weekend before last": ("weekend", -2, ""),
        r"(?:the )?month before last": ("month", -2, ""),
        r"(?:the )?month after next": ("month", 2, ""),
        r"(?:the )?year before last": ("year", -2, ""),
        r"the other day": ("day", -VAGUE, "~"),
    },
    units={"hours?|minutes?|mins?|hrs?": "hour", "days?": "day", "weeks?": "week", "weekends?": "weekend",
           "months?": "month", "(?:summer|winter|spring|fall|autumn)s?": "season", "years?|yrs?": "year"},
    numbers={"an?|one": 1, "two|a couple(?: of)?": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
             "nine": 9, "ten": 10, "eleven": 11, "twelve": 12},
    few=r"(?:a )?few|several|some",
    before={r"(?:this )?past|last": -1, r"next|coming|this coming": 1, "this": 0},
    after={},
    ago=r"(?P<about>(?:about|around|roughly|almost|nearly|over|more than|less than|approximately|like) )?{n} {u} (?:ago|back|prior)",
    ahead=r"(?P<in>in )?{n} {u}(?(in)(?:'? time)?(?! of\b| or\b)| from (?:now|today))",
    weekdays=("mon(?:day)?", "tue(?:s(?:day)?)?", "wed(?:nesday)?", "thu(?:r(?:s(?:day)?)?)?", "fri(?:day)?", "sat(?:urday)?",
              "sun(?:day)?"),
    months=("jan(?:uary)?", "feb(?:ruary)?", "mar(?:ch)?", "apr(?:il)?", "may", "june?", "july?", "aug(?:ust)?",
            "sept?(?:ember)?", "oct(?:ober)?", "nov(?:ember)?", "dec(?:ember)?"),
    lead=r"(?:on |in |during |over )?(?:the )?",
    keep=r"since|until|till|by|from|before|after|for|of|to|through|than|around|about|starting",
    not_behind=r"(?:over|in|for|during|within|throughout|of) the ",
    show={"day": "on {0}", "part": "on the {1} of {0}", "week": "in the week of {0}", "weekend": "on the weekend of {0}",
          "month": "in {0}", "year": "in {0}", "vague": "around {0}", "named": "in {1} {0}"},
    bare={"day": "{0}", "part": "the {1} of {0}", "week": "the week of {0}", "weekend": "the weekend of {0}",
          "month": "{0}", "year": "{0}", "vague": "around {0}", "named": "{1} {0}"},
    month_lead=r"in|since|until|till|by|from|during|before|after|around|for|early|late|mid|this|of|end of",
    weekday_lead=r"on ", day_parts=r"morning|afternoon|evening|night",
)  # fmt: skip
_DE = Pack(
    fixed={
        r"vorvorgestern": ("day", -3, ""),
        r"vorgestern(?: abend)?": ("day", -2, ""),
        r"gestern (?:abend|nacht)": ("day", -1, "Abend"),
        r"gestern (?:morgen|früh|vormittag)": ("day", -1, "Morgen"),
        r"gestern(?: nachmittag| mittag)?": ("day", -1, ""),
        r"heute (?:abend|nacht)": ("day", 0, "Abend"),
        r"heute (?:morgen|früh|vormittag)": ("day", 0, "Morgen"),
        r"heute(?: nachmittag| mittag)?": ("day", 0, ""),
        r"übermorgen": ("day", 2, ""),
        r"morgen (?:abend)": ("day", 1, "Abend"),
        r"(?<!guten )(?<!am )(?<!jeden )(?<!den )(?<!der )(?<!diesen )morgen(?: früh| vormittag| nachmittag| mittag)?": ("day", 1, ""),
        r"vorletzte[nrs]? woche": ("week", -2, ""),
        r"übernächste[nrs]? woche": ("week", 2, ""),
        r"vorletzte[nrsm]? monat": ("month", -2, ""),
        r"vorletzte[nrsm]? jahr": ("year", -2, ""),
        r"neulich": ("day", -VAGUE, "~"),
    },
    units={"stunden?|minuten?": "hour", "tag(?:en?)?": "day", "wochen?": "week", "wochenenden?": "weekend", "monat(?:en?)?": "month",
           "jahr(?:en?)?": "year"},
    numbers={"eine[mnr]?|ein": 1, "zwei|ein paar zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8,
             "neun": 9, "zehn": 10, "elf": 11, "zwölf": 12},
    few=r"ein paar|einige[nr]?|wenigen",
    before={"letzte[nrsm]?|vergangene[nrsm]?|vorige[nrsm]?": -1, "nächste[nrsm]?|kommende[nrsm]?": 1, "diese[nrsm]?": 0},
    after={},
    ago=r"vor (?P<about>(?:etwa|ungefähr|rund|fast|über|mehr als|circa|ca\.) )?{n} {u}",
    ahead=r"in {n} {u}",
    weekdays=("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag|sonnabend", "sonntag"),
    months=("januar|jänner", "februar", "märz", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "dezember"),
    lead=r"(?:(?:in der|in dem|in den|im|am|an dem|den|das|der|die) )?",
    keep=r"seit|bis(?: zum?r?)?|ab|von|vor|nach|für",
    not_behind=r"in den ",
    show={"day": "am {0}", "part": "am {1} des {0}", "week": "in der Woche vom {0}", "weekend": "am Wochenende vom {0}",
          "month": "im Monat {0}", "year": "im Jahr {0}", "vague": "etwa {0}", "named": "im {1} {0}"},
    bare={"day": "{0}", "part": "dem {1} des {0}", "week": "der Woche vom {0}", "weekend": "dem Wochenende vom {0}",
          "month": "{0}", "year": "{0}", "vague": "etwa {0}", "named": "{1} {0}"},
    month_lead=r"im|seit|bis|ab|anfang|ende|mitte|letzten|nächsten",
    weekday_lead=r"am ", day_parts=r"abend|morgen|vormittag|nachmittag",
)  # fmt: skip
_ES = Pack(
    fixed={
        r"anteayer|antier|antes de ayer": ("day", -2, ""),
        r"pasado mañana": ("day", 2, ""),
        r"anoche|ayer por la noche": ("day", -1, "noche"),
        r"ayer por la (?:mañana)": ("day", -1, "mañana"),
        r"ayer(?: por la tarde)?": ("day", -1, ""),
        r"esta mañana": ("day", 0, "mañana"),
        r"esta noche": ("day", 0, "noche"),
        r"hoy|esta tarde": ("day", 0, ""),
        r"mañana por la (?:mañana|tarde|noche)": ("day", 1, ""),
        r"(?<!la )(?<!esta )(?<!cada )(?<!una )mañana": ("day", 1, ""),
        r"el otro día": ("day", -VAGUE, "~"),
        r"el fin de semana pasado": ("weekend", -1, ""),
        r"(?:el )?próximo fin de semana|el fin de semana que viene": ("weekend", 1, ""),
        r"este fin de semana": ("weekend", 0, ""),
    },
    units={"horas?|minutos?": "hour", "días?": "day", "semanas?": "week", "mes(?:es)?": "month", "años?": "year"},
    numbers={"una?": 1, "dos|un par de": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9, "diez": 10,
             "once": 11, "doce": 12},
    few=r"unas|unos|algunas|algunos|pocos|pocas",
    before={"pasad[oa]": -1, "próxim[oa]": 1, "est[ea]": 0},
    after={"pasad[oa]": -1, "próxim[oa]|que viene|entrante": 1},
    ago=r"hace (?P<about>(?:unos|como|casi|más de|aproximadamente) )?{n} {u}",
    ahead=r"(?:dentro de|en) {n} {u}",
    weekdays=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    months=("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre|setiembre", "octubre", "noviembre",
            "diciembre"),
    lead=r"(?:en )?(?:(?:la|el) )?",
    keep=r"desde|hasta|para|antes del?|después del?|de",
    not_behind=r"(?:durante|en) l[ao]s ",
    show={"day": "el {0}", "part": "la {1} del {0}", "week": "en la semana del {0}", "weekend": "el fin de semana del {0}",
          "month": "en {0}", "year": "en {0}", "vague": "hacia {0}", "named": "en {1} de {0}"},
    bare={"day": "el {0}", "part": "la {1} del {0}", "week": "la semana del {0}", "weekend": "el fin de semana del {0}",
          "month": "{0}", "year": "{0}", "vague": "hacia {0}", "named": "{1} de {0}"},
    month_lead=r"en|desde|hasta|para|de|este",
    weekday_lead=r"el ",
)  # fmt: skip
_FR = Pack(
    fixed={
        r"avant-hier(?: soir| matin)?": ("day", -2, ""),
        r"après-demain": ("day", 2, ""),
        r"hier soir|la nuit dernière": ("day", -1, "soir"),
        r"hier matin": ("day", -1, "matin"),
        r"hier(?: après-midi)?": ("day", -1, ""),
        r"aujourd'hui|cet après-midi": ("day", 0, ""),
        r"ce matin": ("day", 0, "matin"),
        r"ce soir|cette nuit": ("day", 0, "soir"),
        r"demain soir": ("day", 1, "soir"),
        r"demain matin": ("day", 1, "matin"),
        r"demain(?: après-midi)?": ("day", 1, ""),
        r"l'autre jour": ("day", -VAGUE, "~"),
        r"l'an (?:dernier|passé)|l'année (?:dernière|passée)": ("year", -1, ""),
        r"l'an prochain|l'année prochaine": ("year", 1, ""),
        r"ce mois-ci": ("month", 0, ""),
    },
    units={"heures?|minutes?": "hour", "jours?": "day", "semaines?": "week", "week-ends?|weekends?": "weekend", "mois": "month",
           "ans?|années?": "year"},
    numbers={"une?": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "neuf": 9, "dix": 10,
             "onze": 11, "douze": 12, "quinze": 15},
    few=r"quelques",
    before={"ce|cette|cet": 0, "prochaine?": 1},
    after={"derni(?:er|ère)|passée?": -1, "prochaine?": 1},
    ago=r"il y a (?P<about>(?:environ|presque|plus de|à peu près) )?{n} {u}",
    ahead=r"dans {n} {u}",
    weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    months=("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    lead=r"(?:(?:la|le|au|en) )?",
    keep=r"depuis|jusqu'à|d'ici|avant|après|pour|dès|de",
    not_behind=r"(?:ces|les) ",
    show={"day": "le {0}", "part": "le {1} du {0}", "week": "dans la semaine du {0}", "weekend": "le week-end du {0}",
          "month": "en {0}", "year": "en {0}", "vague": "vers {0}", "named": "en {1} {0}"},
    bare={"day": "le {0}", "part": "le {1} du {0}", "week": "la semaine du {0}", "weekend": "le week-end du {0}",
          "month": "{0}", "year": "{0}", "vague": "vers {0}", "named": "{1} {0}"},
    month_lead=r"en|depuis|jusqu'en|dès|début|fin|mi|de|au mois de",
    weekday_lead=r"(?<!le )(?<!les )(?<!chaque )", day_parts=r"matin|soir",
)  # fmt: skip
_ZH = Pack(
    fixed={
        "大前天": ("day", -3, ""), "前天": ("day", -2, ""), "昨晚|昨天晚上|昨夜": ("day", -1, "晚上"), "昨天早上|昨早": ("day", -1, "早上"),
        "昨天|昨日": ("day", -1, ""), "今晚|今天晚上": ("day", 0, "晚上"), "今早|今天早上": ("day", 0, "早上"), "今天|今日": ("day", 0, ""),
        "明晚|明天晚上": ("day", 1, "晚上"), "明早|明天早上": ("day", 1, "早上"), "明天|明日": ("day", 1, ""), "大后天": ("day", 3, ""),
        "后天": ("day", 2, ""), "上上(?:周|个?星期|个?礼拜)": ("week", -2, ""), "上个?周末": ("weekend", -1, ""), "下个?周末": ("weekend", 1, ""),
        "(?:这个?|本)周末": ("weekend", 0, ""), "上个?月": ("month", -1, ""), "下个?月": ("month", 1, ""), "(?:这个|本)月": ("month", 0, ""),
        "去年": ("year", -1, ""), "前年": ("year", -2, ""), "今年": ("year", 0, ""), "明年": ("year", 1, ""), "后年": ("year", 2, ""),
        "前几天|前两天|前些天": ("day", -VAGUE, "~"),
    },
    units={"个?小时|分钟": "hour", "天|日": "day", "周|个?星期|个?礼拜": "week", "个月": "month", "年": "year"},
    numbers={"一": 1, "二|两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10, "十一": 11, "十二": 12},
    few="几|好几",
    before={"上个?": -1, "下个?": 1, "这个?|本": 0},
    after={},
    ago=r"(?P<about>大约|大概|差不多)?{n}{u}(?:之前|以前|前)",
    ahead=r"{n}{u}(?:之后|以后|后)",
    weekdays=tuple(f"(?:周|星期|礼拜){day}" for day in ("一", "二", "三", "四", "五", "六", "[日天]")),
    months=tuple(f"(?:{number}|{name})月" for number, name in zip(range(1, 13), "一 二 三 四 五 六 七 八 九 十 十一 十二".split(), strict=True)),  # noqa: E501, SIM905
    lead=r"在?", keep=r"从|自|到|直到|截至", not_behind=r"(?!)",
    show={"day": "{0}", "part": "{0}{1}", "week": "{0}那一周", "weekend": "{0}那个周末", "month": "{0}", "year": "{0}年", "vague": "{0}前后",
          "named": "{0}年{1}"},
    bare={"day": "{0}", "part": "{0}{1}", "week": "{0}那一周", "weekend": "{0}那个周末", "month": "{0}", "year": "{0}年", "vague": "{0}前后",
          "named": "{0}年{1}"},
    month_lead=r"", weekday_lead=r"(?<!每)(?<!每个)", spaced=False, weekday_in_week=True,
)  # fmt: skip
PACKS: Mapping[Language, Pack] = {"en": _EN, "de": _DE, "es": _ES, "fr": _FR, "zh": _ZH}
