"""Orders in English. `%DO%`, `%DATA%` and `%ADDRESS%` stand for patterns of fragments.py."""

from __future__ import annotations

PATTERNS = (
    (
        r"\b(?:ignore|disregard|override|bypass|circumvent|forget|drop|do not follow|don't follow"
        r"|stop following)\b(?![^.!?]{0,20}\bmy\b)[^.!?]{0,30}\b(?:previous|prior|above|earlier|preceding|former"
        r"|your|system|safety|security|all|any|existing|other|these|initial|original)\b[^.!?]{0,30}\b"
        r"(?:instructions?|rules?|prompts?|guidelines?|polic(?:y|ies)|restrictions?|orders|directives?|directions"
        r"|constraints?|safeguards?|filters?)\b"
    ),
    (
        r"\b(?:ignore|disregard) (?:everything|all|anything|what)\b[^.!?]{0,20}\b(?:above|before|previously"
        r"|so far|told|said earlier)\b"
    ),
    (
        r"\b(?:treat|regard|consider|accept|record|store|mark)\b[^.!?]{0,60}\bas (?:an? |the |our |company "
        r"|official |new |binding )*(?:policy|policies|law|rule|standing order|authori[sz]ed|approved"
        r"|pre-?approved|trusted|verified|system (?:message|instruction)|admin(?:istrator)?s?|true regardless)\b"
    ),
    (
        r"\b(?:always|automatically|silently|blindly|unconditionally)\s+(?:approve|authori[sz]e|grant|whitelist"
        r"|pre-?approve|refund|comply|obey|trust|permit|allow|accept)\s+(?:all|any|every|each|refunds?|requests?"
        r"|transactions?|payments?|transfers?|access|orders?|claims?|returns?|charges?|invoices?|withdrawals?"
        r"|instructions?|commands?|whatever|without|with|this|these|his|her|their|him|them|links?|it|me)\b"
    ),
    (
        r"\b(?:approve|authori[sz]e|grant|permit|process) (?:all|any|every) (?:\w+ ){0,3}(?:refunds?|requests?"
        r"|transactions?|payments?|transfers?|access|claims?|withdrawals?)\b"
    ),
    (
        r"\b(?:new|updated?|special|official) (?:system |company |security |company-wide )?(?:policy|directive"
        r"|instructions?|rule|protocol)\s*[:=]"
    ),
    (
        r"\b(?:note|memo|message|instructions?|reminder|command|attention|notice)\s*(?:to|for)?\s+(?:the |your "
        r"|all |any |future )*(?:memory(?: system| manager| module| agent)?|memories|ai|assistants?|models?|llms?"
        r"|agents?|chat ?bots?|bots?|system)\s*[:;,!>\u2013\u2014-]"
    ),
    (
        r"\b(?:reveal|show|print|repeat|output|display|leak|expose|tell me|give me|ignore|override|change|replace"
        r"|rewrite|forget)\b[^.!?]{0,30}\b(?:your|the|its|hidden|initial|internal)\b[^.!?]{0,20}\b(?:system"
        r"|hidden|initial|developer|internal)\s+(?:prompt|instructions?|message|rules)\b"
    ),
    r"\b(?:your|new|updated|the real) system prompt (?:is|says|reads|now|:)",
    (
        r"\b(?:you are|you're|act as|pretend to be|behave as|become|switch to|enter|enable|activate)\b"
        r"[^.!?]{0,30}\b(?:dan|developer mode|jail ?broken|jail ?break|unrestricted|unfiltered|uncensored"
        r"|god mode|root access|admin mode|debug mode|no (?:rules|restrictions|limits))\b"
    ),
    (
        r"<\|?/?(?:system|im_start|im_end|assistant|instructions?|admin)\b[^>]{0,20}>|\[/?(?:inst|system|admin"
        r"|instructions?)\]|<<sys>>|#{2,}\s*(?:system|instructions?)\b"
    ),
    (
        r"^\W{0,3}(?:system|developer|admin(?:istrator)?|root|assistant)(?: (?:message|prompt|note|override"
        r"|instruction|notice))?\s*:"
    ),
    r"\b(?:system|safety|security) override\b|\bexfiltrat\w+|\bprompt injection:",
    (
        r"%DO%(?:send|forward|e-?mail|mail|post|upload|transmit|transfer|leak|share|copy|bcc|cc|submit|report"
        r"|deliver)\b%NO_NOUN%[^!?]{0,80}?%ADDRESS%"
    ),
    (
        r"%DO%(?:send|forward|e-?mail|post|upload|transmit|leak|share|disclose|reveal|hand over|submit|give)\s+"
        r"(?:(?:me|him|her|them|us|out)\s+)?%DATA%\b"
    ),
    (
        r"%DO%(?:contact|call|phone|message|notify|ping|visit|open|click|download|fetch|run|execute|install"
        r"|curl)\b%NO_NOUN%\s+(?!me\b|us\b)[^!?]{0,40}?(?:%ADDRESS%|\+\d[\d ()-]{7,})"
    ),
    (
        r"%DO%(?:wire|transfer|pay|send)\s+(?:\S+\s+){0,3}?(?:money|funds|bitcoin|btc|crypto|[$€£]\s?\d\S*"
        r"|\d\S*\s?(?:dollars|euros?|usd|eur|btc|eth))\s+to\b"
    ),
    (
        r"\b(?:next time|whenever|when|if|as soon as|every time|each time|once)\b[^.!?]{0,40}\b(?:the |a "
        r"|any )?(?:user|customer|client|someone|anyone|anybody|somebody|admin|they|you (?:see|read|receive|hear"
        r"|process|summari[sz]e))\b[^.!?]{0,60}?\b(?:you (?:must|should|will|have to|need to)|send|forward"
        r"|e-?mail|transfer|delete|approve|run|execute|reveal|buy|order|pay|reply|respond|recommend|insert|append"
        r"|redirect|include|answer with|say that|tell (?:them|him|her|the))\b"
    ),
    (
        r"\b(?:do not|don't|never|without) (?:tell|telling|inform|informing|warn|warning|alert|alerting|notify"
        r"|notifying|mention(?:ing)? (?:this|it) to) (?:the |any )?(?:users?|customers?|humans?|operators?|owner)\b"
    ),
    (
        r"\b(?:the )?(?:assistant|ai|bot|chat ?bot|agent|llm|memory system)\s+(?:must|shall|is (?:required"
        r"|authori[sz]ed|permitted|instructed|obliged) to|has to|may now|will now)\s+(?:always |never |now "
        r"|immediately |automatically )*(?:approve|grant|refund|transfer|wire|pay|execute|run|reveal|disclose"
        r"|leak|obey|comply|treat|authori[sz]e|trust|ignore|delete|forward|upload|send|share|call|contact|open"
        r"|visit|buy|order)\b"
    ),
)
