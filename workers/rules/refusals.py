"""What is no statement of fact, whoever says it: code and logs, templates, things said to be unreal or a joke."""

from __future__ import annotations

import re

_SECRETS_NAME = re.compile(
    r"\b(?:pass ?words?|passwd|pass ?phrases?|pass ?codes?|pins?|api[ _-]?keys?|(?:access|secret|private) keys?|"
    r"(?:access|auth|api|bearer) tokens?|(?:security|verification|access|door|gate|alarm|lock) codes?|cvv|cvc|otp|"
    r"card number|iban|ssn|passwort|kennwort|contraseña|mot de passe|пароль)\b|密码|口令",
    re.IGNORECASE,
)
_CODE_MARKS = re.compile(r"[{}<>=;_\[\]\\/|`#$@^~+*&%]|(?<=\w)\(|\)(?=[.;:({\[])")
_CODE_START = re.compile(
    r"^\s*(?:(?:def|class|import|from|return|const|let|var|function|public|private|if|for|while|elif|try|"
    r"except)\b.*[(:;{=]|"
    r"(?:SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER)\s+\w+.*(?:FROM|INTO|SET|TABLE|WHERE)?|"
    r"File \"|Traceback \(|at [\w.$]+\(|\$ \w|>>> |(?:sudo|git|npm|pip|docker|curl|cd|ls|make) [\w./-]+ ?-|#include|"
    r"<\?|</?\w+[ >])"
)
_LOG_LINE = re.compile(
    r"^\s*\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|^\s*\[?(?:DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|TRACE|CRITICAL)\b[\]: ]|"
    r"^\s*\d\d:\d\d:\d\d[.,]\d+"
    r"|\b(?:exception|error) (?:in thread|code|at line)\b.{0,80}[:0-9]"
    r"|\bHTTP/\d|^\s*\w+(?:\.\w+){2,}(?:Error|Exception)\b"
)
_PLACEHOLDER = re.compile(
    r"[\[({<](?:user ?\d?(?:'s)?|your|my|insert|enter)?[ _]?(?:name|user ?\d|city|location|company|date|"
    r"placeholder)[\])}>]|"
    r"\{\{\w+\}\}|\buser ?\d\b",
    re.IGNORECASE,
)
_UNREAL = re.compile(
    r"^(?:if (?:only )?(?:i|we) (?:were|was|had|could|ever|won)\b|what if\b|imagine\b|suppose\b|let's (?:say|pretend|"
    r"imagine)\b|hypothetically\b|"
    r"in (?:theory|another life|a (?:parallel|perfect) (?:world|universe))\b|pretend\b|i wish (?:i|we) (?:were|was|"
    r"had|could|knew)\b|once upon a time\b)"
    r"|\b(?:i|we)(?: would|'d)\b.{0,80}\bif (?:only )?(?:i|we) (?:were|was|had|could|won|knew)\b|\*[a-z ]{3,40}s\*",
    re.IGNORECASE,
)
_FICTION = re.compile(
    r"^\W*in (?:the|my|this|our|a|his|her) (?:\w+ )?(?:story|novel|book|game|film|movie|play|dream|campaign|script|"
    r"screenplay|fanfic|poem|song)(?=,| (?:i|we|that|which|my|he|she)\b)[^.!?]*\bi\b",
    re.IGNORECASE,
)
_JOKE = re.compile(
    r"^\W*(?:(?:lol|haha+|no|nah|i'?m|i am|was|only|totally|obviously|of course|hehe)\W+)*(?:just |only |"
    r"totally )*(?:kidding|joking|jk|j/k|a joke|messing with you)"
    r"(?:\W+(?:lol|haha+|of course|obviously|about that|there|with you|:\)|😂|😄))*\W*$|(?:^|\s)/s\s*$",
    re.IGNORECASE,
)


def names_a_secret(text: str) -> bool:
    """True for a text that speaks of a password or key: what stands alone behind it may be one."""
    return _SECRETS_NAME.search(text) is not None


def code_or_log(text: str) -> bool:
    """True for source code, shell lines, stack traces, log lines, JSON."""
    if _CODE_START.match(text) or _LOG_LINE.search(text):
        return True
    return len(_CODE_MARKS.findall(text)) > max(3, 0.08 * len(text))


def placeholder(text: str) -> bool:
    """True for a template that was never filled in ("I'm [name]")."""
    return _PLACEHOLDER.search(text) is not None


def unreal(text: str) -> bool:
    """True for a hypothetical or a piece of role play."""
    return _UNREAL.search(text) is not None


def fiction(text: str) -> bool:
    """True for a sentence about somebody in a story: "In the novel I am a detective"."""
    return _FICTION.search(text) is not None


def joke(text: str) -> bool:
    """True for "just kidding": what was said before it does not count."""
    return _JOKE.search(text) is not None
