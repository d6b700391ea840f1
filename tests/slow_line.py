"""A line to a server on which every piece of an answer is late."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from opsctl.systems.event_loop import LoopThread


@dataclass
class SlowLine:
    """The same server by a URL on which it answers late; how late may change at any time."""

    url: str
    delay_s: float


@contextmanager
def slow_line(url: str, delay_s: float = 0.0) -> Iterator[SlowLine]:
    parts = urlsplit(url)
    loop = LoopThread()
    line = SlowLine(url, delay_s)

    async def pipe(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, late: bool
    ) -> None:
        try:
            with suppress(OSError):
                while piece := await reader.read(65_536):
                    await asyncio.sleep(line.delay_s if late else 0.0)
                    writer.write(piece)
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A line that is taken down ends here: the server's own callback makes an error of it.
        with closing(writer), suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection(parts.hostname, parts.port)
            with closing(back):
                await asyncio.gather(pipe(reader, back, late=False), pipe(there, writer, late=True))

    async def start() -> asyncio.Server:
        return await asyncio.start_server(serve, "127.0.0.1", 0)

    server = loop.run(start())
    try:
        login = parts.netloc.rpartition("@")[0]
        here = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        line.url = parts._replace(netloc=f"{login}@{here}" if login else here).geturl()
        yield line
    finally:
        loop.run(_stop(server))
        loop.close()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    pipes = asyncio.all_tasks() - {asyncio.current_task()}
    for one in pipes:
        one.cancel()
    await asyncio.gather(*pipes, return_exceptions=True)
    # What was closed is gone only some turns later.
    for _ in range(3):
        await asyncio.sleep(0)
