"""What is never kept, whoever says it: secrets, orders planted in text, code and logs, things said to be unreal."""

from __future__ import annotations

import re

_SENSITIVE = (
    r"pass ?words?|passwd|pwd|pass ?phrases?|pass ?codes?|pin(?: code| number)?|api[ _-]?keys?|secret(?: key|"
    r" token)?|access[ _-]?(?:key|token)s?|"
    r"auth(?:entication)? ?(?:code|token)s?|(?:bearer|refresh|session|api|github|bot) tokens?|tokens?|private key|"
    r"seed phrase|recovery (?:phrase|code|key)s?|"
    r"(?:security|verification|confirmation|one[- ]time|2fa|otp|sms|access|door|gate|alarm|safe|lock) codes?|cvv|cvc|"
    r"otp|"
    r"(?:credit|debit|bank) ?card(?: number)?|card number|account number|routing number|iban|ssn|"
    r"social security(?: number)?|"
    r"passwor[td]er|passwort|kennwort|contraseña|mot de passe|пароль|密码|口令"
)
_SECRET_SAID = re.compile(
    rf"(?<![\w-])(?:{_SENSITIVE})(?![\w-])[^.!?\n]{{0,40}}?(?:\bis\b|\bare\b|\bwas\b|\bto\b|\bist\b|\bes\b|\best\b|"
    rf"[:=是为]|\")\s*\S"
    rf"|(?<![\w-])(?:{_SENSITIVE})(?![\w-])[^.!?\n]{{0,20}}?\s(?=\S*\d)\S{{3,}}",
    re.IGNORECASE,
)
_SECRET_NAMED = re.compile(rf"(?<![\w-])(?:{_SENSITIVE})(?![\w-])", re.IGNORECASE)
_KEY_SHAPES = re.compile(
    r"\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{12,}|\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{16,}|\bxox[abprs]-[\w-]{10,}|"
    r"\bAKIA[0-9A-Z]{12,}|"
    r"\bAIza[\w-]{20,}|\beyJ[\w-]{8,}\.[\w-]{6,}|-----BEGIN|"
    r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b|"
    r"\b\d{3}-\d{2}-\d{4}\b"
)
_LONG_TOKEN = re.compile(
    r"(?<![\w/.@-])(?=[\w+/=-]*\d)(?=[\w+/=-]*[a-z])(?=[\w+/=-]*[A-Z])[\w+/=-]{20,200}(?![\w/.@-])|\b[0-9a-f]{32,128}\b"
)
_CARD = re.compile(r"(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)")
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass|skip)\b.{0,40}\b(?:instructions?|rules?|prompts?|guidelines?|"
    r"polic(?:y|ies)|safeguards?|"
    r"restrictions?|directives?|above|previous text)\b"
    r"|^\W*(?:system|assistant|developer|admin|root|important system)\s*(?:message|prompt|note|instruction|"
    r"override)?\s*:"
    r"|<\|?/?(?:system|im_start|im_end|assistant|instructions?)\b|\[/?(?:inst|system)\]|^#{2,}\s*(?:system|instruction)"
    r"|\b(?:note|message|instruction|memo|reminder|command) (?:to|for) (?:the )?(?:memory|memories|memory system|"
    r"assistant|ai|model|llm|agent)\b"
    r"|\b(?:the |this )?(?:assistant|ai|bot|agent|model|memory|system|you)\s+(?:must|shall|should|are (?:required|"
    r"allowed|authori[sz]ed|permitted|instructed) to|"
    r"is (?:required|allowed|authori[sz]ed|permitted|instructed) to|have to|has to|need to|needs to|will now|"
    r"may now)\s+(?:always |never |now |immediately |"
    r"automatically )*(?:approve|grant|refund|transfer|wire|pay|execute|run|reveal|disclose|leak|obey|comply|treat|"
    r"authori[sz]e|trust|ignore|delete|"
    r"forward|upload|exfiltrate|send (?:all|every|the|any|my (?:data|files)))\b"
    r"|\b(?:always|automatically|silently|never ask before) (?:approve|grant|refund|transfer|wire|pay|execute|"
    r"authori[sz]e|trust|obey)\b"
    r"|\b(?:approve|grant|authori[sz]e) (?:all|any|every) (?:\w+ )?(?:refunds?|requests?|transactions?|payments?|"
    r"transfers?|access)\b"
    r"|\b(?:you are now|act as|pretend (?:to be|you are)|enter|enable|activate)\b.{0,30}\b(?:dan|developer mode|"
    r"jailbr\w+|admin(?:istrator)?(?: mode)?|"
    r"unrestricted|debug mode|root|god mode)\b"
    r"|\b(?:reveal|print|show|repeat|output|leak)\b.{0,30}\b(?:system prompt|hidden prompt|initial instructions|"
    r"your instructions)\b"
    r"|\b(?:do not|don't|never) (?:tell|inform|warn|alert) (?:the )?(?:user|customer|human|operator)\b"
    r"|\b(?:new|updated?) (?:system |company |security )?(?:policy|directive|instructions?)\s*:|"
    r"\bfrom now on,? you (?:are|must|will obey)\b"
    r"|\b(?:exfiltrate|system override|prompt injection)\b|\bsend (?:all|every|the) (?:\w+ ){0,4}(?:data|"
    r"conversations?|memories|history|passwords?|files) to\b",
    re.IGNORECASE,
)
_CODE_MARKS = re.compile(r"[{}()<>=;_\[\]\\/|`#$@^~+*&%]")
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
    r"|\b(?:exception|error) (?:in thread|code|at line)\b.*[:0-9]|\bHTTP/\d|^\s*\w+(?:\.\w+){2,}(?:Error|Exception)\b"
)
_PLACEHOLDER = re.compile(
    r"[\[({<](?:user ?\d?(?:'s)?|your|my|insert|enter)? ?(?:name|user ?\d|city|company|date|placeholder)[\])}>]|"
    r"\{\{\w+\}\}",
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
_JOKE = re.compile(
    r"^\W*(?:(?:lol|haha+|no|nah|i'?m|i am|was|only|totally|obviously|of course|hehe)\W+)*(?:just |only |"
    r"totally )*(?:kidding|joking|jk|j/k|a joke|messing with you)"
    r"(?:\W+(?:lol|haha+|of course|obviously|about that|there|with you|:\)|😂|😄))*\W*$|(?:^|\s)/s\s*$",
    re.IGNORECASE,
)


def secret(text: str) -> bool:
    """True for a text that hands over a password, key, card or account number."""
    return bool(_SECRET_SAID.search(text) or _KEY_SHAPES.search(text) or _LONG_TOKEN.search(text)) or any(
        _luhn(match[0]) for match in _CARD.finditer(text)
    )


def names_a_secret(text: str) -> bool:
    """True for a text that speaks of a password or key, whether or not it gives one."""
    return _SECRET_NAMED.search(text) is not None


def planted_order(text: str) -> bool:
    """True for a text that tries to give the memory or the assistant orders beyond a plain wish about style."""
    return _ORDER.search(text) is not None


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


def joke(text: str) -> bool:
    """True for "just kidding": what was said before it does not count."""
    return _JOKE.search(text) is not None


def _luhn(digits: str) -> bool:
    numbers = [int(digit) for digit in digits if digit.isdigit()]
    doubled = (sum(divmod(2 * number, 10)) for number in numbers[-2::-2])
    return len(set(numbers)) > 1 and (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0
