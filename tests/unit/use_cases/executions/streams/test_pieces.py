"""A text in pieces is masked like a whole one, and nothing of an image in it is passed on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.secret import MASK, Mask, Secret
from instant.use_cases.executions.streams.pieces import MAX_HELD, MAX_PART, Pieces

KEY = "sk-or-sk-or-v1-s0k+1"
ESCAPED = "".join(f"\\u00{ord(each):02x}" for each in KEY)
DEEPER = ESCAPED.replace("\\", "\\\\\\")
HALF = KEY[:5] + "".join(f"\\u00{ord(each):02X}" for each in KEY[5:])
SPELLED = [KEY, ESCAPED, DEEPER, HALF, f"{KEY[:7]} {KEY[7:]}", f"{HALF[:11]}\n\n{HALF[11:]}"]
FRAGMENTS = [
    KEY,
    ESCAPED,
    DEEPER,
    HALF,
    KEY[:6],
    KEY[6:],
    ESCAPED[:9],
    ESCAPED[9:],
    "s",
    "\\",
    "u00",
    "A word. ",
    "é",
    "\n ",
]


def passed_on(pieces: list[str], key: str | None = KEY) -> list[str]:
    """Return what is passed on of each piece, and at the end."""
    mask = Mask(Secret(key) if key else None)
    text = Pieces(mask)
    found = [text.next(piece) for piece in pieces]
    rest, is_replaced = text.last(mask.text("".join(pieces)))
    assert not is_replaced
    return [*found, rest]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join), st.integers(1, 9))
def test_text_in_pieces_is_masked_like_a_whole_one(text: str, size: int) -> None:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert "".join(passed_on(pieces)) == Mask(Secret(KEY)).text(text)


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join), st.integers(0, 40))
def test_long_piece_is_passed_on_in_parts_and_masked_like_a_whole_one(text: str, before: int) -> None:
    whole = "word " * (MAX_PART // 5) + "." * before + text
    found = Pieces(Mask(Secret(KEY)))
    parts = [*found.next_of(whole)]
    rest, is_replaced = found.last(Mask(Secret(KEY)).text(whole))
    assert ("".join([*parts, rest]), is_replaced) == (Mask(Secret(KEY)).text(whole), False)
    assert len(parts[0]) <= MAX_PART


@pytest.mark.parametrize("length", [MAX_PART - 1, MAX_PART, MAX_PART + 1, 2 * MAX_PART])
def test_text_with_another_beginning_is_replaced(length: int) -> None:
    found, text = Pieces(Mask(None)), "a" * length
    assert "".join(found.next_of(text)) == text
    assert found.last(f"{text}b") == ("b", False)
    for other in (text[:-1], f"{text[:-1]}b", f"b{text[1:]}"):
        assert found.last(other) == (other, True)


@pytest.mark.parametrize("spelled", SPELLED, ids=["plain", "escaped", "deeper", "half", "blanks", "escaped blanks"])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_spread_key_is_masked_before_it_is_complete(spelled: str, size: int) -> None:
    text = f"It is {spelled} now."
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    found = passed_on(pieces)
    assert "".join(found) == f"It is {MASK} now."
    before_end = (len("It is ") + len(spelled) - 1) // size
    assert "It is ".startswith("".join(found[:before_end]))


def test_text_that_can_be_no_key_is_passed_on_at_once() -> None:
    assert passed_on(["A word,", " and", " a task", "s: ask-or", " not."]) == [
        "A word,", " and", " a ta", "sks: a", "sk-or not.", "",
    ]  # fmt: skip


def test_text_without_a_key_is_passed_on_at_once() -> None:
    assert passed_on(["A wor", "sk-or", "\\"], key=None) == ["A wor", "sk-or", "\\", ""]


def test_blank_beginning_waits_for_a_word() -> None:
    assert passed_on(["\n", " ", "A", " "]) == ["", "", "\n A", " ", ""]


@pytest.mark.parametrize(
    "image",
    [
        "data:image/png;base64,iVBORw0KGgoAAAA",
        "DATA:IMAGE/PNG;base64,AAAA",
        r"data:image\/png;base64,AAAA",
        "iVBORw0KGgoAAAA",
        "/9j/AAAA",
    ],
)
@pytest.mark.parametrize("size", [1, 4, 100])
def test_nothing_is_passed_on_from_the_beginning_of_an_image(image: str, size: int) -> None:
    before = "Here: ![a dawn]("
    text = f"{before}{image}) and more words"
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    found, whole = Pieces(Mask(None)), f"{before}/api/images/img_1) and more words"
    assert "".join(found.next(piece) for piece in pieces) == before
    assert found.last(whole) == (whole[len(before) :], False)


def test_long_text_that_can_be_a_key_is_held_to_the_end() -> None:
    backslashes = Pieces(Mask(Secret(KEY)))
    pieces = [backslashes.next("\\" * 1_000) for _ in range(MAX_HELD // 1_000 + 1)]
    assert [*pieces, backslashes.next(" and words")] == [""] * (len(pieces) + 1)
    assert backslashes.last("whole") == ("whole", False)


class CountingMask(Mask):
    """A mask that counts the characters that it reads."""

    def __init__(self) -> None:
        """Count from 0."""
        super().__init__(Secret(KEY))
        self.characters = 0

    def text(self, text: str) -> str:
        """The text without the key."""
        self.characters += len(text)
        return super().text(text)


@pytest.mark.parametrize(
    "pieces",
    [["\\"] * 20_000, [" "] * 20_000, [*["\\"] * 900, "word"] * 20, ["\\u0073", *["\\\\u006b"] * 20_000]],
    ids=["backslashes", "blanks", "runs of backslashes", "escapes"],
)
def test_short_pieces_are_read_again_a_limited_number_of_times(pieces: list[str]) -> None:
    mask, limit = CountingMask(), len(pieces) * 1_000
    text = Pieces(mask)
    for piece in pieces:
        text.next(piece)
    assert mask.characters <= limit


def test_whole_text_that_differs_replaces_what_was_passed_on() -> None:
    text = Pieces(Mask(None))
    text.next("Hello")
    assert text.last("Hello there") == (" there", False)
    assert text.last("Help") == ("Help", True)
    assert text.last("Hell") == ("Hell", True)
