"""Courtesy, agreement, reactions: what people say to each other without saying anything of themselves."""

from __future__ import annotations

import re

_VERY = r"(?:so |really |very |just |pretty |quite )*"
_GLAD = r"(?:glad|happy|sorry|pleased|excited|thrilled|nice|good|great|lovely)"
_WHOLE = (
    # agreement and doubt
    (
        r"i (?:do not|don't) (?:know|mind|care|think so)|i (?:see|agree|bet|hope so|think so|guess(?: so)?|"
        r"know(?: right)?)"
    ),
    r"i (?:totally |completely |really )*understand|i (?:have not|haven't|did|do|was|will|would|have)",
    r"i (?:can't|cannot|can) (?:even )?(?:imagine|believe it|relate|wait|see (?:that|why))(?: .{0,60})?",
    r"(?:you|me|us) (?:too|neither|either)|same (?:here|to you)|not (?:really|yet|much|sure)|maybe|perhaps|why not",
    r"no (?:problem|worries|way|doubt)|i appreciate (?:it|that|your .{1,20})",
    # how are you
    (
        rf"i am {_VERY}(?:good|fine|well|great|ok(?:ay)?|doing \w+|not sure|sure|here|back|sorry|on my way|all ears|in|"
        rf"jealous)"
    ),
    r"how (?:are|is|was|about) .{0,30}|(?:good|great|fine|well)[, ]+(?:thanks|thank you).{0,30}",
    # thanks and wishes
    r"(?:thanks|thank you|thx)(?: (?:so much|a lot|again|very much|a bunch|a million))*(?: for\b.{0,80}| to you)?",
    r"congrat\w+.{0,60}|have a .{2,40}|take care.{0,30}|good luck.{0,40}|let me know.{0,60}",
    r"i hope (?:you|it|that|to see you|so).{0,80}|i wish you .{0,60}",
    # meeting and parting
    rf"(?:it(?: is| was|'s| has been) )?{_VERY}{_GLAD} (?:to |talking|chatting|meeting|seeing|catching).{{0,60}}",
    rf"it(?: is| was|'s| has been) {_VERY}(?:a pleasure|fun) (?:to |talking|chatting|meeting|seeing|catching).{{0,60}}",
    rf"i am {_VERY}{_GLAD} (?:to (?:hear|see|meet|help|know)|for you|you\b|that you|we\b).{{0,80}}",
    (
        rf"{_GLAD} to hear.{{0,60}}|i (?:have )?(?:really )?enjoyed (?:talking|chatting|our (?:chat|conversation|"
        rf"talk)).{{0,40}}"
    ),
    r"i am looking forward to (?:it|that|seeing you|hearing|meeting you|getting to know you|talking).{0,60}",
    r"(?:talk|see|catch|chat|speak)(?: to| with)? (?:you|ya|u)(?: \w+){0,3}|tell me (?:more|about).{0,60}",
    (
        r"(?:i )?(?:should |will |better |probably )*(?:gotta|got to|have to|need to|must|should) (?:probably )?(?:go|"
        r"run|get going|leave)(?: now)?"
    ),
    # later, perhaps
    (
        r"i will (?:let you know|be (?:here|back|there)|keep (?:that|it|you|this)|have to (?:check|try)|"
        r"check (?:it|that|"
        r"them)|"
        r"definitely|talk to you|see you).{0,60}"
    ),
    r"i would (?:love|like) (?:to|that)(?: (?:hear|see|know|learn|try|do|join|go|meet|chat|talk)\b.{0,40})?",
    (
        r"i (?:have )?(?:always|never) (?:wanted to|thought of|heard of|tried|been) (?:do |try |go |see )?(?:that|it|"
        r"there|one|this)\b"
        r".{0,20}"
    ),
)
_TAIL = (
    r"(?:[\s,]+(?:too|you|thanks|thank|now|well|today|so much|for asking|right now|all|either|that|it|then|and you))*"
)
_SMALL_TALK = re.compile(rf"^(?:{'|'.join(_WHOLE)}){_TAIL}\W*$", re.IGNORECASE)
_REACTIONS = (
    (
        r"that|this|it|those|these|what|you|your|how|glad|good|great|nice|happy|sorry|so|such|sounds?|looks?|seems?|"
        r"thanks?|thank"
    ),
    (
        r"congrats|congratulations|welcome|have|take|keep|let me know|way to|can't wait|me too|same|you're|enjoy|"
        r"wishing|"
        r"hope|maybe"
    ),
    (
        r"i (?:hope|bet|agree|see|understand|know|can (?:imagine|see|tell|relate)|appreciate|couldn't agree|totally|"
        r"completely)"
    ),
    (
        r"i (?:wish you|think so|guess so|am sure|am (?:so |really |very |just )*(?:glad|happy|sorry|excited|"
        r"proud) (?:to hear|for|that you|of you|you))"
    ),
    r"not (?:really|yet|at all|much)|let's|let us|we should|i would love to|it was (?:nice|great|good)",
    (
        r"i will (?:check|try|let|do|be|have to|keep|look|give|see|think|definitely|take|read)|"
        r"(?:nice|great|good) (?:to|"
        r"talking|chatting|meeting)"
    ),
)
_REACTION = re.compile(rf"^(?:{'|'.join(_REACTIONS)})\b", re.IGNORECASE)
_FOREIGN = re.compile(
    r"^(?:(?:再次)?(?:非常|很)?感?谢谢?你?(?:们|的)?[^，。！]{0,12}|"
    r"我们?(?:知道了|明白了|同意|也是|懂了|会的|会试试的?|记住了|也这么[觉得认为想]{1,2}|很高兴认识你)|"
    r"(?:下次|以后|回头)再(?:聊|见)|你说得很?对|听起来[^，。]{0,12}|"
    r"(?:ich )?(?:verstehe|stimmt|finde ich auch|ich auch)|de acuerdo|yo también|moi aussi|je vois|je comprends)\W*$",
    re.IGNORECASE,
)
_EDGES = " .!…,;:–—-\"'()"


def small_talk(text: str) -> bool:
    """True for a whole English sentence of courtesy or reaction; its first person written out."""
    return _SMALL_TALK.match(text.strip(_EDGES)) is not None


def foreign_small_talk(text: str) -> bool:
    """The same for the commonest phrases of a few other languages."""
    return _FOREIGN.match(text) is not None


def reaction(text: str) -> bool:
    """True for a clause that opens like small talk but may go on with more."""
    return _REACTION.match(text.strip(_EDGES)) is not None
