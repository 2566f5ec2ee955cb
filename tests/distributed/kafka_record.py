"""Writes one record of any bytes into a topic: what no client of ours would send. Kafka's protocol, Produce v3 with a record batch
of format 2 (https://kafka.apache.org/protocol), to the partition's leader among the brokers of a test."""

import socket
import struct
import time

PRODUCE, PRODUCE_VERSION = 0, 3
ALL_REPLICAS = -1
NOT_YET = (3, 5, 6)  # the topic is not known to the broker yet, or has no leader
PATIENCE_SECONDS = 20


def _crc32c_table():
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _crc32c_table()


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def _varint(number):
    number = (number << 1) ^ (number >> 63)
    encoded = bytearray()
    while number & ~0x7F:
        encoded.append((number & 0x7F) | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _bytes(value):
    return _varint(-1) if value is None else _varint(len(value)) + value


def _batch(key, value):
    record = b"\0" + _varint(0) + _varint(0) + _bytes(key) + _bytes(value) + _varint(0)
    records = _varint(len(record)) + record
    now = int(time.time() * 1000)
    checked = struct.pack(">hiqqqhii", 0, 0, now, now, -1, -1, -1, 1) + records
    head = struct.pack(">ib", -1, 2) + struct.pack(">I", crc32c(checked))
    return struct.pack(">qi", 0, len(head) + len(checked)) + head + checked


def _text(value):
    return struct.pack(">h", len(value)) + value.encode()


def _read(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise RuntimeError("the broker closed the connection")
        data += more
    return data


def write(brokers, topic, value, key=None, partition=0):
    """Returns the record's offset. Brokers that are not the partition's leader refuse it, and the next one is asked."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        errors = []
        for broker in brokers.split(","):
            error, offset = _write_once(broker, topic, partition, _batch(key, value))
            if error == 0:
                return offset
            errors.append(error)
        if not set(errors) <= NOT_YET or time.monotonic() > until:
            raise RuntimeError(f"{topic}/{partition}: the brokers answered with errors {errors}")
        time.sleep(0.1)


def _write_once(broker, topic, partition, batch):
    body = struct.pack(">h", -1) + struct.pack(">hi", ALL_REPLICAS, 10_000)
    body += struct.pack(">i", 1) + _text(topic) + struct.pack(">ii", 1, partition) + struct.pack(">i", len(batch)) + batch
    request = struct.pack(">hhi", PRODUCE, PRODUCE_VERSION, 1) + _text("test") + body
    host, port = broker.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = _read(connection, struct.unpack(">i", _read(connection, 4))[0])
    # correlation, topics, name, partitions, partition, error, offset
    at = 4 + 4
    at += 2 + struct.unpack_from(">h", answer, at)[0] + 4
    _, error, offset = struct.unpack_from(">ihq", answer, at)
    return error, offset
