"""Changes of the catalog as RSS 2.0, for feed readers, which display titles and descriptions as HTML."""

import json
import re
from collections.abc import Iterable
from email.utils import format_datetime
from html import escape
from urllib.parse import quote
from xml.etree import ElementTree as ET

from instant.domain.catalog.change import ModelChange
from instant.domain.clock import parse_time

RSS = "application/rss+xml"

_TITLE = "Changes of the model catalog"
_ABOUT = "Models that came and went, and what changed about the others: prices, limits, abilities."
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that are invalid in XML, even escaped; names and descriptions are external data."""


def feed(changes: Iterable[ModelChange], address: str) -> str:
    """The document; `address` is the API's URL."""
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    _say(channel, "title", _TITLE)
    _say(channel, "link", f"{address}/api/models/changes")
    _say(channel, "description", _ABOUT)
    for change in changes:
        item = ET.SubElement(channel, "item")
        _say(item, "title", _html(f"{change.openrouter_id}: {change.kind.value.replace('_', ' ')}"))
        _say(item, "link", f"{address}/api/models/{quote(change.openrouter_id, safe='/:~')}/history")
        _say(item, "description", _description(change))
        _say(item, "guid", f"{change.openrouter_id} {change.at} {change.kind}", isPermaLink="false")
        _say(item, "pubDate", format_datetime(parse_time(change.at)))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode")


def _description(change: ModelChange) -> str:
    """Each changed fact on a line of its own, with its old and new value, as HTML."""
    return "<br>\n".join(
        _html(
            f"{name}: {_shown(change.old[name])} → {_shown(value)}"
            if name in change.old
            else f"{name}: {_shown(value)}"
        )
        for name, value in change.new.items()
    )


def _html(text: str) -> str:
    """Plain text as HTML: escaped, with its line breaks."""
    return "<br>\n".join(map(escape, re.split(r"\r\n|\r|\n", text)))


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _say(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = _NOT_XML.sub("\ufffd", text)
