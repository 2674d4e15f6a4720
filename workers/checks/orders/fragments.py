"""Parts that the patterns of several languages share; they are put in place by name."""

from __future__ import annotations

# where an imperative can stand
DO = (
    r"(?:^|[.!?:;,\"“「]\s*|\b(?:please|must|should|always|never|then|and|also|now|immediately|automatically"
    r"|to)\s+)"
)
# what must not be handed out
DATA = (
    r"(?:all|every|any|the (?:user|customer|client)s?'?s?|private|confidential|personal|secret|internal"
    r"|stored)\b[^.!?]{0,40}\b(?:data|passwords?|credentials?|conversations?|chats?|history|memor(?:y|ies)"
    r"|e-?mails?|keys?|tokens?|information|files?|contacts?|messages?|records?|details)"
)
# "Email is jo@example.com", "Phone number: ..." name an address, they do not order to write there
NO_NOUN = (
    r"(?!\s+(?:(?:address|number|account|office)(?:es|s)?\s*)?(?:(?:is|are|was|were)\b|:))"
    r"(?!\s*:|\s+(?:me|us|them) (?:at|on|via)\b)"
)
ADDRESS = r"(?:\S+@\S+\.\w|https?://|www\.|ftp://)"
