"""CPU time of a page of models in a warm function: of the whole process, and of our code."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.bench.catalog_sync import RECORDED
from tests.bench.setup import Row, Setup
from tests.e2e.processes import cpu_ticks, function_processes
from tests.local.stack import ROOT
from tests.local.toy.calling import call

FUNCTION = "CatalogFunction"
CALLS = 300
_MS_PER_TICK = 1000 / os.sysconf("SC_CLK_TCK")
_PAGE = "/api/models?limit=200"


def measure(setup: Setup) -> list[Row]:
    """The whole function with the catalog of the stack; our code with the recorded catalog and with 10,000 models."""
    base = setup.world.stack.url
    first = call(base, "GET", _PAGE)
    assert first.status == 200, first.body
    tag = first.headers["ETag"]
    whole, unchanged = (_spent(setup, headers) for headers in ({}, {"If-None-Match": tag}))
    rows = [
        Row("CPU of 200 models, the whole warm process", f"{whole:.2f} ms"),
        Row("… unchanged for the caller: 304", f"{unchanged:.2f} ms"),
    ]
    return [*rows, *_rows(_measure_our_code())] if RECORDED.is_file() else rows


def _rows(measured: Any) -> list[Row]:
    real, many, thousand = measured["real"], measured["many"], measured["thousand"]
    handler = measured["handler"]
    return [
        Row("… the handler alone, router included", f"{handler['page']:.2f} ms", "2 ms"),
        Row("… the handler alone, 304", f"{handler['unchanged']:.2f} ms", "0.3 ms"),
        Row("… our code", f"{real['page']:.2f} ms; with five filters {real['filtered']:.2f} ms"),
        Row("… our code of a 304", f"{real['unchanged']:.3f} ms"),
        Row("… our code of the first page after a sync", f"{real['first']:.1f} ms"),
        Row("… our code with 10,000 models", f"{many['page']:.2f} ms; with five filters {many['filtered']:.2f} ms"),
        Row("… 10,000 models / 1,000, five filters", f"{many['filtered'] / thousand['filtered']:.1f}x", "10x"),
    ]


def _spent(setup: Setup, headers: dict[str, str]) -> float:
    stack = setup.world.stack
    pid = function_processes(FUNCTION, stack.aws_url)[0]
    before = cpu_ticks(pid)
    for _ in range(CALLS):
        assert call(stack.url, "GET", _PAGE, **headers).status in {200, 304}
    return (cpu_ticks(pid) - before) * _MS_PER_TICK / CALLS


def _measure_our_code() -> Any:
    program = Path(__file__).with_name("index_cpu.py")
    done = subprocess.run(
        [sys.executable, program, RECORDED, ROOT / "events/catalog/list.json"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "layers/core")},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)
