"""Commits as brokers keep them on __consumer_offsets, and their metadata as worker/codec/offset_metadata_codec.cpp writes it:
read by other means than the worker's."""
import base64
import dataclasses
import struct


@dataclasses.dataclass(frozen=True)
class Commit:
    """One partition's part of a commit."""
    group: str
    topic: str
    partition: int
    offset: int
    metadata: str
    at: float   # Unix seconds by the broker's clock


class _Reader:
    """Fields of Kafka's protocol from bytes."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def number(self, form):
        """A number of struct's `form`."""
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def bytes(self, length):
        """That many bytes, as text."""
        self.at += length
        return self.data[self.at - length:self.at].decode()

    def string(self):
        """A string with two bytes of length."""
        return self.bytes(self.number("h"))

    def compact_string(self):
        """A string with a varint of its length and one."""
        length, shift = 0, 0
        while True:
            byte = self.number("B")
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return self.bytes(length - 1)


def parse(key, value):
    """The commit that a record is; None for another one, a tombstone too (OffsetCommitKey and OffsetCommitValue of Kafka)."""
    reader = _Reader(key)
    if reader.number("h") not in (0, 1) or value is None:
        return None
    group, topic, partition = reader.string(), reader.string(), reader.number("i")
    reader = _Reader(value)
    version = reader.number("h")
    offset = reader.number("q")
    if version >= 3:
        reader.number("i")  # The leader's epoch.
    metadata = reader.compact_string() if version >= 4 else reader.string()
    return Commit(group, topic, partition, offset, metadata, reader.number("q") / 1000)


# --- metadata -----------------------------------------------------------------------------------------------------


def _varints(data):
    value, shift, out = 0, 0, []
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            out.append(value)
            value, shift = 0, 0
    assert shift == 0, "the bytes end inside a number"
    return out


def _ranges(base, data):
    numbers = _varints(data)
    assert len(numbers) % 2 == 0
    ranges = []
    for index in range(0, len(numbers), 2):
        first = base + numbers[index]
        last = first + numbers[index + 1]
        ranges.append((first, last))
        base = last + 2
    return ranges


def _bitmap(base, data):
    length = next(index for index, byte in enumerate(data) if not byte & 0x80) + 1
    start = base + _varints(data[:length])[0]
    ranges = []
    for bit in range((len(data) - length) * 8):
        if data[length + bit // 8] >> bit % 8 & 1:
            value = start + bit
            if ranges and ranges[-1][1] == value - 1:
                ranges[-1] = (ranges[-1][0], value)
            else:
                ranges.append((value, value))
    return ranges


def finished_beyond(committed, metadata):
    """The offsets at or above `committed` whose jobs the metadata says have finished, as ranges: (first, last)."""
    if not metadata:
        return []
    version, *sections = metadata.split(".")
    assert version == "w1", metadata
    for section in sections:
        if section[0] == "o":
            text = section[2:]
            data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return {"r": _ranges, "b": _bitmap}[section[1]](committed, data)
    return []
