# SPDX-License-Identifier: Apache-2.0
"""The Python peer of the benchmarks: what one writes by hand with aiokafka and aiohttp. At least once: a batch's offsets are
committed when its statuses are acknowledged. No checks of the job, no rates, no quotas, no retries."""
import asyncio
import json
import os
import signal
import ssl
import time

import aiohttp
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

IN_FLIGHT = int(os.environ["IN_FLIGHT"])
URL = os.environ["URL"] + "/cgi-bin/message/template/send?access_token=72_bench"


class Offsets:
    """Records of one partition: finished out of order, committed in order."""

    def __init__(self):
        self.queue, self.done = [], set()

    def finish(self, offset):
        """The offset to commit, if it moved."""
        self.done.add(offset)
        moved = 0
        while moved < len(self.queue) and self.queue[moved] in self.done:
            self.done.discard(self.queue[moved])
            moved += 1
        after = self.queue[moved - 1] + 1 if moved else None
        del self.queue[:moved]
        return after


async def push(session, producer, record, offsets, to_commit):
    """One record, to the acknowledgement of its status."""
    job = json.loads(record.value)
    async with session.post(URL, data=json.dumps(job["message"], ensure_ascii=False).encode(),
                            headers={"Content-Type": "application/json"}) as reply:
        answer = json.loads(await reply.read())
    now = time.time()
    status = {"version": 1, "id": job["id"], "app": job["app"], "kind": job["kind"], "state": "sent",
              "errcode": answer["errcode"], "msgid": str(answer["msgid"]), "latency_ms": int(now * 1000) - record.timestamp,
              "finished_at": now}
    await (await producer.send(os.environ["STATUS"], json.dumps(status).encode(), key=job["id"].encode()))
    where = TopicPartition(record.topic, record.partition)
    after = offsets[where].finish(record.offset)
    if after is not None:
        to_commit[where] = after


async def main():
    """Until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    consumer = AIOKafkaConsumer(os.environ["JOBS"], bootstrap_servers=os.environ["BOOTSTRAP"], group_id=os.environ["GROUP"],
                                enable_auto_commit=False, auto_offset_reset="earliest", session_timeout_ms=10_000)
    producer = AIOKafkaProducer(bootstrap_servers=os.environ["BOOTSTRAP"], acks="all", linger_ms=2)
    await consumer.start()
    await producer.start()
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT, ssl=ssl.create_default_context(cafile=os.environ["CA_FILE"]))
    slots, offsets, to_commit, tasks = asyncio.Semaphore(IN_FLIGHT), {}, {}, set()

    async def one(record):
        try:
            await push(session, producer, record, offsets, to_commit)
        finally:
            slots.release()

    async def commit():
        while True:
            await asyncio.sleep(0.1)
            if to_commit:
                now = dict(to_commit)
                to_commit.clear()
                await consumer.commit(now)

    async with aiohttp.ClientSession(connector=connector) as session:
        committer = asyncio.create_task(commit())
        while not stop.is_set():
            for where, records in (await consumer.getmany(timeout_ms=100, max_records=1000)).items():
                for record in records:
                    offsets.setdefault(where, Offsets()).queue.append(record.offset)
                    await slots.acquire()
                    task = asyncio.create_task(one(record))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        committer.cancel()
        if to_commit:
            await consumer.commit(dict(to_commit))
    await producer.stop()
    await consumer.stop()


uvloop.run(main())
