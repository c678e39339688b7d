"""Identifiers that were replaced by standard terms do not come back."""

import io
import re
import subprocess
import tokenize
from pathlib import Path

import pytest

from tests.architecture.project import ROOT, relative

HISTORY = {"CHANGELOG.md", "DECISIONS.md"}
"""Files that may name what was."""

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
"""Names, as whole words and in this case, that had a meaning of their own here and now have the usual one."""

LIMIT = re.compile(r"_?(MOST|LONGEST|LEAST|FEWEST|SHORTEST)_[A-Z_]+")
"""Constants that are called MAX_ and MIN_ now."""

SORTS = {"MOST_USED", "LONGEST_CONTEXT", "SHORTEST_CONTEXT"}
"""Members of published enumerations."""

ELSEWHERE = {"PARTS": {"tests/architecture/documents.py", "tests/architecture/test_documents.py"}}
"""Files in which one of them is another thing's name."""

COMPOUND = {word for word in REPLACED if re.search(r"[a-z0-9][A-Z]|\w_\w", word)}
"""Those that are no English words, and are not found in prose either."""


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every text that is committed, by its path, but for the history and this file."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone, so there is no telling whose files these are")
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
        if path not in ELSEWHERE.get(word, set())
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
    """The names in Python source, those inside f-strings too, that are replaced ones."""
    names = {
        token.string for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type == tokenize.NAME
    }
    return (names & REPLACED) | {name for name in names - SORTS if LIMIT.fullmatch(name)}
