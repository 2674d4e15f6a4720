"""Embeddings from a small thesaurus: words of one everyday concept point the same way. A stand-in for a dense model.

It knows what belongs together ("flat", "moved", "live"), nothing about sentences, so it proves how dense and word
lists are brought together, not how well a particular model finds.
"""

from __future__ import annotations

import re
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from tests.fakes.llm_vectors import vector

_WORD = re.compile(r"[^\W\d_]+")
_WORDS_WEIGHT = 0.5  # of the words themselves beside the concepts
_DIRECTIONS = 8  # random numbers a concept is made of

CONCEPTS = {
    "home": """live lives living lived reside home house flat apartment rent rents rented landlord lease move
        moved moving relocate settled neighbourhood neighbour suburb room rooms roommate mortgage
        tenant cottage""",
    "place": "city town village country abroad street district capital region coast island",
    "work": """work works worked working job jobs employer employed company office boss career profession
        occupation hired fired resigned quit promoted promotion colleague staff position role shift
        firm business startup freelance unemployed retire retired retirement manager engineer nurse
        teacher chef driver lawyer accountant salary""",
    "study": """study studies studying student school college university degree course class exam thesis
        graduate graduated graduation diploma lecture semester major teacher professor homework
        enrolled""",
    "money": """money budget cost costs price pay pays paid spend spends spent save saves savings afford cheap
        expensive euro euros dollar dollars pound loan debt salary income earn earns wage bank account
        invest""",
    "partner": """married marry marries wedding wife husband spouse partner girlfriend boyfriend fiance fiancee
        engaged engagement divorce divorced separated single dating widow couple relationship""",
    "children": """child children kid kids son daughter baby babies newborn pregnant pregnancy twins toddler birth
        parent parents mother father mum dad""",
    "relatives": """brother sister sibling siblings aunt uncle cousin grandmother grandfather grandma nephew niece
        family relatives""",
    "friends": "friend friends buddy mate pal acquaintance neighbour companion social party",
    "pets": """pet pets dog dogs puppy cat cats kitten hamster rabbit parrot canary fish aquarium horse pony
        vet leash animal animals adopt adopted breed""",
    "food": """eat eats ate eating food meal meals dinner lunch breakfast cook cooks cooking recipe dish
        restaurant kitchen taste hungry snack bread cheese soup pizza pasta rice""",
    "diet": """vegan vegetarian meat steak beef pork chicken fish sausage plant diet dairy gluten lactose
        pescatarian burger bacon tofu""",
    "allergy": "allergy allergic allergies intolerant intolerance reaction rash hives sneeze pollen nuts peanuts",
    "drinks": """drink drinks drank drinking coffee tea espresso caffeine wine beer alcohol sober bar pub
        cocktail juice milk decaf""",
    "smoking": "smoke smokes smoked smoking cigarette cigarettes tobacco nicotine vape vaping",
    "health": """health healthy ill illness sick disease doctor hospital surgery operation pain diagnosis
        diagnosed symptom clinic patient treatment therapy recover recovered diabetes asthma migraine""",
    "medicine": "medicine medication pill pills tablet dose mg prescription drug antibiotics insulin vaccine",
    "injury": "injury injured broke broken fracture sprained knee ankle arm leg back shoulder wrist cast limp bone",
    "sport": """sport sports run runs running jog jogging marathon race train training gym fitness exercise
        workout team football soccer tennis basketball swim swims swimming cycle cycling bike yoga
        climbing climb skiing ski hike hiking coach match""",
    "sleep": "sleep sleeps slept asleep awake insomnia bed bedtime nap wake wakes tired night early",
    "music": """music song songs band concert guitar piano violin drums sing sings singing singer album
        instrument play orchestra choir festival""",
    "screen": """film films movie movies cinema series show television tv watch watches watched actor director
        streaming""",
    "reading": """book books read reads reading novel novels author library story poem poetry magazine chapter
        literature fiction thriller""",
    "art": """art paint paints painting painter draw drawing sketch sculpture pottery museum gallery photo
        photography craft""",
    "games": "game games gaming gamer video console chess board cards puzzle player",
    "garden": """garden gardening plant plants flower flowers vegetable vegetables grow grows soil seed tree
        lawn balcony""",
    "travel": """travel travels trip journey holiday vacation flight fly flies flew plane airport hotel visit
        visited tour abroad passport luggage beach cruise""",
    "vehicle": """car cars drive drives drove driving vehicle truck van motorbike motorcycle scooter bicycle bus
        train licence garage petrol electric commute commutes commuting hybrid""",
    "device": """phone smartphone mobile laptop computer tablet screen android iphone pixel device gadget
        headphones watch""",
    "software": """app software program code coding programming developer website python server database operating
        linux windows""",
    "clothes": "clothes clothing wear wears wore dress shirt shoes shoe boots coat jacket size fashion jeans",
    "looks": "hair beard glasses eyes tall height weight weigh weighs kilos tattoo bald blond haircut dyed lenses",
    "language": """language languages speak speaks spoke speaking fluent french german spanish english italian
        chinese learn lessons""",
    "belief": """religion religious church mosque temple pray faith god christian muslim jewish buddhist atheist
        convert""",
    "politics": "vote voted election party politics government citizen citizenship nationality passport",
    "time": """morning evening afternoon monday tuesday wednesday thursday friday saturday sunday weekend
        schedule appointment""",
    "age": "age old young birthday years born turned turning adult teenager",
    "name": "name named called surname nickname known",
    "fear": "afraid fear fears scared phobia anxious anxiety nervous worry panic",
    "love": "love loves like likes enjoy enjoys favourite favorite prefer prefers fond fan adore",
    "hate": "hate hates dislike dislikes cannot stand avoid avoids bored tired",
    "nature": "forest mountain mountains sea ocean river lake weather rain snow sun hot cold climate wild bird birds",
    "charity": "volunteer volunteers charity donate donates help shelter community cause activist",
    "contact": "email mail call calls phone number address message contact text reach",
}  # fmt: skip

_OF_WORD: dict[str, list[str]] = {}
for _concept, _words in CONCEPTS.items():
    for _each in _words.split():
        _OF_WORD.setdefault(_each, []).append(_concept)


def concept_vector(text: str, dimensions: int) -> NDArray[np.float32]:
    """A unit vector: the concepts of the words, and the words themselves more quietly."""
    values = _WORDS_WEIGHT * vector(text, dimensions)
    for word in _WORD.findall(text.casefold()):
        concepts = _OF_WORD.get(word, ())
        for concept in concepts:
            values += _direction(concept, dimensions) / len(concepts)
    return (values / np.float32(np.linalg.norm(values))).astype(np.float32)


def _direction(concept: str, dimensions: int) -> NDArray[np.float32]:
    values = np.zeros(dimensions, dtype=np.float32)
    for number in range(_DIRECTIONS):
        code = crc32(f"{concept}#{number}".encode())
        values[(code >> 1) % dimensions] += 1.0 if code & 1 else -1.0
    return values / np.float32(np.linalg.norm(values))
