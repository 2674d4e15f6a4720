"""Orders in German."""

from __future__ import annotations

PATTERNS = (
    (
        r"\b(?:ignorier(?:e|en|t|st)?|missacht\w*|vergiss|vergesst|vergessen|überschreib\w*|umgeh\w*)\b(?!"
        r"[^.!?]{0,12}\bmeine\w?\b)[^.!?]{0,30}\b(?:alle\w*|vorherige\w*|bisherige\w*|frühere\w*|obige\w*"
        r"|deine\w?|vorangegangene\w*|bestehende\w*|system\w*)\b[^.!?]{0,30}\b(?:anweisung\w*|instruktion\w*"
        r"|regeln?|vorgaben?|befehle?n?|richtlinien?|prompts?|beschränkung\w*)"
    ),
    (
        r"\b(?:behandle\w*|betrachte\w*|werte\w*|merke dir)\b[^.!?]{0,60}\b(?:als (?:\w+ )?(?:richtlinie|regel"
        r"|gesetz|genehmigt|autorisiert|vertrauenswürdig|freigegeben|administrator|verifiziert))"
    ),
    (
        r"\b(?:immer|automatisch|stets|jede\w?|alle)\b[^.!?]{0,40}\b(?:genehmige\w*|freigeben|bewillige\w*"
        r"|autorisiere\w*|erstatte\w*)\b|\bgenehmige\b[^.!?]{0,20}\b(?:immer|stets|alle|jede\w?|automatisch)\b"
    ),
    (
        r"\b(?:notiz|hinweis|nachricht|anweisung) (?:an|für) (?:den |das |die )?(?:speicher|gedächtnis"
        r"|assistent\w*|ki|modell|bot|system)\b"
    ),
    (
        r"\b(?:zeige?|verrate?|nenne?|gib|wiederhole?)\b[^.!?]{0,30}\b(?:system-?prompt|systemanweisung\w*"
        r"|systemnachricht)\b|\bdu bist (?:jetzt|nun|ab sofort)\b[^.!?]{0,30}\b(?:dan|uneingeschränkt\w*"
        r"|ohne regeln)\b"
    ),
    r"\b(?:sende|schicke?|maile?|leite|übermittle|lade)\b[^!?]{0,80}?%ADDRESS%",
    (
        r"\b(?:sende|schicke?|leite|übermittle|verrate?|gib)\b[^.!?]{0,30}\b(?:alle\w*|sämtliche\w*)\b"
        r"[^.!?]{0,30}\b(?:daten|passwörter|nachrichten|gespräche|erinnerungen|e-?mails|dateien|zugangsdaten"
        r"|kundendaten)"
    ),
    (
        r"\b(?:wenn|sobald|falls|jedes mal,? wenn|beim nächsten mal)\b[^.!?]{0,40}\b(?:der nutzer|der benutzer"
        r"|der kunde|jemand|ein kunde|ein nutzer)\b[^.!?]{0,60}\b(?:sende|schicke?|überweise|lösche|genehmige"
        r"|empfiehl|antworte|sage?|rufe?|bestelle|führe)\b"
    ),
)
