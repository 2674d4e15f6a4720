"""Orders planted in text for whoever reads the memory later; a user's plain wish about style or habits is none.

Looked for in the statement and in the sentence that it quotes.
"""

from __future__ import annotations

import re

from workers.checks.visible import visible

_FLAGS = re.IGNORECASE
_DO = r"(?:^|[.!?:;,\"“「]\s*|\b(?:please|must|should|always|never|then|and|also|now|immediately|automatically|to)\s+)"
_DATA = (
    r"(?:all|every|any|the (?:user|customer|client)s?'?s?|private|confidential|personal|secret|internal|stored)\b[^.!?]{0,40}\b"
    r"(?:data|passwords?|credentials?|conversations?|chats?|history|memor(?:y|ies)|e-?mails?|keys?|tokens?|information|files?|contacts?|messages?|records?|details)"
)
_ADDRESS = r"(?:\S+@\S+\.\w|https?://|www\.|ftp://)"
_ENGLISH = (
    # rules set aside; "my earlier instruction" is the user's own to take back
    r"\b(?:ignore|disregard|override|bypass|circumvent|forget|drop|do not follow|don't follow|stop following)\b(?![^.!?]{0,20}\bmy\b)[^.!?]{0,30}"
    r"\b(?:previous|prior|above|earlier|preceding|former|your|system|safety|security|all|any|existing|other|these|initial|original)\b[^.!?]{0,30}"
    r"\b(?:instructions?|rules?|prompts?|guidelines?|polic(?:y|ies)|restrictions?|orders|directives?|directions|constraints?|safeguards?|filters?)\b",
    r"\b(?:ignore|disregard) (?:everything|all|anything|what)\b[^.!?]{0,20}\b(?:above|before|previously|so far|told|said earlier)\b",
    r"\b(?:treat|regard|consider|accept|record|store|mark)\b[^.!?]{0,60}\bas (?:an? |the |our |company |official |new |binding )*"
    r"(?:policy|policies|law|rule|standing order|authori[sz]ed|approved|pre-?approved|trusted|verified|system (?:message|instruction)|admin(?:istrator)?s?|true regardless)\b",
    r"\b(?:always|automatically|silently|blindly|unconditionally)\s+(?:approve|authori[sz]e|grant|whitelist|pre-?approve|refund|comply|obey|trust|permit|allow|accept)\s+"
    r"(?:all|any|every|each|refunds?|requests?|transactions?|payments?|transfers?|access|orders?|claims?|returns?|charges?|invoices?|withdrawals?|instructions?|commands?|"
    r"whatever|without|with|this|these|his|her|their|him|them|links?|it|me)\b",
    r"\b(?:approve|authori[sz]e|grant|permit|process) (?:all|any|every) (?:\w+ ){0,3}(?:refunds?|requests?|transactions?|payments?|transfers?|access|claims?|withdrawals?)\b",
    r"\b(?:new|updated?|special|official) (?:system |company |security |company-wide )?(?:policy|directive|instructions?|rule|protocol)\s*[:=]",
    r"\b(?:note|memo|message|instructions?|reminder|command|attention|notice)\s*(?:to|for)?\s+(?:the |your |all |any |future )*"
    r"(?:memory(?: system| manager| module| agent)?|memories|ai|assistants?|models?|llms?|agents?|chat ?bots?|bots?|system)\s*[:;,!>\u2013\u2014-]",
    r"\b(?:reveal|show|print|repeat|output|display|leak|expose|tell me|give me|ignore|override|change|replace|rewrite|forget)\b[^.!?]{0,30}"
    r"\b(?:your|the|its|hidden|initial|internal)\b[^.!?]{0,20}\b(?:system|hidden|initial|developer|internal)\s+(?:prompt|instructions?|message|rules)\b",
    r"\b(?:your|new|updated|the real) system prompt (?:is|says|reads|now|:)",
    r"\b(?:you are|you're|act as|pretend to be|behave as|become|switch to|enter|enable|activate)\b[^.!?]{0,30}"
    r"\b(?:dan|developer mode|jail ?broken|jail ?break|unrestricted|unfiltered|uncensored|god mode|root access|admin mode|debug mode|no (?:rules|restrictions|limits))\b",
    r"<\|?/?(?:system|im_start|im_end|assistant|instructions?|admin)\b[^>]{0,20}>|\[/?(?:inst|system|admin|instructions?)\]|<<sys>>|#{2,}\s*(?:system|instructions?)\b",
    r"^\W{0,3}(?:system|developer|admin(?:istrator)?|root|assistant)(?: (?:message|prompt|note|override|instruction|notice))?\s*:",
    r"\b(?:system|safety|security) override\b|\bexfiltrat\w+|\bprompt injection:",
    rf"{_DO}(?:send|forward|e-?mail|mail|post|upload|transmit|transfer|leak|share|copy|bcc|cc|submit|report|deliver)\b[^!?]{{0,80}}?{_ADDRESS}",
    rf"{_DO}(?:send|forward|e-?mail|post|upload|transmit|leak|share|disclose|reveal|hand over|submit|give)\s+(?:(?:me|him|her|them|us|out)\s+)?{_DATA}\b",
    rf"{_DO}(?:contact|call|phone|message|notify|ping|visit|open|click|download|fetch|run|execute|install|curl)\s+(?!me\b|us\b)[^!?]{{0,40}}?(?:{_ADDRESS}|\+\d[\d ()-]{{7,}})",
    rf"{_DO}(?:wire|transfer|pay|send)\s+(?:\S+\s+){{0,3}}?(?:money|funds|bitcoin|btc|crypto|[$€£]\s?\d\S*|\d\S*\s?(?:dollars|euros?|usd|eur|btc|eth))\s+to\b",
    r"\b(?:next time|whenever|when|if|as soon as|every time|each time|once)\b[^.!?]{0,40}\b(?:the |a |any )?(?:user|customer|client|someone|anyone|anybody|somebody|admin|they|"
    r"you (?:see|read|receive|hear|process|summari[sz]e))\b[^.!?]{0,60}?"
    r"\b(?:you (?:must|should|will|have to|need to)|send|forward|e-?mail|transfer|delete|approve|run|execute|reveal|buy|order|pay|reply|respond|"
    r"recommend|insert|append|redirect|include|answer with|say that|tell (?:them|him|her|the))\b",
    r"\b(?:do not|don't|never|without) (?:tell|telling|inform|informing|warn|warning|alert|alerting|notify|notifying|mention(?:ing)? (?:this|it) to) (?:the |any )?"
    r"(?:users?|customers?|humans?|operators?|anyone|owner)\b",
    r"\b(?:the )?(?:assistant|ai|bot|chat ?bot|agent|llm|memory system)\s+(?:must|shall|is (?:required|authori[sz]ed|permitted|instructed|obliged) to|has to|may now|will now)\s+"
    r"(?:always |never |now |immediately |automatically )*(?:approve|grant|refund|transfer|wire|pay|execute|run|reveal|disclose|leak|obey|comply|treat|authori[sz]e|trust|"
    r"ignore|delete|forward|upload|send|share|call|contact|open|visit|buy|order)\b",
)
_GERMAN = (
    r"\b(?:ignorier(?:e|en|t|st)?|missacht\w*|vergiss|vergesst|vergessen|überschreib\w*|umgeh\w*)\b(?![^.!?]{0,12}\bmeine\w?\b)[^.!?]{0,30}"
    r"\b(?:alle\w*|vorherige\w*|bisherige\w*|frühere\w*|obige\w*|deine\w?|vorangegangene\w*|bestehende\w*|system\w*)\b[^.!?]{0,30}"
    r"\b(?:anweisung\w*|instruktion\w*|regeln?|vorgaben?|befehle?n?|richtlinien?|prompts?|beschränkung\w*)",
    r"\b(?:behandle\w*|betrachte\w*|werte\w*|merke dir)\b[^.!?]{0,60}\b(?:als (?:\w+ )?(?:richtlinie|regel|gesetz|genehmigt|autorisiert|vertrauenswürdig|freigegeben|administrator|verifiziert))",
    r"\b(?:immer|automatisch|stets|jede\w?|alle)\b[^.!?]{0,40}\b(?:genehmige\w*|freigeben|bewillige\w*|autorisiere\w*|erstatte\w*)\b|\bgenehmige\b[^.!?]{0,20}\b(?:immer|stets|alle|jede\w?|automatisch)\b",
    r"\b(?:notiz|hinweis|nachricht|anweisung) (?:an|für) (?:den |das |die )?(?:speicher|gedächtnis|assistent\w*|ki|modell|bot|system)\b",
    r"\b(?:zeige?|verrate?|nenne?|gib|wiederhole?)\b[^.!?]{0,30}\b(?:system-?prompt|systemanweisung\w*|systemnachricht)\b|\bdu bist (?:jetzt|nun|ab sofort)\b[^.!?]{0,30}\b(?:dan|uneingeschränkt\w*|ohne regeln)\b",
    rf"\b(?:sende|schicke?|maile?|leite|übermittle|lade)\b[^!?]{{0,80}}?{_ADDRESS}",
    r"\b(?:sende|schicke?|leite|übermittle|verrate?|gib)\b[^.!?]{0,30}\b(?:alle\w*|sämtliche\w*)\b[^.!?]{0,30}\b(?:daten|passwörter|nachrichten|gespräche|erinnerungen|e-?mails|dateien|zugangsdaten|kundendaten)",
    r"\b(?:wenn|sobald|falls|jedes mal,? wenn|beim nächsten mal)\b[^.!?]{0,40}\b(?:der nutzer|der benutzer|der kunde|jemand|ein kunde|ein nutzer)\b[^.!?]{0,60}"
    r"\b(?:sende|schicke?|überweise|lösche|genehmige|empfiehl|antworte|sage?|rufe?|bestelle|führe)\b",
)
_SPANISH = (
    r"\b(?:ignora\w?|ignore[n]?|olvida|olvide|desobedece|omite|omita|anula|salta)\b(?![^.!?]{0,12}\bmis?\b)[^.!?]{0,30}"
    r"\b(?:instruccion(?:es)?|instrucción|reglas?|órdenes|directrices|indicaciones|políticas?|restricciones|normas)\b[^.!?]{0,30}"
    r"\b(?:anterior(?:es)?|previas?|previos?|del sistema|existentes|de arriba|tuyas)\b",
    r"\b(?:ignora|ignore|olvida|olvide)\s+(?:todas|tus|cualquier|sus)\b[^.!?]{0,20}\b(?:instrucciones|reglas|órdenes|directrices|indicaciones|políticas|restricciones)\b",
    r"\b(?:trata|trate|considera|considere)\b[^.!?]{0,60}\bcomo (?:una? |la )?(?:política|regla|ley|norma|autorizad\w|aprobad\w|de confianza|administrador\w?|verificad\w)",
    r"\b(?:aprueba|apruebe|autoriza|autorice|acepta|acepte)\b[^.!?]{0,12}\b(?:siempre|automáticamente|todos|todas|cualquier)\b|\bsiempre\s+(?:aprueba|apruebe|aprobar|autoriza|autorice|autorizar)\b",
    r"\b(?:nota|mensaje|instrucción|aviso) (?:para|a) (?:la |el |al )?(?:memoria|asistente|ia|modelo|bot|sistema)\s*[:;,-]",
    r"\b(?:revela|revele|muestra|muestre|repite|imprime|dime)\b[^.!?]{0,30}\b(?:prompt|instrucciones|mensaje) (?:del|de) sistema\b|\bahora eres\b[^.!?]{0,30}\b(?:dan|sin (?:restricciones|reglas|límites))\b",
    rf"\b(?:envía|envíe|envia|manda|mande|reenvía|reenvíe|sube|suba|comparte)\b[^!?]{{0,80}}?{_ADDRESS}",
    r"\b(?:envía|envíe|envia|manda|reenvía|comparte|revela)\b[^.!?]{0,20}\b(?:todos?|todas?)\b[^.!?]{0,30}\b(?:datos|contraseñas|mensajes|conversaciones|memorias|recuerdos|correos|archivos|historial)",
    r"\b(?:cuando|si|cada vez que|la próxima vez que)\b[^.!?]{0,30}\b(?:el usuario|la usuaria|el cliente|alguien|un usuario|un cliente)\b[^.!?]{0,60}"
    r"\b(?:envía|envíe|manda|transfiere|borra|elimina|aprueba|recomienda|responde|di|dile|llama|compra)\b",
)
_FRENCH = (
    r"\b(?:ignore[zrs]?|oublie[zrs]?|désobéi\w*|outrepasse[zr]?|contourne[zr]?)\b(?![^.!?]{0,12}\bmes\b)[^.!?]{0,30}"
    r"\b(?:instructions?|règles?|consignes?|directives?|ordres|politiques?|restrictions?)\b[^.!?]{0,30}\b(?:précédentes?|antérieures?|ci-dessus|du système|existantes?|initiales?)\b",
    r"\b(?:ignore[zr]?|oublie[zr]?)\s+(?:toutes|tes|vos|n'importe quelle)\b[^.!?]{0,20}\b(?:instructions|règles|consignes|directives|restrictions)\b",
    r"\b(?:traite[zr]?|considère|considérez|considérer)\b[^.!?]{0,60}\bcomme (?:une? |la )?(?:politique|règle|loi|autorisée?s?|approuvée?s?|de confiance|administrateur\w*|vérifiée?s?)",
    r"\b(?:approuve[zr]?|autorise[zr]?|accepte[zr]?)\b[^.!?]{0,12}\b(?:toujours|automatiquement|tous|toutes|systématiquement)\b|\btoujours\s+(?:approuver|autoriser|valider)\b",
    r"\b(?:note|message|instruction|consigne) (?:à|pour) (?:la |l'|le )?(?:mémoire|assistant\w*|ia|modèle|bot|système)\s*[:;,-]",
    r"\b(?:révèle|révélez|montre[zr]?|affiche[zr]?|répète|répétez)\b[^.!?]{0,30}\b(?:prompt|message|instructions?) (?:système|du système)\b|\btu es (?:maintenant|désormais)\b[^.!?]{0,30}\b(?:dan|sans (?:restrictions?|règles?|limites?))\b",
    rf"\b(?:envoie|envoyez|envoyer|transfère|transférez|transmets|partage[zr]?)\b[^!?]{{0,80}}?{_ADDRESS}",
    r"\b(?:envoie|envoyez|transfère|transmets|partage[zr]?|révèle)\b[^.!?]{0,20}\b(?:tou(?:s|tes)|l'ensemble)\b[^.!?]{0,30}\b(?:données|mots de passe|messages|conversations|souvenirs|e-?mails|fichiers|historique)",
    r"\b(?:quand|lorsqu\w*|si|chaque fois qu\w*|la prochaine fois qu\w*|dès qu\w*)\b[^.!?]{0,30}\b(?:l'utilisateur|l'utilisatrice|le client|quelqu'un|un client|un utilisateur)\b[^.!?]{0,60}"
    r"\b(?:envoie|envoyez|transfère|supprime|approuve|recommande|réponds|répondez|dis|dites|appelle|achète)\b",
)
_CHINESE = (
    r"(?:忽略|无视|忘记|忘掉|不要理会|跳过|绕过|覆盖)(?!我)[^。!?]{0,12}(?:之前|以前|上面|以上|先前|前面|所有|一切|系统|你的)[^。!?]{0,10}(?:指令|指示|规则|提示|命令|要求|限制|政策|设定)",
    r"(?:视为|当作|当成|作为)[^。!?]{0,10}(?:政策|规定|规则|法律|已授权|已批准|可信|管理员|系统指令)",
    r"(?:总是|始终|一律|自动|永远|无条件|直接)(?:批准|同意|授权|通过|退款|放行)",
    r"(?:致|给|对)(?:记忆|助手|AI|人工智能|模型|系统|机器人)(?:系统|模块)?的?(?:备注|说明|指令|提示|留言)?[::]",
    r"(?:显示|透露|告诉我|输出|重复|泄露)[^。!?]{0,10}(?:系统提示|系统指令|系统消息|提示词)|你现在是[^。!?]{0,10}(?:不受限制|没有限制|DAN)",
    r"(?:把|将)[^。!?]{0,30}(?:发送|发给|转发|上传|邮寄|汇)[^。!?]{0,10}(?:到|给|至)?[^。!?]{0,20}(?:@|https?:|www\.)",
    r"(?:发送|转发|上传|泄露|分享)(?:所有|全部|用户的?)[^。!?]{0,10}(?:数据|密码|消息|对话|记录|记忆|邮件|文件|信息)|把(?:所有|全部|用户的?)[^。!?]{0,12}(?:发送|发给|转发|上传)",
    r"(?:当|如果|每当|下次|一旦)[^。!?]{0,12}(?:用户|客户|有人|别人)[^。!?]{0,24}(?:发送|转发|批准|转账|删除|推荐|回复|回答|执行|购买|告诉)",
)
_PATTERNS = tuple(re.compile(pattern, _FLAGS) for pattern in (*_ENGLISH, *_GERMAN, *_SPANISH, *_FRENCH, *_CHINESE))
_LONGEST = 1_500


def gives_orders(text: str) -> bool:
    """True for a text that sets rules aside, speaks to the machine behind the conversation, or wants something sent or done later."""
    text = visible(text[:_LONGEST]).replace("’", "'")
    return any(pattern.search(text) for pattern in _PATTERNS)
