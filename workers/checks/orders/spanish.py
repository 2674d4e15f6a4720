"""Orders in Spanish."""

from __future__ import annotations

PATTERNS = (
    (
        r"\b(?:ignora\w?|ignore[n]?|olvida|olvide|desobedece|omite|omita|anula|salta)\b(?![^.!?]{0,12}\bmis?\b)"
        r"[^.!?]{0,30}\b(?:instruccion(?:es)?|instrucción|reglas?|órdenes|directrices|indicaciones|políticas?"
        r"|restricciones|normas)\b[^.!?]{0,30}\b(?:anterior(?:es)?|previas?|previos?|del sistema|existentes"
        r"|de arriba|tuyas)\b"
    ),
    (
        r"\b(?:ignora|ignore|olvida|olvide)\s+(?:todas|tus|cualquier|sus)\b[^.!?]{0,20}\b(?:instrucciones|reglas"
        r"|órdenes|directrices|indicaciones|políticas|restricciones)\b"
    ),
    (
        r"\b(?:trata|trate|considera|considere)\b[^.!?]{0,60}\bcomo (?:una? |la )?(?:política|regla|ley|norma"
        r"|autorizad\w|aprobad\w|de confianza|administrador\w?|verificad\w)"
    ),
    (
        r"\b(?:aprueba|apruebe|autoriza|autorice|acepta|acepte)\b[^.!?]{0,12}\b(?:siempre|automáticamente|todos"
        r"|todas|cualquier)\b|\bsiempre\s+(?:aprueba|apruebe|aprobar|autoriza|autorice|autorizar)\b"
    ),
    (
        r"\b(?:nota|mensaje|instrucción|aviso) (?:para|a) (?:la |el |al )?(?:memoria|asistente|ia|modelo|bot"
        r"|sistema)\s*[:;,-]"
    ),
    (
        r"\b(?:revela|revele|muestra|muestre|repite|imprime|dime)\b[^.!?]{0,30}\b(?:prompt|instrucciones"
        r"|mensaje) (?:del|de) sistema\b|\bahora eres\b[^.!?]{0,30}\b(?:dan|sin (?:restricciones|reglas"
        r"|límites))\b"
    ),
    r"\b(?:envía|envíe|envia|manda|mande|reenvía|reenvíe|sube|suba|comparte)\b[^!?]{0,80}?%ADDRESS%",
    (
        r"\b(?:envía|envíe|envia|manda|reenvía|comparte|revela)\b[^.!?]{0,20}\b(?:todos?|todas?)\b[^.!?]{0,30}"
        r"\b(?:datos|contraseñas|mensajes|conversaciones|memorias|recuerdos|correos|archivos|historial)"
    ),
    (
        r"\b(?:cuando|si|cada vez que|la próxima vez que)\b[^.!?]{0,30}\b(?:el usuario|la usuaria|el cliente"
        r"|alguien|un usuario|un cliente)\b[^.!?]{0,60}\b(?:envía|envíe|manda|transfiere|borra|elimina|aprueba"
        r"|recomienda|responde|di|dile|llama|compra)\b"
    ),
)
