"""Executions that return images: the response, the stored objects and the recorded cost."""

import json
from hashlib import sha256

import pytest

from instant.adapters.aws import client as aws
from tests.fakes.image_samples import SOUND, data_url
from tests.fakes.openrouter.chat.image import png_bytes
from tests.integration.app import App
from tests.integration.media import PAINTER, image_id, objects, paint


def test_image_is_returned_as_a_link_with_the_text(seeded: App) -> None:
    answer = paint(seeded)
    assert answer.status == 200, answer.text
    output = answer.json["output"]
    (url,) = output["urls"]
    assert output["type"] == "image"
    assert "harbour" in output["content"]
    assert url.startswith("https://api.example/test/api/images/img_")
    assert "unreadable_images" not in output
    assert answer.json["usage"]["cost_usd"] == "0.000002"


def test_request_asks_only_image_models_for_images(seeded: App) -> None:
    _allow_a_dollar(seeded)
    paint(seeded)
    paint(seeded, model="northwind/easel-max")
    paint(seeded, model="meadow/lark")
    assert [sent.json.get("modalities") for sent in seeded.fake.chat_requests] == [
        ["image", "text"],
        ["image"],
        None,
    ]


def test_image_without_text_is_returned_alone(seeded: App) -> None:
    _allow_a_dollar(seeded)
    output = paint(seeded, model="northwind/easel-max").json["output"]
    assert (output["type"], output["content"], len(output["urls"])) == ("image", None, 1)


def test_image_object_and_row_record_its_properties(seeded: App) -> None:
    body = paint(seeded).json
    ((key, stored),) = objects(seeded).items()
    (row,) = seeded.table("IMAGES_TABLE")
    (execution,) = seeded.table("EXECUTIONS_TABLE")
    assert stored["Body"] == png_bytes()
    assert stored["ContentType"] == "image/png"
    assert key == f"media/{body['execution_id']}/{sha256(png_bytes()).hexdigest()}"
    assert row == {
        "image_id": {"S": image_id(body["output"]["urls"][0])},
        "user_id": {"S": "user_alice"},
        "execution_id": {"S": body["execution_id"]},
        "object_key": {"S": key},
        "sha256": {"S": sha256(png_bytes()).hexdigest()},
        "content_type": {"S": "image/png"},
        "size_bytes": {"N": str(len(png_bytes()))},
        "width": {"N": "16"},
        "height": {"N": "16"},
        "created_at": execution["created_at"],
        "expires_at": execution["expires_at"],
    }


def test_image_path_is_stored_and_a_link_returned(seeded: App) -> None:
    body = paint(seeded).json
    (row,) = seeded.table("EXECUTIONS_TABLE")
    (path,) = json.loads(row["answer"]["S"])["output"]["urls"]
    assert path == f"/api/images/{image_id(body['output']['urls'][0])}"
    detail = seeded.call("GET", f"/api/executions/{body['execution_id']}").json
    assert detail["output"] == body["output"]


def test_plain_image_is_stored_byte_for_byte(seeded: App) -> None:
    for name, picture in SOUND.items():
        answer = paint(seeded, f"picture {name}")
        assert answer.status == 200, (name, answer.text)
        prefix = f"media/{answer.json['execution_id']}/"
        ((key, stored),) = ((key, stored) for key, stored in objects(seeded).items() if key.startswith(prefix))
        assert stored["Body"] == picture(), name
        assert key == prefix + sha256(stored["Body"]).hexdigest()
        assert stored["ContentType"] == f"image/{name.partition('-')[0]}"


def test_each_image_has_its_own_object_and_row(seeded: App) -> None:
    output = paint(seeded, "picture png", "picture jpeg", "picture webp").json["output"]
    rows = {row["image_id"]["S"]: row["content_type"]["S"] for row in seeded.table("IMAGES_TABLE")}
    assert [rows[image_id(url)] for url in output["urls"]] == ["image/png", "image/jpeg", "image/webp"]
    assert len(objects(seeded)) == 3


def test_duplicate_images_are_stored_once(seeded: App) -> None:
    output = paint(seeded, "picture png", "picture png", "picture png-trailing").json["output"]
    assert len(output["urls"]) == len(objects(seeded)) == len(seeded.table("IMAGES_TABLE")) == 1
    assert "unreadable_images" not in output


def test_images_are_limited_to_eight(seeded: App) -> None:
    names = list(SOUND)[:9]
    output = paint(seeded, *(f"picture {name}" for name in names)).json["output"]
    assert (len(output["urls"]), output["unreadable_images"]) == (8, 1)


def test_readable_images_are_stored_when_others_are_unreadable(seeded: App) -> None:
    answer = paint(seeded, "picture svg", "picture png", "link https://pictures.example/cat.png")
    assert answer.status == 200
    output = answer.json["output"]
    assert (len(output["urls"]), output["unreadable_images"]) == (1, 2)
    assert len(objects(seeded)) == 1


def test_image_data_in_the_text_becomes_the_link(seeded: App) -> None:
    answer = paint(seeded, "in-words")
    (url,) = answer.json["output"]["urls"]
    assert "base64" not in answer.text
    assert answer.json["output"]["content"].endswith(f"![picture]({url})")
    detail = seeded.call("GET", f"/api/executions/{answer.json['execution_id']}").json
    assert detail["output"] == answer.json["output"]


def test_everything_beside_an_image_is_returned(seeded: App) -> None:
    message = {
        "content": [{"type": "text", "text": "Here."}, {"type": "image_url", "image_url": data_url(png_bytes())}],
        "reasoning": "A red square will do.",
        "annotations": [
            {
                "url_citation": {
                    "url": "https://a.example",
                    "title": "A",
                    "content": "c",
                    "start_index": 0,
                    "end_index": 1,
                }
            }
        ],
        "tool_calls": [{"id": "c1", "function": {"name": "save"}}],
    }
    seeded.fake.script(200, json.dumps({"id": "gen-1", "choices": [{"message": message}]}).encode())
    output = paint(seeded).json["output"]
    assert len(output.pop("urls")) == 1
    assert output == {
        "type": "image",
        "content": "Here.",
        "reasoning": "A red square will do.",
        "citations": [{"url": "https://a.example", "title": "A", "content": "c", "start_index": 0, "end_index": 1}],
        "tool_calls": [{"id": "c1", "name": "save", "arguments": "{}"}],
    }


def test_base64_is_not_stored_or_returned(seeded: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    answer = paint(seeded, "picture jpeg", "picture svg", "in-words")
    data = data_url(SOUND["jpeg"]()).partition(",")[2]
    places = [answer.text, caplog.text, *(stored["Body"].decode("latin-1") for stored in objects(seeded).values())]
    places += [json.dumps(seeded.table(name)) for name in ("EXECUTIONS_TABLE", "IMAGES_TABLE")]
    assert [place for place in places if data[:24] in place or "base64," in place] == []


def test_no_images_stores_nothing(seeded: App) -> None:
    paint(seeded, model="meadow/lark")
    assert objects(seeded) == {}
    assert seeded.table("IMAGES_TABLE") == []


def test_public_url_prefixes_every_link(seeded: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeded, "modules", {})
    for function in ("ExecuteFunction", "ExecutionsFunction"):
        environment = seeded.plan.functions[function].environment
        monkeypatch.setitem(environment, "PUBLIC_URL", "https://x4.example/base")
    body = paint(seeded).json
    assert body["output"]["urls"][0].startswith("https://x4.example/base/api/images/img_")
    detail = seeded.call("GET", f"/api/executions/{body['execution_id']}").json
    assert detail["output"]["urls"] == body["output"]["urls"]
    seeded.close()


def test_long_text_with_an_image_has_its_own_object(seeded: App) -> None:
    message = {"content": "word " * 4_000, "images": [{"image_url": {"url": data_url(png_bytes())}}]}
    answer = {"id": "gen-1", "model": PAINTER, "choices": [{"finish_reason": "stop", "message": message}]}
    seeded.fake.script(200, json.dumps(answer).encode())
    body = paint(seeded).json
    assert sorted(stored["ContentType"] for stored in objects(seeded).values()) == ["application/json", "image/png"]
    assert seeded.call("GET", f"/api/executions/{body['execution_id']}").json["output"] == body["output"]


def test_presigned_link_names_the_region_of_the_bucket() -> None:
    """S3's global endpoint may not resolve a new bucket in another region yet."""
    assert aws._S3.s3 == {"addressing_style": "virtual"}


def _allow_a_dollar(app: App) -> None:
    """Raise the cap to one dollar, because image models may ignore the length limit."""
    changed = app.call("PATCH", "/api/user/integrations/openrouter", {"max_cost_per_call_usd": "1"})
    assert changed.status == 200
