"""Secrets are refused, talk about them is not."""

from __future__ import annotations

import pytest

from tests.unit.checks.samples import problems
from workers.checks.secrets import holds_secret

CARD = "4111 1111 1111 1111"
IBAN = "DE89 3704 0044 0532 0130 00"
SECRETS = {
    "password is": "My password is hunter2",
    "password of words": "The wifi password is sunflower",
    "password with a colon": "password: correct-horse",
    "password equals": "pwd=Secr3t!",
    "password without a verb": "Uses the password Tr0ub4dor everywhere",
    "password for a service": "The password for the router is blue42sky",
    "the other way round": "hunter2 is my password",
    "used as": "Uses Summer2024 as the password for Netflix",
    "full width letters": "ｐａｓｓｗｏｒｄ： hunter2",
    "zero width inside": "pass\u200bword: hunter2",
    "passphrase": "The passphrase is open sesame",
    "german": "Mein Passwort ist Sommer2024",
    "german lautet": "Das WLAN-Passwort lautet geheim123",
    "spanish": "La contraseña es girasol99",
    "spanish clave": "Mi clave es perro123",
    "french": "Le mot de passe est soleil22",
    "chinese": "我的密码是abc12345",
    "chinese digits": "银行卡密码是123456",
    "japanese": "パスワードはabc123です",
    "russian": "Мой пароль: qwerty12",
    "pin": "My PIN is 4711",
    "pin of the card": "The PIN of the card is 4711",
    "pin with a hash": "PIN #4711",
    "german pin": "Die PIN lautet 4711",
    "door code": "The door code is 2580",
    "alarm code": "alarm code 8812#",
    "german door code": "Der Türcode ist 2580",
    "spanish code": "El código de la puerta es 2580",
    "french code": "Le code d'accès est 2580",
    "digicode": "Le digicode: 25801",
    "one-time code": "The verification code is 884213",
    "cvv": "CVV 123",
    "chinese code": "验证码是884213",
    "ssn": "SSN 078-05-1120",
    "card": f"Pays with {CARD}",
    "card without spaces": "Card 5555555555554444 is used",
    "amex": "Pays with 3782 822463 10005",
    "iban": f"Account {IBAN}",
    "iban without spaces": f"Account {IBAN.replace(' ', '')}",
    "iban in lower case": f"account {IBAN.lower()}",
    "openai key": "Uses sk-" + "proj-abcdefghijklmnop1234",
    "older key": "key sk-" + "a1B2c3D4" * 4,
    "stripe key": "sk_" + "live_51H8abcdefghij",
    "aws key": "AKIA" + "IOSFODNN7EXAMPLE",
    "github token": "ghp" + "_abcdefghijklmnopqrstuvwxyz0123456789",
    "slack token": "xox" + "b-123456789012-abcdefghij",
    "google key": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "jwt": "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.abcdefgh",
    "private key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "url with a password": "postgres://app:s3cret@db.example/app",
    "bearer": "Authorization: Bearer " + "abcdefghijklmnopqrstuvwx",
    "api key stated": "The API key is 9f8e7d6c5b4a",
    "seed phrase": "The seed phrase is witch collapse practice feed",
}
HARMLESS = {
    "forgot": "Forgot the password for Netflix",
    "weak": "The password is too weak",
    "expired": "My password is expired",
    "not stored": "The API key is not stored in the repository",
    "manager": "Uses a password manager called Bitwarden",
    "changed": "Changed the password on 2026-05-06",
    "rotates": "Rotates API keys every 90 days",
    "german": "Hat das Passwort vergessen",
    "spanish": "Olvidó la contraseña del correo",
    "chinese": "忘记了邮箱密码",
    "pin board": "Bought a pin board for 20 euros",
    "pinned": "Pinned 3 notes",
    "promo code": "Has the promo code SAVE20",
    "postcode": "Lives at postcode 10115",
    "zip": "Lives at zip code 90210",
    "phone": "Phone number is +49 170 1234567",
    "email": "E-mail is anna@example.com",
    "long number": "The order number is 1234567890123456",
    "isbn": "Reads ISBN 978-3-16-148410-0",
    "card that fails the check": "Number 4111 1111 1111 1112",
    "iban that fails the check": "Account DE89 3704 0044 0532 0130 01",
    "iban by name": "Has an IBAN from Germany",
    "date": "Was born on 1990-05-06",
    "version": "Runs Python 3.11.4",
    "url": "The blog is https://anna.example/posts",
    "french key": "La clé est sous le pot de fleurs",
    "spanish key": "La clave del éxito es la paciencia",
    "token of love": "Gave a token of love",
    "tan": "Got a tan in 2024",
    "locker": "Keeps the bike in locker 12",
    "secret recipe": "Has a secret recipe for lasagna",
    "room": "Access via door 12",
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_secret_is_found(text: str) -> None:
    """Whatever the shape or the language."""
    assert holds_secret(text)


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_talk_about_secrets_is_harmless(text: str) -> None:
    """Speaking of passwords, numbers and keys is no leak."""
    assert not holds_secret(text)


def test_secret_is_refused_in_text_and_quote_but_not_beside_them() -> None:
    """The message may hold more than what is kept of it."""
    message = "my password is hunter2 and I live in Rome now"

    assert problems(message, "Has the password hunter2") == ["secret"]
    assert problems(message, "Lives in Rome now") == ["secret"]
    assert problems(message, "Lives in Rome now", quote="I live in Rome now") == []
