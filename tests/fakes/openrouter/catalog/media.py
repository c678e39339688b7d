"""Models with other outputs than text; some are listed only if `output_modalities` names their output."""

from tests.fakes.openrouter.catalog.build import COMMON, Json, model

_PAINTS = ("max_tokens", "response_format", "seed", "temperature", "top_p")


def rows() -> list[Json]:
    """New rows of all media models."""
    return [
        model("google/gemini-2.5-flash-image", "Google: Gemini 2.5 Flash Image", "Sees a picture, paints the next.",
              "0.3/2.5", context=32_768, cap=32_768, sees="text image", makes="image text", tokenizer="Gemini",
              accepts=_PAINTS, prices={"image": "0.0000003", "image_output": "0.00003"}),
        model("juniper/fresco-2", "Juniper: Fresco 2", "Watercolors and diagrams, with a caption.",
              "0.5/3", context=65_536, sees="text image", makes="text image", accepts=_PAINTS,
              prices={"image_token": "0.000002", "image_output": "0.00004"}),
        model("northwind/easel-max", "Northwind: Easel Max", "Paints and says nothing.",
              "0/8", context=4_096, cap=4_096, sees="text image", makes="image", accepts=(), tokenizer="Media"),
        model("meadow/skylark-voice", "Meadow: Skylark Voice", "Listens and speaks in one go.",
              "0.6/2.4", sees="text audio", makes="text audio", accepts=("max_tokens", "temperature"),
              prices={"audio": "0.00001", "audio_output": "0.00002", "input_audio_cache": "0.000001"},
              supported_voices=[]),
        model("meadow/choir-tts", "Meadow: Choir TTS", "Reads aloud, and only that.",
              "0.6/0", context=4_096, cap=None, makes="speech", accepts=(), supported_voices=["alto", "bass"]),
        model("harbor/echo-audio", "Harbor: Echo Audio", "Turns a line of text into sound.",
              "0.6/12", context=4_096, cap=None, makes="audio", accepts=(), tokenizer="Media"),
        model("harbor/ear-1", "Harbor: Ear 1", "Writes down what it hears.",
              "0.1/0", context=8_192, cap=None, sees="audio", makes="transcription", accepts=()),
        model("northwind/compass-embed-small", "Northwind: Compass Embed Small", "Text in, directions in space out.",
              "0.02/0", context=8_192, cap=None, makes="embeddings", accepts=()),
        model("northwind/compass-rerank", "Northwind: Compass Rerank", "Puts the best answer on top.",
              "0.03/0", context=8_192, cap=None, makes="rerank", accepts=(), prices={"request": "0.0001"}),
        model("juniper/reel-1", "Juniper: Reel 1", "Eight silent seconds of moving pictures.",
              "0/0", context=2_048, cap=None, sees="text image", makes="video", accepts=(), prices={"request": "0.05"}),
        model("meadow/magpie-omni", "Meadow: Magpie Omni", "Reads pages, hears speech, watches clips, answers in text.",
              "0.4/1.6", context=524_288, sees="text image file audio video", accepts=COMMON,
              prices={"audio": "0.0000008", "input_cache_read": "0.00000004", "input_cache_write_1h": "0.0000008"}),
    ]  # fmt: skip
