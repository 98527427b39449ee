"""A TCP proxy that misbehaves when told to: between a worker and WeChat, or between clients and a broker."""
import asyncio
import contextlib
import dataclasses
import socket
import struct
import threading


@dataclasses.dataclass
class Fault:
    """What is done to bytes that pass. All of it can change while connections live."""
    delay: float = 0.0           # seconds before each piece goes on
    blackhole: bool = False      # bytes are taken and never passed on; connections stay open
    refuse: bool = False         # new connections are reset at once
    cut_after: int | None = None  # bytes towards the server after which a connection is reset
    cut_reply_after: int | None = None  # the same, towards the client


class FaultProxy:
    """Listens on a free port of 127.0.0.1 and connects to `target` on 127.0.0.1. Runs on a thread of its own."""

    def __init__(self, target):
        self.target = target
        self.fault = Fault()
        self._writers = set()
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self.port = 0
        self._thread = threading.Thread(target=self._run, daemon=True, name="fault-proxy")
        self._thread.start()
        assert self._listening.wait(10), "the proxy does not listen"

    def set(self, **fault):
        """Replaces the fault. Without arguments everything passes again."""
        self.fault = Fault(**fault)

    def reset_all(self):
        """Resets every connection there is."""
        def reset():
            for writer in list(self._writers):
                _reset(writer)
        self._loop.call_soon_threadsafe(reset)

    def close(self):
        """Ends it with all its connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _accept(self, reader, writer):
        if self.fault.refuse:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            _reset(writer)
            return
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(self._pass(reader, far_writer, writer, "cut_after"),
                                 self._pass(far_reader, writer, far_writer, "cut_reply_after"))
        finally:
            self._writers -= {writer, far_writer}
            for each in (writer, far_writer):
                each.close()

    async def _pass(self, reader, to, back, cut):
        """Bytes one way, until an end or a fault."""
        passed = 0
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                if self.fault.delay:
                    await asyncio.sleep(self.fault.delay)
                while self.fault.blackhole:
                    await asyncio.sleep(0.05)
                limit = getattr(self.fault, cut)
                if limit is not None and passed + len(piece) > limit:
                    to.write(piece[:max(0, limit - passed)])
                    with contextlib.suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(to.drain(), 1)
                    _reset(to)
                    _reset(back)
                    return
                passed += len(piece)
                to.write(piece)
                await to.drain()
            if not to.is_closing() and to.can_write_eof():
                to.write_eof()
            return
        _reset(to)
        _reset(back)


def _reset(writer):
    """An end by RST, not by FIN."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
