"""A key whose halves a service puts around an unreadable image is not in the answer."""

import json

from tests.fakes.image_samples import data_url
from tests.fakes.openrouter.chat.image import png_bytes
from tests.integration.app import GOOD_KEY, App
from tests.integration.media import paint

UNREADABLE = "data:image/png;base64,AA!"


def test_key_around_a_removed_image_is_masked(seeded: App) -> None:
    half = len(GOOD_KEY) // 2
    urls = [data_url(png_bytes()), UNREADABLE]
    message = {
        "content": GOOD_KEY[:half] + UNREADABLE + GOOD_KEY[half:],
        "images": [{"image_url": {"url": url}} for url in urls],
    }
    body = {"id": "gen-1", "choices": [{"message": message, "finish_reason": "stop"}], "usage": {"cost": 0.000002}}
    seeded.fake.script(200, json.dumps(body).encode())
    answer = paint(seeded)
    assert answer.status == 200, answer.text
    assert GOOD_KEY not in answer.text
    assert GOOD_KEY not in seeded.call("GET", f"/api/executions/{answer.json['execution_id']}").text
    assert GOOD_KEY not in json.dumps(seeded.table("EXECUTIONS_TABLE"), default=repr)
