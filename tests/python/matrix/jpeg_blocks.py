"""Coefficients of a sequential Huffman JPEG (ISO/IEC 10918-1): stream in, blocks
out. Written for the tests and independent of airlock's own reader, so that
"every other block stays" is said by somebody else.
"""

from dataclasses import dataclass

import numpy as np

SOF, DHT, SOI, SOS, DQT, DRI = (0xC0, 0xC1), 0xC4, 0xD8, 0xDA, 0xDB, 0xDD
ALONE = {0x01, SOI, *range(0xD0, 0xD8)}


@dataclass
class Component:
    """The blocks of a component in natural order, padding blocks left out."""

    horizontal: int
    vertical: int
    quantisation: tuple
    blocks: np.ndarray


class Scan:
    """The bits of one restart interval, and the Huffman codes in them."""

    def __init__(self, data):
        self.data = data.replace(b"\xff\x00", b"\xff") + b"\xff" * 8
        self.at = 0

    def bits(self, count):
        if count == 0:
            return 0
        value = self._peek(count)
        self.at += count
        return value

    def _peek(self, count):
        byte = self.at >> 3
        window = int.from_bytes(self.data[byte : byte + 5])
        return (window >> (40 - (self.at & 7) - count)) & ((1 << count) - 1)

    def symbol(self, table):
        length, symbol = table[self._peek(16)]
        if length == 0:
            raise ValueError("no such Huffman code")
        self.at += length
        return symbol

    def value(self, size):
        bits = self.bits(size)
        return bits if size == 0 or bits >> (size - 1) else bits - (1 << size) + 1


def huffman_table(counts, symbols):
    """(length, symbol) of what every 16 bits begin with."""
    table, code, at = [(0, 0)] * 65536, 0, 0
    for length, count in enumerate(counts, start=1):
        for _ in range(count):
            first, span = code << (16 - length), 1 << (16 - length)
            table[first : first + span] = [(length, symbols[at])] * span
            code, at = code + 1, at + 1
        code <<= 1
    return table


def read_blocks(stream):
    """The components of a stream, in order."""
    tables, quantisation, frame, interval, at = {}, {}, {}, 0, 0
    while at < len(stream):
        marker = stream[at + 1]
        if marker in ALONE or marker == 0xFF:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == 0xD9:
            break
        length = int.from_bytes(stream[at + 2 : at + 4])
        body, at = stream[at + 4 : at + 2 + length], at + 2 + length
        if marker == DQT:
            read_quantisation(body, quantisation)
        elif marker == DHT:
            read_huffman(body, tables)
        elif marker == DRI:
            interval = int.from_bytes(body[:2])
        elif marker in SOF:
            frame = read_frame(body)
        elif 0xC0 <= marker <= 0xCF and marker not in (DHT, 0xC8, 0xCC):
            raise ValueError("not a sequential Huffman JPEG")
        elif marker == SOS:
            end = scan_end(stream, at)
            read_scan(body, stream[at:end], frame, tables, interval)
            at = end
    return [
        Component(part["h"], part["v"], quantisation[part["q"]], part["blocks"])
        for part in frame["components"].values()
    ]


def read_quantisation(body, quantisation):
    at = 0
    while at < len(body):
        width, number = (body[at] >> 4) + 1, body[at] & 15
        values = np.frombuffer(body[at + 1 : at + 1 + 64 * width], f">u{width}")
        quantisation[number] = tuple(int(value) for value in values)
        at += 1 + 64 * width


def read_huffman(body, tables):
    at = 0
    while at < len(body):
        counts = body[at + 1 : at + 17]
        total = sum(counts)
        tables[body[at]] = huffman_table(counts, body[at + 17 : at + 17 + total])
        at += 17 + total


def read_frame(body):
    rows, columns = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
    components = {}
    for number in range(body[5]):
        name, sampling, table = body[6 + 3 * number : 9 + 3 * number]
        components[name] = {"h": sampling >> 4, "v": sampling & 15, "q": table}
    across = max(part["h"] for part in components.values())
    down = max(part["v"] for part in components.values())
    mcus = (-(-rows // (8 * down)), -(-columns // (8 * across)))
    for part in components.values():
        wide, high = -(-columns * part["h"] // across), -(-rows * part["v"] // down)
        part["size"] = (-(-high // 8), -(-wide // 8))
        part["all"] = np.zeros((mcus[0] * part["v"], mcus[1] * part["h"], 64), np.int32)
        part["blocks"] = part["all"][: part["size"][0], : part["size"][1]]
    return {"components": components, "mcus": mcus}


def scan_end(stream, at):
    """Where the next marker stands that is no restart."""
    while True:
        at = stream.index(b"\xff", at)
        if stream[at + 1] != 0 and not 0xD0 <= stream[at + 1] <= 0xD7:
            return at
        at += 2


def read_scan(body, data, frame, tables, interval):
    parts = []
    for number in range(body[0]):
        name, choice = body[1 + 2 * number : 3 + 2 * number]
        part = frame["components"][name]
        parts.append((part, tables[choice >> 4], tables[16 + (choice & 15)]))
    pieces = restart_pieces(data)
    units = list(scan_units(parts, frame["mcus"]))
    per_piece = interval or len(units)
    for number in range(0, len(units), per_piece):
        scan, last = Scan(pieces[number // per_piece]), {}
        for unit in units[number : number + per_piece]:
            for index, row, column in unit:
                part, dc, ac = parts[index]
                block = read_block(scan, dc, ac, last.get(index, 0))
                last[index] = block[0]
                part["all"][row, column] = block


def restart_pieces(data):
    pieces, start, at = [], 0, 0
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        if 0xD0 <= data[at + 1] <= 0xD7:
            pieces.append(data[start:at])
            start = at + 2
        at += 2
    return [*pieces, data[start:]]


def scan_units(parts, mcus):
    """The blocks of each MCU; a scan of one component has no padding blocks."""
    if len(parts) == 1:
        rows, columns = parts[0][0]["size"]
        yield from ([(0, row, column)] for row in range(rows) for column in range(columns))
        return
    for down in range(mcus[0]):
        for across in range(mcus[1]):
            unit = []
            for index, (part, _dc, _ac) in enumerate(parts):
                for row in range(part["v"]):
                    for column in range(part["h"]):
                        place = (index, down * part["v"] + row, across * part["h"] + column)
                        unit.append(place)
            yield unit


def read_block(scan, dc, ac, last):
    block = [0] * 64
    block[0] = last + scan.value(scan.symbol(dc))
    at = 1
    while at < 64:
        symbol = scan.symbol(ac)
        if symbol == 0:
            break
        at += symbol >> 4
        if symbol & 15:
            block[at] = scan.value(symbol & 15)
        at += 1
    return block
