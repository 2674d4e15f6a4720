"""Words that speak of the same attribute of a person, so that "Moved to Milan" meets "Lives in Rome"."""

from __future__ import annotations

from shared.model.word_list import word_list

_TOPICS = {
    "home": """live lives living lived move moved moves moving relocate relocated relocating reside resides
        residing based home address flat apartment house wohnt wohnen wohne umgezogen gezogen zieht lebt
        vive vivo viven mudó mudado mudanza habite habiter déménagé déménage 住 搬 搬到 居住""",
    "job": """work works working worked job jobs employed employer hired career position role company joined
        started quit resigned retired promoted fired unemployed engineer developer manager teacher nurse
        freelancer freelance startup office boss arbeitet arbeite job beruf stelle firma gekündigt trabaja
        trabajo empleo empresa puesto travaille travail emploi poste entreprise 工作 上班 任职 公司 辞职 入职""",
    "name": """name named called nickname goes heißt heiße nennt namen llama llamo nombre appelle prénom nom 名字 叫""",
    "partner": """married marry wife husband spouse partner girlfriend boyfriend engaged fiancé fiancée fiance fiancee
        divorced divorce single dating separated widowed verheiratet ehefrau ehemann mann frau freundin
        freund geschieden ledig verlobt casado casada esposa esposo marido novia novio soltero soltera
        divorciado divorciada marié mariée femme mari époux épouse célibataire divorcé divorcée 结婚 妻子 丈夫 离婚
        女朋友 男朋友 单身""",
    "age": """age aged old birthday born turned turns alter jahre geburtstag años edad nacido ans âge né née 岁 生日
        出生""",
    "diet": """eat eats eating vegetarian vegan pescatarian meat diet allergic allergy intolerant gluten lactose
        keto isst vegetarisch vegetarier vegetarierin veganer fleisch allergisch come vegetariano
        vegetariana vegano carne alérgico alérgica mange végétarien végétarienne végane viande allergique 素食
        吃素 过敏 吃肉""",
    "study": """study studies studying student university college school major degree graduated enrolled studiert
        studium universität schule estudia universidad escuela étudie université école 学习 大学 专业 毕业""",
    "money": """budget price cost costs salary rent income earns pay pays preis kosten gehalt miete presupuesto
        sueldo precio salario salaire loyer prix 预算 工资 价格 房租""",
    "contact": """phone number email mail mobile telefon telefonnummer handynummer teléfono correo téléphone courriel
        电话 手机 邮箱""",
    "date": """deadline due scheduled appointment meeting postponed rescheduled frist termin verschoben plazo cita
        aplazada échéance reporté 截止 推迟 改期""",
    "car": "car drives drive auto fährt coche conduce voiture conduit 车 开车",
    "pet": """pet dog cat puppy kitten hund katze haustier perro gato mascota chien chat 宠物 狗 猫""",
    "trip": """trip travel travels travelling traveling flight flying fly flies vacation holiday visit reise urlaub
        fliegt viaje vuelo vacaciones voyage vol vacances 旅行 旅游 飞""",
}
_TOPIC_OF: dict[str, str] = {word: topic for topic, words in _TOPICS.items() for word in word_list(words)}
_HAN_WORDS = {
    word: topic for word, topic in _TOPIC_OF.items() if not word.isascii() and "\u3400" <= word[0] <= "\u9fff"
}


def topics(words: frozenset[str], text: str) -> frozenset[str]:
    """The attributes that a text's words speak of; words of scripts without spaces are looked for inside the text."""
    found = {topic for word in words if (topic := _TOPIC_OF.get(word)) is not None}
    return frozenset(found | {topic for word, topic in _HAN_WORDS.items() if word in text})
