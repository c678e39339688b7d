"""A bare proxy: one event loop, and bytes passed on as they come; it prints its port, and serves until it is killed."""

import asyncio
import re
import sys
from asyncio import StreamReader, StreamWriter

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


async def _main(upstream: int) -> None:
    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        answer, request = await asyncio.open_connection("127.0.0.1", upstream)
        request.write(head + body)
        while data := await answer.read(65_536):
            writer.write(data)
            await writer.drain()
        request.close()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
