"""Identifiers that were replaced by standard terms are not used again."""

import io
import re
import subprocess
import tokenize
from pathlib import Path

import pytest

from tests.architecture.project import ROOT, relative

HISTORY = {"CHANGELOG.md", "DECISIONS.md"}
"""Files that can contain replaced identifiers."""

WORDS = """
Doors SyncDoors TellDoors WatchDoors LedgerDoor doors Ways Desk Gallery Planned Trial told_name _told is_told
told_until tell_owners tidings NotTold Told ToldChange retold Shelf shelf Once answer_again earlier_answer
send_again book_run choose_payer call_service most_in_flight most_prompt_tokens Gate ByRoute OrdinaryCalls KeyChecks
Executions gate_of Limiter DynamoLimiter Payer KeyVerdicts verdicts Offers OffersReader OffersStore OffersRow
ModelOffers offers_view read_offers Picture PictureReader PictureType PillowPictureReader read_picture
BegunConnection BeginConnection CompleteConnection Wanted WantedChanges kind_named kind_view ResourceKind Held
refusals moment stamp akin heir hurried Beginning beginning_view Standing BudgetStanding standing_view PARTS
is_of_a_part Demand take_back give_backs postpone _Bell has_rung House house open_house open_guest_house furnished
lived_in guests purse Purse nouns restless Bench
went_wrong has_been_good mishap baton zeal overstays sharpen_inputs name_real_things let_bob_try look_after
troubles impatience visit_the_rest why_not signed_in
"""

REPLACED = frozenset(WORDS.split())
"""Replaced identifiers, matched as whole words and case-sensitively."""

LIMIT = re.compile(r"_?(MOST|LONGEST|LEAST|FEWEST|SHORTEST)_[A-Z_]+")
"""Constants that are now named MAX_ and MIN_."""

SORTS = {"MOST_USED", "LONGEST_CONTEXT", "SHORTEST_CONTEXT"}
"""Members of published enumerations."""

EXCEPTIONS = {"PARTS": {"tests/architecture/documents.py", "tests/architecture/test_documents.py"}}
"""Files in which a replaced identifier is used with another meaning."""

COMPOUND = {word for word in REPLACED if re.search(r"[a-z0-9][A-Z]|\w_\w", word)}
"""Replaced identifiers that are not English words; they must not occur in prose either."""


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every tracked text file by its path, except the history and this file."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git clone, so the files of the repository are unknown")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [
        ROOT / name for name in listing.split("\0") if name and name not in HISTORY and ROOT / name != Path(__file__)
    ]
    return {relative(path): path.read_text("utf-8", errors="replace") for path in paths if path.is_file()}


def test_identifiers_do_not_use_replaced_words(texts: dict[str, str]) -> None:
    assert [
        f"{path}: {word}"
        for path, text in texts.items()
        if path.endswith(".py")
        for word in sorted(replaced(text))
        if path not in EXCEPTIONS.get(word, set())
    ] == []


def test_texts_do_not_use_replaced_names(texts: dict[str, str]) -> None:
    pattern = re.compile(rf"\b(?:{'|'.join(sorted(COMPOUND))})\b")
    assert [f"{path}: {word}" for path, text in texts.items() for word in sorted(set(pattern.findall(text)))] == []


def test_module_names_do_not_use_replaced_words(texts: dict[str, str]) -> None:
    assert [path for path in texts if path.endswith(".py") and Path(path).stem in REPLACED] == []


@pytest.mark.parametrize(
    "source",
    ["def f(doors: Doors) -> None: ...", "from tests import house", "x.akin(1)", "MOST_ITEMS = 9", 'f"{stamp}"'],
)
def test_word_check_finds_a_replaced_word(source: str) -> None:
    assert replaced(source)


@pytest.mark.parametrize("source", ['"a house"', "# at this moment", "indoors = outdoors", "timestamp"])
def test_word_check_ignores_prose_and_longer_names(source: str) -> None:
    assert not replaced(source)


def replaced(source: str) -> set[str]:
    """The replaced identifiers in Python source, including those in f-strings."""
    names = {
        token.string for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type == tokenize.NAME
    }
    return (names & REPLACED) | {name for name in names - SORTS if LIMIT.fullmatch(name)}
