"""What takes something back: "forget that ...", "that's not true any more", "I don't ... any more"."""

from __future__ import annotations

import re

from workers.rules.statement import Act

_FORGET = re.compile(
    r"^(?:(?:please|pls|kindly|just|now|can you|could you|would you|i want you to|i would like you to)\s+)*(?:forget|"
    r"unlearn|disregard|"
    r"(?:delete|remove|erase|drop|clear|stop remembering|do not remember|don't remember|"
    r"no longer remember)(?= (?:what i|the (?:fact|memory|note)|that i|from your memory|"
    r"everything (?:i|about)|your memory)))\s+(?:(?:about|that|what i (?:said|told you)(?: about)?|the (?:fact|"
    r"memory|note)(?: that| about| of)?|everything(?: i said)?"
    r"(?: about)?|(?:from )?your memory (?:of|about|that)|ever)\s+)*(?P<what>\S.+)$",
    re.IGNORECASE | re.DOTALL,
)
_NOT_TRUE = re.compile(
    r"^(?:actually,? |no,? |sorry,? )*(?:it is|it's|it was|it has) (?:not|never|no longer|"
    r"never been)(?: been)? (?:true|the case|right|correct) that (?P<what>\S.+)$"
    r"|^(?:actually,? |no,? )*i never said (?:that )?(?P<said>\S.+)$",
    re.IGNORECASE | re.DOTALL,
)
_LAST = re.compile(
    r"^(?:actually,? |no,? |sorry,? |wait,? |but )*(?:that|this|it)(?: is|'s| was| has| isn't| wasn't|'s)? ?(?:not|"
    r"no longer|never|never been)? ?(?:been )?"
    r"(?:true|the case|right|correct|wrong|incorrect|false|a mistake)(?: (?:any ?more|any longer|now|though|at all|"
    r"actually|of me|sorry))*$"
    r"|^(?:please |just )?(?:forget|scratch|ignore|disregard|strike) (?:that|what i (?:just )?said|"
    r"my last (?:message|sentence))(?: please)?$",
    re.IGNORECASE,
)
_TRUE = re.compile(r"^(?:that|this|it)(?: is|'s| was)? (?:true|the case|right|correct)\b", re.IGNORECASE)
_ENDED = re.compile(
    r"^i (?:(?:really|just|actually|also) )*(?:no longer\b|(?:do not|don't|am not|was not|cannot|can't|can not|"
    r"have not|haven't|will not|won't)\b.*\b(?:any ?more|any longer|these days now)\b"
    r"|(?:stopped|quit|gave up|have stopped|have quit|have given up|left)\b)",
    re.IGNORECASE | re.DOTALL,
)
_EMPTY = re.compile(r"^(?:it|that|this|about it|me|him|her|them|everything|all|all of it|you|to .*)$", re.IGNORECASE)


def takeback(text: str) -> tuple[Act, str] | None:
    """What an English clause takes back: (`forget`, what), (`forget_last`, "") or (`ended`, the clause); else None.

    Contractions of the first person are expected to be written out.
    """
    bare = text.strip().rstrip(".!… ")
    if _LAST.match(bare) and not _TRUE.match(bare):
        return "forget_last", ""
    for pattern in (_FORGET, _NOT_TRUE):
        if match := pattern.match(bare):
            what = match["what"] or match.groupdict().get("said") or ""
            what = re.sub(r"\s+(?:any ?more|any longer|please|now)$", "", what, flags=re.IGNORECASE)
            return None if _EMPTY.match(what) else ("forget", what)
    return ("ended", bare) if _ENDED.match(bare) else None
