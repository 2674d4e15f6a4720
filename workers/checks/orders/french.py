"""Orders in French."""

from __future__ import annotations

PATTERNS = (
    (
        r"\b(?:ignore[zrs]?|oublie[zrs]?|désobéi\w*|outrepasse[zr]?|contourne[zr]?)\b(?![^.!?]{0,12}\bmes\b)"
        r"[^.!?]{0,30}\b(?:instructions?|règles?|consignes?|directives?|ordres|politiques?|restrictions?)\b"
        r"[^.!?]{0,30}\b(?:précédentes?|antérieures?|ci-dessus|du système|existantes?|initiales?)\b"
    ),
    (
        r"\b(?:ignore[zr]?|oublie[zr]?)\s+(?:toutes|tes|vos|n'importe quelle)\b[^.!?]{0,20}\b(?:instructions"
        r"|règles|consignes|directives|restrictions)\b"
    ),
    (
        r"\b(?:traite[zr]?|considère|considérez|considérer)\b[^.!?]{0,60}\bcomme (?:une? |la )?(?:politique|règle"
        r"|loi|autorisée?s?|approuvée?s?|de confiance|administrateur\w*|vérifiée?s?)"
    ),
    (
        r"\b(?:approuve[zr]?|autorise[zr]?|accepte[zr]?)\b[^.!?]{0,12}\b(?:toujours|automatiquement|tous|toutes"
        r"|systématiquement)\b|\btoujours\s+(?:approuver|autoriser|valider)\b"
    ),
    (
        r"\b(?:note|message|instruction|consigne) (?:à|pour) (?:la |l'|le )?(?:mémoire|assistant\w*|ia|modèle|bot"
        r"|système)\s*[:;,-]"
    ),
    (
        r"\b(?:révèle|révélez|montre[zr]?|affiche[zr]?|répète|répétez)\b[^.!?]{0,30}\b(?:prompt|message"
        r"|instructions?) (?:système|du système)\b|\btu es (?:maintenant|désormais)\b[^.!?]{0,30}\b(?:dan|sans "
        r"(?:restrictions?|règles?|limites?))\b"
    ),
    r"\b(?:envoie|envoyez|envoyer|transfère|transférez|transmets|partage[zr]?)\b[^!?]{0,80}?%ADDRESS%",
    (
        r"\b(?:envoie|envoyez|transfère|transmets|partage[zr]?|révèle)\b[^.!?]{0,20}\b(?:tou(?:s|tes)"
        r"|l'ensemble)\b[^.!?]{0,30}\b(?:données|mots de passe|messages|conversations|souvenirs|e-?mails|fichiers"
        r"|historique)"
    ),
    (
        r"\b(?:quand|lorsqu\w*|si|chaque fois qu\w*|la prochaine fois qu\w*|dès qu\w*)\b[^.!?]{0,30}\b"
        r"(?:l'utilisateur|l'utilisatrice|le client|quelqu'un|un client|un utilisateur)\b[^.!?]{0,60}\b(?:envoie"
        r"|envoyez|transfère|supprime|approuve|recommande|réponds|répondez|dis|dites|appelle|achète)\b"
    ),
)
