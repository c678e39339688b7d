"""Slugs from names in any alphabet: letters are transliterated to a-z where that needs no dictionary."""
# ruff: noqa: RUF001

import re
import unicodedata
from collections.abc import Iterator

MAX_SLUG_CHARACTERS = 48

_LATIN = "æ ae œ oe ø o ł l đ d ð d þ th ħ h ı i ŋ ng ŧ t ĸ k"
_CYRILLIC = (
    "а a б b в v г g д d е e ё yo ж zh з z и i й y к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh "
    "щ shch ъ - ы y ь - э e ю yu я ya є ye і i ї yi ґ g ў u ђ dj ј j љ lj њ nj ћ c џ dz ѕ dz ѓ g ќ k"
)
_GREEK = "α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s τ t υ y φ f χ ch ψ ps ω o"
_GEORGIAN = (
    "ა a ბ b გ g დ d ე e ვ v ზ z თ t ი i კ k ლ l მ m ნ n ო o პ p ჟ zh რ r ს s ტ t უ u ფ p ქ k ღ gh ყ q შ sh ჩ ch ც ts "
    "ძ dz წ ts ჭ ch ხ kh ჯ j ჰ h"
)
_ARMENIAN = (
    "ա a բ b գ g դ d ե e զ z է e ը y թ t ժ zh ի i լ l խ kh ծ ts կ k հ h ձ dz ղ gh ճ ch մ m յ y ն n շ sh ո o չ ch պ p "
    "ջ j ռ r ս s վ v տ t ր r ց ts ւ w փ p ք k օ o ֆ f"
)
_HEBREW = (
    "א a ב b ג g ד d ה h ו v ז z ח ch ט t י y כ k ך k ל l מ m ם m נ n ן n ס s ע - פ p ף p צ ts ץ ts ק k ר r ש sh ת t"
)
_ARABIC = (
    "ا a ب b ت t ث th ج j ح h خ kh د d ذ dh ر r ز z س s ش sh ص s ض d ط t ظ z ع - غ gh ف f ق q ك k ل l م m ن n ه h و w "
    "ي y ى a ة h ء - پ p چ ch ژ zh گ g ک k ی y"
)
_ALPHABETS = " ".join([_LATIN, _CYRILLIC, _GREEK, _GEORGIAN, _ARMENIAN, _HEBREW, _ARABIC]).split()
_LETTERS = {
    letter: "" if sound == "-" else sound for letter, sound in zip(_ALPHABETS[::2], _ALPHABETS[1::2], strict=True)
}
"""Each letter with its sound in a-z; `-` stands for no sound."""

_SOUND_IN_NAME = re.compile(
    r"(?:HANGUL SYLLABLE|ETHIOPIC SYLLABLE|(?:HIRAGANA|KATAKANA) LETTER(?: SMALL)?|"
    r"(?:DEVANAGARI|BENGALI|GURMUKHI|GUJARATI|ORIYA|TAMIL|TELUGU|KANNADA|MALAYALAM|SINHALA) "
    r"(?:LETTER|(?P<vowel>VOWEL SIGN|SIGN VIRAMA)))(?: (?P<sound>[A-Z]+))?"
)
"""Unicode names that end in the sound of the character; a vowel sign replaces the vowel `a` of its consonant."""

_APOSTROPHES = re.compile("['\u2019\u02bc]")


def slug_of(name: str) -> str:
    """A slug from a name: lower-case words joined by hyphens, at most `MAX_SLUG_CHARACTERS` long.

    A name without a letter that can be transliterated, such as one in Chinese, gives `resource`.
    """
    text = _APOSTROPHES.sub("", unicodedata.normalize("NFKC", name).casefold())
    words = re.findall(r"[a-z0-9]+", _spelled(unicodedata.normalize("NFC", text)))
    return "-".join(words)[:MAX_SLUG_CHARACTERS].strip("-") or "resource"


def _spelled(text: str) -> str:
    spelled = ""
    for character in text:
        found = None if character.isascii() else _SOUND_IN_NAME.fullmatch(unicodedata.name(character, ""))
        if found is None:
            spelled += "".join(_letters_of(character))
        else:
            spelled = (spelled.removesuffix("a") if found["vowel"] else spelled) + (found["sound"] or "").lower()
    return spelled


def _letters_of(character: str) -> Iterator[str]:
    """The sounds of a character; the accents of a letter have none."""
    if character in _LETTERS or character.isascii():
        yield _LETTERS.get(character, character)
        return
    for part in unicodedata.normalize("NFKD", character):
        if not unicodedata.combining(part):
            yield _LETTERS.get(part, part)
