"""Passwords, keys, card and account numbers, codes: never kept, whoever asks for it."""

from __future__ import annotations

import re

from workers.checks.visible import visible

_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY"
    r"|\b(?:sk|pk|rk)[-_](?:live|test|proj|ant|or)[-_][\w-]{8,}|\bsk-[A-Za-z0-9_-]{16,}|\b(?:AKIA|ASIA|ABIA|"
    r"ACCA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abeoprs]-[\w-]{10,}|"
    r"\bAIza[\w-]{30,}"
    r"|\bya29\.[\w-]{16,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}|\bnpm_[A-Za-z0-9]{30,}|\bpypi-[\w-]{20,}|"
    r"\bhf_[A-Za-z0-9]{20,}"
    r"|\bSG\.[\w-]{16,}\.[\w-]{16,}|\bwhsec_[\w+/=]{16,}|\bdop_v1_[0-9a-f]{32,}|\bm0-[A-Za-z0-9]{20,}|"
    r"\bAccountKey=\S{20,}"
    r"|\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,80}:[^\s/@]{1,80}@"
    r"|\bBearer [\w.~+/-]{20,}",
)
_WORD = (
    r"pass\s?words?|passwd|pwd|pass\s?phrases?|api[ _-]?keys?|secret keys?|access[ _-]keys?|(?:access|auth|api|"
    r"bearer|refresh)[ _-]?tokens?|"
    r"private keys?|encryption keys?|(?:seed|recovery|wallet|mnemonic) phrases?|"
    r"passw(?:o|ö)rt(?:er|es)?|kennw(?:o|ö)rt(?:er|es)?|zugangsdaten|geheimschlüssel|contraseñas?|"
    r"clave(?: secreta| de acceso| api)?|"
    r"mots? de passe|clé (?:api|secrète|privée)|senha|parola d'ordine|пароль|пароля"
)
_IS = r"\s*(?:[:=→–—]|->|\s-\s|(?<!\w)(?:is|are|was|ist|lautet|war|sind|es|son|era|est|sont|était|é|это)(?!\w))\s*"
_NOT_A_VALUE = (
    r"(?!(?:[\"'“]?(?:not|too|very|so|quite|weak|strong|expired|expiring|wrong|incorrect|invalid|missing|being|"
    r"been|required|needed|safe|secure|"
    r"insecure|stored|kept|saved|written|known|unknown|the same|hard|easy|long|short|lost|forgotten|changed|"
    r"reset|rotated|leaked|compromised|protected|"
    r"managed|important|different|in|on|at|to|by|for|from|of|with|only|always|never|still|now|a|an|the|my|his|"
    r"her|their|your|our|something|"
    r"nicht|zu|sehr|schwach|stark|abgelaufen|falsch|sicher|unsicher|vergessen|in|im|bei|von|weg|gespeichert|"
    r"no|muy|débil|fuerte|incorrecta|incorrecto|segura|olvidada|caducada|en|"
    r"pas|trop|très|faible|fort|expiré|incorrect|oublié|dans|sur)(?![\w-])))"
)
_STATED = re.compile(
    rf"(?<!\w)(?:{_WORD})(?!\w)(?:\s+[^\s.!?:=]+){{0,5}}?{_IS}{_NOT_A_VALUE}[\"'“‘«]?\S{{3,}}",
    re.IGNORECASE,
)
_BESIDE = re.compile(rf"(?<!\w)(?:{_WORD})\s+[\"'“‘«(]?(?=\S{{0,40}}\d)(?!\d{{1,2}}\b)[^\s,]{{4,}}", re.IGNORECASE)
_NAMED_AFTER = re.compile(
    rf"(?<!\S)(?=\S{{0,40}}\d)\S{{6,40}}\s+(?:is|as|for|ist|als|es|como|est|"
    rf"comme)\s+(?:\w+\s+){{0,3}}?(?:{_WORD})(?!\w)",
    re.IGNORECASE,
)
_HAN = re.compile(
    r"(?:密码|口令|密钥|私钥|パスワード|暗証番号|비밀번호)[^。!?\n]{0,12}?(?:是|为|:|=|は|는|은)\s*[\"“「]?[A-Za-z0-9@#$%^&*_!.-]{3,}"
)
_CODE = re.compile(
    r"(?<![\w-])(?:pin(?:[ -]?(?:code|number|nummer))?|puk|otp|(?-i:TAN)|cvv2?|cvc2?|"
    r"(?:security|verification|confirmation|one[- ]time|2fa|mfa|sms|access|entry|door|gate|garage|alarm|lock|"
    r"unlock|safe|vault|backup|recovery|login|lockbox|keypad)[ -]"
    r"(?:code|pin|combination|number)s?|"
    r"(?!(?:zip|post|postal|area|country|dialling|dialing|error|status|exit|product|promo|promotion|discount|coupon|"
    r"voucher|gift|dress|course|source|colou?r|tax|sort|swift|bic|qr|bar|airport|morse|booking|flight|class|room|"
    r"reference|order|item|article|tracking|building|state|city|the|my|our|his|her|their|a|your|this|that|of|and|"
    r"hs|naf|sic|icd|unicode|ascii)[ -])[a-z]+[ -]code|"
    r"(?:code|combination) (?:for|of|to) (?:\w+ ){1,3}?(?:door|gate|safe|alarm|vault|"
    r"garage|lock|lockbox|locker|building|house|flat|entrance)|passcodes?|ssn|social security(?: number)?|"
    r"geheimzahl|(?:tür|zugangs|sicherheits|bestätigungs|alarm|tor|safe|entsperr)-?code|"
    r"código (?:de (?:acceso|seguridad|verificación|la puerta|la alarma)|pin)|"
    r"code (?:secret|d'accès|de sécurité|de vérification|de la porte|pin|du coffre)|digicode|пин-?код|"
    r"код (?:доступа|подтверждения))(?![\w])"
    r"(?:\s+[^\s.!?\d]+){0,5}?[\s:=#]*(?:is|ist|es|est|lautet)?[\s:=#\"']*\d(?:[ -]?\d){2,9}(?!\w)"
    r"|(?:验证码|密码|支付密码|门禁码|门锁密码|PIN码|安全码)[^。\d]{0,8}\d{3,10}",
    re.IGNORECASE,
)
_CARD = re.compile(r"(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w-])")
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|2720\d{12}|3[47]\d{13}|(?:6011|"
    r"65\d\d|64[4-9]\d)\d{12}|35\d{14}|"
    r"62\d{14,17}|3(?:0[0-5]|[68]\d)\d{11}|(?:5018|5020|5038|6304|6759|676[1-3])\d{8,15}"
)
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])", re.IGNORECASE
)


def holds_secret(text: str) -> bool:
    """True for a text that gives away a password, key, code, card or account number; speaking of one is harmless."""
    text = visible(text)
    patterns = (_KEY, _STATED, _BESIDE, _NAMED_AFTER, _HAN, _CODE)
    return (
        any(pattern.search(text) for pattern in patterns)
        or any(_is_card(match[0]) for match in _CARD.finditer(text))
        or any(_is_iban(match[0]) for match in _IBAN.finditer(text))
    )


def _is_card(shown: str) -> bool:
    """Issuer and check digit (Luhn) of a card number."""
    digits = "".join(char for char in shown if char.isdigit())
    if not _ISSUERS.fullmatch(digits):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(int(digit) for digit in digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_iban(shown: str) -> bool:
    """The two check digits of an account number (ISO 13616)."""
    compact = shown.replace(" ", "").upper()
    if not 15 <= len(compact) <= 34:
        return False
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1
