"""Thanks with what they are for, in the languages people thank in: nothing is said with them, but maybe behind them."""

from __future__ import annotations

import re

# what was given is named up to the end of the clause
_FOR = (
    r"(?:(?!\b(?:but|and (?:i|my|we)|because|although|aber|und ich|pero|y yo|mais|et je|ma io|mas)\b)"
    r"[^,;:.!?…，。！；\n]){1,90}?"
)
_BOUND = (
    r"(?=\s*(?:[,;:.!?…，。！；~～)–—-]|$|"
    r"\b(?:but|and (?:i|my|we)|because|although|aber|und|pero|y|mais|et|ma|mas|e|но)\b))"
)
_PHRASES = (
    (
        r"(?:many |so many |a thousand |big )?(?:thanks|thank you|thx|thank u|ty)\b"
        r"(?: (?:so much|very much|a lot|again|a bunch|a million|a ton|kindly|indeed|in advance))*"
    ),
    (
        r"(?:vielen |besten |herzlichen |tausend |lieben )*danke?\b"
        r"(?: (?:schön|sehr|dir|ihnen|euch|nochmals?|vielmals|im voraus))*"
    ),
    r"(?:much(?:as|ísimas) |mil |un millón de )?gracias\b(?: (?:de nuevo|otra vez|de verdad|a ti|a usted))*",
    r"(?:un grand |grand )?merci\b(?: (?:beaucoup|bien|infiniment|encore|à toi|à vous|d'avance))*",
    r"(?:mille |molte |tante )?grazie\b(?: (?:mille|tante|molte|ancora|infinite))*",
    r"(?:muito )?obrigad[oa]s?\b(?: mesmo)?",
    r"(?:большое |огромное )?спасибо\b(?: (?:большое|огромное|вам|тебе))*",
    (
        r"(?:dank je(?: wel)?|bedankt|hartelijk dank|tack(?: så mycket)?|dziękuję(?: bardzo)?|"
        r"teşekkür(?:ler| ederim))\b"
    ),
)
_FOR_WORD = r"(?:for|to|für|por|pour|de|d'|à|per|di|del|della|dei|pel[oa]s?|за|voor|för|za)\s?"
_THANKS = re.compile(
    rf"(?:(?:{'|'.join(_PHRASES)})(?-i:\s+[A-Z]\w+){{0,2}}(?:\s+{_FOR_WORD}{_FOR})?){_BOUND}", re.IGNORECASE
)
_UNSPACED = re.compile(
    r"(?:(?:再次|非常|十分|很|真的|太)*(?:感谢|谢谢|多谢)(?:你|您|你们|大家)?的?(?:(?!但|不过|可是|我)[^，。！,!\s]){0,14}"
    r"|(?:本当に|どうも)?ありがとう(?:ございます|ございました)?|감사합니다|고마워요?)"
)
_JOINT = re.compile(
    r"[\s,;:.!?…，。！；~～)–—-]*(?:(?:(?:but|and|so|aber|und|pero|y|mais|et|ma|mas|но)\b|但是?|不过|可是)[\s,，]*)?",
    re.IGNORECASE,
)


def behind_thanks(text: str) -> int:
    """How many characters of thanks stand in front of what a sentence says; 0 where it does not begin with thanks."""
    match = _THANKS.match(text) or _UNSPACED.match(text)
    if match is None:
        return 0
    joint = _JOINT.match(text, match.end())
    return joint.end() if joint else match.end()
