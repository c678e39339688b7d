"""An upstream that streams on request, in its own process: it prints its port, and serves until it is killed.

The body of a request says what to send: `chunks=2000 pause=1000 letters=80 comments=0 wide=0`; `pause` is in
microseconds, and with `wide` the text begins with an emoji. The first chunk contains the time at which the request was
read, `a=...;`, and each one the time at which it is sent, `t=...;`, in nanoseconds of the monotonic clock, which all
processes of a machine share.
"""

import asyncio
import re
import time
from asyncio import StreamReader, StreamWriter

_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Generation-Id: gen-1\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
)
_EVENT = (
    'data: {"id":"gen-1","provider":"Bench","model":"bench/model","object":"chat.completion.chunk",'
    '"created":1798000000,"choices":[{"index":0,"delta":{"role":"assistant","content":"%s"},"finish_reason":%s,'
    '"native_finish_reason":null,"logprobs":null}]%s}\n\n'
)
_USAGE = ',"usage":{"prompt_tokens":9,"completion_tokens":9,"total_tokens":18,"cost":0.000001,"is_byok":false}'
_COMMENT = b": OPENROUTER PROCESSING\n\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_BATCH = 100


async def _serve(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer one request, then close the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        await _stream(writer, body, time.monotonic_ns())
        await writer.drain()
        writer.close()
    except (ConnectionError, asyncio.IncompleteReadError):
        writer.close()


async def _stream(writer: StreamWriter, body: bytes, arrived: int) -> None:
    pause, letters = _number(body, b"pause"), "x" * _number(body, b"letters")
    writer.write(_HEAD)
    for _ in range(_number(body, b"comments") // _BATCH):
        writer.write(_framed(_COMMENT) * _BATCH)
        await writer.drain()
    for number in range(_number(body, b"chunks")):
        sent_at = f"t={time.monotonic_ns()};" if pause or not number else ""
        begin = "" if number else f"a={arrived};{'😀' * _number(body, b'wide')}"
        text = f"{begin}{sent_at}{letters}"
        writer.write(_framed((_EVENT % (text, "null", "")).encode()))
        if pause:
            await asyncio.sleep(pause / 1e6)
        elif number % _BATCH == 0:
            await writer.drain()
    writer.write(_framed((_EVENT % ("", '"stop"', _USAGE)).encode() + b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _number(body: bytes, name: bytes) -> int:
    found = re.search(rb"\b%b=(\d+)" % name, body)
    return int(found[1]) if found else 0


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
