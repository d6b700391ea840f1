"""A line to a server on which every piece of an answer is late."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from opsctl.systems.loop_thread import LoopThread


@contextmanager
def slow_line(url: str, delay_s: float) -> Iterator[str]:
    """Say the URL by which the same server answers late."""
    parts = urlsplit(url)
    loop = LoopThread()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late: float) -> None:
        try:
            with suppress(OSError):
                while piece := await reader.read(65_536):
                    await asyncio.sleep(late)
                    writer.write(piece)
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(pipe(reader, back, 0.0), pipe(there, writer, delay_s))

    async def start() -> asyncio.Server:
        return await asyncio.start_server(serve, "127.0.0.1", 0)

    async def stop(server: asyncio.Server) -> None:
        server.close()

    server = loop.run(start())
    try:
        port = server.sockets[0].getsockname()[1]
        yield parts._replace(netloc=f"127.0.0.1:{port}").geturl()
    finally:
        loop.run(stop(server))
        # Ends the pipes as well.
        loop.close()
