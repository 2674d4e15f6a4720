"""The rules extractor as a whole: the documented example, voices, kinds, dates, quotes, languages, chit-chat."""

from __future__ import annotations

import pytest

from shared.model.record import Record
from tests.unit.rules.conversation import known, said, window
from workers.rules.extractor import AUTHOR, extract


def texts(*messages: object, **fields: str) -> list[str]:
    """The texts of all records of a window."""
    return [record.text for record in extract(window(*messages, **fields), ()).records]  # type: ignore[arg-type]


def one(text: str) -> Record:
    """The only record of a message of the unnamed user."""
    (record,) = extract(window(text), ()).records
    return record


def test_the_documented_example_gives_exactly_two_memories() -> None:
    """The example of the API's documentation, word for word and in order."""
    extraction = extract(window("I want to go to Rome in July. give me tips for museums"), ())
    assert [(record.text, record.kind, record.when, record.op) for record in extraction.records] == [
        ("Wants to go to Rome in July", "plan", "2026-07", "ADD"),
        ("Looking for tips for museums", "need", None, "ADD"),
    ]
    assert [record.quote for record in extraction.records] == [
        "I want to go to Rome in July.",
        "give me tips for museums",
    ]
    assert extraction.extractor == AUTHOR


STATEMENTS = [
    ("I'm a nurse and I live in Bonn", ["Is a nurse", "Lives in Bonn"]),
    ("My name is Ana and I'm a nurse", ["Name is Ana", "Is a nurse"]),
    ("I live in Rome and work at Acme", ["Lives in Rome", "Works at Acme"]),
    ("I have a dog and he loves me", ["Has a dog and he loves them"]),
    ("Yesterday I had a meeting with John at 3pm", ["Had a meeting with John at 3pm on 2026-05-06"]),
    ("In 2019 I moved to Berlin", ["Moved to Berlin in 2019"]),
    ("Lately I've been tired", ["Has been tired lately"]),
    ("Well, by the way, I love jazz too!", ["Loves jazz"]),
    ("Hi! I'm Max from Bonn 😀", ["Is Max from Bonn"]),
    ("I just started 'The Nightingale' - can you recommend similar books?",
     ["Started 'The Nightingale'", "Looking for similar books"]),
    ("I'm from Berlin, what about you?", ["Is from Berlin"]),
    ("Went to Rome last week", ["Went to Rome in the week of 2026-04-27"]),
    ("My wife and I are planning a trip to Peru", ["They and their wife are planning a trip to Peru"]),
    ("Thanks! I love tacos. Nice to meet you.", ["Loves tacos"]),
    ("Remember that my son is called Leo", ["Son is called Leo"]),
    ("please remember my wife's birthday is 3 June", ["Wife's birthday is 3 June"]),
    ("I no longer work at Acme; I work at Globex", ["No longer works at Acme", "Works at Globex"]),
    ("```\nI hate tea\n``` I like tea", ["Likes tea"]),
    ("- I like tea\n- I hate milk", ["Likes tea", "Hates milk"]),
    ("Vegetarian", ["Said: Vegetarian"]),
    ("The weather is terrible", ["The weather is terrible"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), STATEMENTS, ids=[case[0] for case in STATEMENTS])
def test_statements(text: str, expected: list[str]) -> None:
    """What the unnamed user says, in the third person without a subject."""
    assert texts(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n ",
        "...?!",
        "😀😀😀",
        "hi",
        "Thanks so much!",
        "lol",
        "That sounds fun",
        "That's so cool!",
        "I love it so much",
        "I'm so glad to hear that!",
        "It was nice talking to you!",
        "Have a great day!",
        "No problem!",
        "I know right?",
        "Me too!",
        "I think so too.",
        "You're welcome",
        "I'll let you know",
        "Tell me more!",
        "What is the capital of France?",
        "How are you?",
        "好的，谢谢！",
        "你喜欢什么？",
        "Danke!",
    ],
)
def test_chit_chat_leaves_nothing(text: str) -> None:
    """Courtesy, reactions, pure questions."""
    assert texts(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Ich wohne in Berlin",
        "我住在北京",
        "我饿坏了",
        "Я живу в Москве",
        "أنا أعيش في القاهرة",
        "אני גר בחיפה",
        "मैं दिल्ली में रहता हूँ",
        "東京に住んでいます",
        "저는 서울에 살아요",
        "Vivo en Madrid",
        "J'habite à Lyon",
        "Abito a Roma",
        "Mieszkam w Krakowie",
        "Asun Helsingissä",
    ],
)
def test_other_languages_are_kept_as_said(text: str) -> None:
    """Never nothing for a statement, whatever its language."""
    record = one(text)
    assert (record.text, record.quote, record.src) == (text, text, (0,))


def test_dates_of_other_languages_are_written_out() -> None:
    """Where the words for time are known."""
    assert texts("Hallo, gestern war ich beim Arzt") == ["Am 2026-05-06 war ich beim Arzt"]
    assert texts("你好，我昨天去了医院。") == ["我2026-05-06去了医院"]


KINDS = [
    ("I live in Rome", "profile"),
    ("I moved to Rome", "profile"),
    ("I love sushi", "preference"),
    ("My favourite color is blue", "preference"),
    ("I went to a concert yesterday", "event"),
    ("I'm going to visit Peru", "plan"),
    ("I need a plumber in Bonn", "profile"),
    ("I'm looking for a flat", "need"),
    ("Always answer in German", "instruction"),
    ("My budget is 2000 euros", "state"),
    ("The meeting room on floor 3 has no screen", "knowledge"),
]


@pytest.mark.parametrize(("text", "kind"), KINDS, ids=[case[0] for case in KINDS])
def test_kinds(text: str, kind: str) -> None:
    """One kind a statement."""
    assert one(text).kind == kind


def test_weights() -> None:
    """Identity, health and explicit wishes weigh most, needs and small things least."""
    weights = [
        one(text).weight
        for text in ("I'm allergic to nuts", "Remember that I like tea", "I like tea", "give me tea recipes")
    ]
    assert weights == [3, 3, 2, 1]


def test_named_speakers_own_what_they_say() -> None:
    """Whichever role carries the name; "you" is the other one."""
    heard = window(
        said("I live in Lisbon.", speaker="Maria"),
        said("I love your garden!", role="assistant", speaker="Tom"),
    )
    records = extract(heard, ()).records
    assert [(record.text, record.about) for record in records] == [
        ("Maria lives in Lisbon", "user"),
        ("Tom loves Maria's garden", "other"),
    ]


def test_a_configured_subject_names_the_user() -> None:
    """The operator's name for the unnamed user; another named speaker is someone else."""
    heard = window("I live in Lisbon", said("I live in Rome", speaker="Tom"), subject="Ana")
    assert [(record.text, record.about) for record in extract(heard, ()).records] == [
        ("Ana lives in Lisbon", "user"),
        ("Tom lives in Rome", "other"),
    ]


ASSISTANT = [
    ("I've booked a table at Luigi's for 8pm tomorrow.", "Booked a table at Luigi's for 8pm on 2026-05-08"),
    ("I'll send you a reminder on Friday.", "Promised to send the user a reminder on 2026-05-08"),
    ("I recommend the book Becoming Nicole.", "Recommended the book Becoming Nicole"),
    ("I'd suggest visiting the Louvre.", "Suggested visiting the Louvre"),
    ("Your reservation at Luigi's is confirmed.", "The user's reservation at Luigi's is confirmed"),
]


@pytest.mark.parametrize(("text", "expected"), ASSISTANT, ids=[case[0] for case in ASSISTANT])
def test_an_unnamed_assistant_leaves_deeds(text: str, expected: str) -> None:
    """Bookings, promises, recommendations."""
    (record,) = extract(window(said(text, role="assistant")), ()).records
    assert (record.text, record.about) == (expected, "assistant")


@pytest.mark.parametrize(
    "text",
    [
        "Paris is the capital of France.",
        "I live in the cloud.",
        "I'll be happy to help!",
        "You live in Rome.",
        "Let me know!",
        "我推荐卢浮宫",
    ],
)
def test_an_unnamed_assistant_leaves_nothing_else(text: str) -> None:
    """Explanations, repeats and courtesy."""
    assert extract(window(said(text, role="assistant")), ()).records == ()


def test_quotes_are_three_to_twelve_words_of_the_message() -> None:
    """The whole sentence where it is shorter."""
    long = "I met my old friend Peter from school at the big market hall in Bonn on Sunday"
    assert len(one(long).quote.split()) == 12
    assert one(long).quote in long
    assert one("I ski.").quote == "I ski."
    assert one(
        "我昨天在医院见到了我的老同学，他现在是一名医生，在北京工作，住在海淀区，周末常常去爬山。"
    ).quote.startswith("我昨天在医院")


def test_long_statements_are_cut_where_they_may_be() -> None:
    """No text exceeds 60 words or 240 characters."""
    long = "I like " + ", ".join(f"thing number {number}" for number in range(60))
    assert all(2 <= len(text.split()) <= 60 for text in texts(long))
    assert all(len(text) <= 240 for text in texts("我喜欢" + "苹果和香蕉" * 100))


def test_weak_statements_stay_only_where_nothing_better_is_said() -> None:
    """The weather alone is kept, beside a fact it is not."""
    assert texts("The weather is terrible. I live in Bonn.") == ["Lives in Bonn"]


def test_in_a_log_an_answer_is_kept() -> None:
    """A short answer means something beside its question."""
    heard = window(
        said("Who is your favourite actor?", speaker="Tom"),
        said("It's Shia Labeouf! I love acting.", speaker="Maria"),
    )
    assert [record.text for record in extract(heard, ()).records] == ["Maria: It's Shia Labeouf", "Maria loves acting"]


def test_categories_are_left_to_the_model() -> None:
    """The rules sort nothing into the operator's categories."""
    assert one("I like tea").categories == ()


def test_candidates_are_never_extracted_from() -> None:
    """What is known is not said again."""
    assert extract(window("ok"), known("Lives in Rome")).records == ()
