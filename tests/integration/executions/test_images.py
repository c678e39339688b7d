"""Images out: what a run with images answers, stores and books."""

import json
from hashlib import sha256

import pytest

from instant.adapters.aws import client as aws
from tests.fakes.image_samples import SOUND, data_url
from tests.fakes.openrouter.chat.image import png_bytes
from tests.integration.app import App
from tests.integration.media import PAINTER, image_id, objects, paint


def test_an_image_is_answered_as_a_link_beside_the_text(seeded: App) -> None:
    answer = paint(seeded)
    assert answer.status == 200, answer.text
    output = answer.json["output"]
    (url,) = output["urls"]
    assert output["type"] == "image"
    assert "harbour" in output["content"]
    assert url.startswith("https://api.example/test/api/images/img_")
    assert "unreadable_images" not in output
    assert answer.json["usage"]["cost_usd"] == "0.000002"


def test_image_models_are_asked_for_images_and_text_models_are_not(seeded: App) -> None:
    _allow_a_dollar(seeded)
    paint(seeded)
    paint(seeded, model="northwind/easel-max")
    paint(seeded, model="meadow/lark")
    assert [sent.json.get("modalities") for sent in seeded.fake.chat_requests] == [
        ["image", "text"],
        ["image"],
        None,
    ]


def test_a_model_that_says_nothing_answers_with_its_image_alone(seeded: App) -> None:
    _allow_a_dollar(seeded)
    output = paint(seeded, model="northwind/easel-max").json["output"]
    assert (output["type"], output["content"], len(output["urls"])) == ("image", None, 1)


def test_the_object_and_the_row_say_what_the_image_is(seeded: App) -> None:
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


def test_stored_answers_have_paths_and_told_ones_links(seeded: App) -> None:
    body = paint(seeded).json
    (row,) = seeded.table("EXECUTIONS_TABLE")
    (path,) = json.loads(row["answer"]["S"])["output"]["urls"]
    assert path == f"/api/images/{image_id(body['output']['urls'][0])}"
    detail = seeded.call("GET", f"/api/executions/{body['execution_id']}").json
    assert detail["output"] == body["output"]


def test_plain_pictures_are_kept_byte_for_byte(seeded: App) -> None:
    for name, picture in SOUND.items():
        answer = paint(seeded, f"picture {name}")
        assert answer.status == 200, (name, answer.text)
        prefix = f"media/{answer.json['execution_id']}/"
        ((key, stored),) = ((key, stored) for key, stored in objects(seeded).items() if key.startswith(prefix))
        assert stored["Body"] == picture(), name
        assert key == prefix + sha256(stored["Body"]).hexdigest()
        assert stored["ContentType"] == f"image/{name.partition('-')[0]}"


def test_several_images_have_an_object_and_a_row_each(seeded: App) -> None:
    output = paint(seeded, "picture png", "picture jpeg", "picture webp").json["output"]
    rows = {row["image_id"]["S"]: row["content_type"]["S"] for row in seeded.table("IMAGES_TABLE")}
    assert [rows[image_id(url)] for url in output["urls"]] == ["image/png", "image/jpeg", "image/webp"]
    assert len(objects(seeded)) == 3


def test_the_same_image_twice_is_one(seeded: App) -> None:
    output = paint(seeded, "picture png", "picture png", "picture png-trailing").json["output"]
    assert len(output["urls"]) == len(objects(seeded)) == len(seeded.table("IMAGES_TABLE")) == 1
    assert "unreadable_images" not in output


def test_only_eight_images_are_kept(seeded: App) -> None:
    names = list(SOUND)[:9]
    output = paint(seeded, *(f"picture {name}" for name in names)).json["output"]
    assert (len(output["urls"]), output["unreadable_images"]) == (8, 1)


def test_good_images_are_kept_where_others_are_unreadable(seeded: App) -> None:
    answer = paint(seeded, "picture svg", "picture png", "link https://pictures.example/cat.png")
    assert answer.status == 200
    output = answer.json["output"]
    assert (len(output["urls"]), output["unreadable_images"]) == (1, 2)
    assert len(objects(seeded)) == 1


def test_data_in_the_text_is_taken_out(seeded: App) -> None:
    answer = paint(seeded, "in-words")
    assert "base64" not in answer.text
    assert answer.json["output"]["content"].endswith("![picture]()")


def test_base64_is_nowhere(seeded: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    answer = paint(seeded, "picture jpeg", "picture svg", "in-words")
    data = data_url(SOUND["jpeg"]()).partition(",")[2]
    places = [answer.text, caplog.text, *(stored["Body"].decode("latin-1") for stored in objects(seeded).values())]
    places += [json.dumps(seeded.table(name)) for name in ("EXECUTIONS_TABLE", "IMAGES_TABLE")]
    assert [place for place in places if data[:24] in place or "base64," in place] == []


def test_nothing_is_stored_for_a_run_without_images(seeded: App) -> None:
    paint(seeded, model="meadow/lark")
    assert objects(seeded) == {}
    assert seeded.table("IMAGES_TABLE") == []


def test_a_public_url_stands_in_front_of_every_link(seeded: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeded, "modules", {})
    for function in ("ExecuteFunction", "ExecutionsFunction"):
        environment = seeded.plan.functions[function].environment
        monkeypatch.setitem(environment, "PUBLIC_URL", "https://x4.example/base")
    body = paint(seeded).json
    assert body["output"]["urls"][0].startswith("https://x4.example/base/api/images/img_")
    detail = seeded.call("GET", f"/api/executions/{body['execution_id']}").json
    assert detail["output"]["urls"] == body["output"]["urls"]
    seeded.close()


def test_a_long_text_beside_an_image_is_an_object_of_its_own(seeded: App) -> None:
    message = {"content": "word " * 4_000, "images": [{"image_url": {"url": data_url(png_bytes())}}]}
    answer = {"id": "gen-1", "model": PAINTER, "choices": [{"finish_reason": "stop", "message": message}]}
    seeded.fake.script(200, json.dumps(answer).encode())
    body = paint(seeded).json
    assert sorted(stored["ContentType"] for stored in objects(seeded).values()) == ["application/json", "image/png"]
    assert seeded.call("GET", f"/api/executions/{body['execution_id']}").json["output"] == body["output"]


def test_the_client_names_the_bucket_s_own_region() -> None:
    """A link to S3's global name breaks while a new bucket in another region is still being made known."""
    assert aws._S3.s3 == {"addressing_style": "virtual"}


def _allow_a_dollar(app: App) -> None:
    """A model that does not obey a cap may paint for as long as it can."""
    changed = app.call("PATCH", "/api/user/integrations/openrouter", {"max_cost_per_call_usd": "1"})
    assert changed.status == 200
