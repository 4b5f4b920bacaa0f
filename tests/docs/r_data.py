"""Reads data frames of an R package's lazy-load database (data/Rdata.rdx, Rdata.rdb) without R.

The format is that of R's serialize(), version 2 or 3, in XDR: R Internals, section 1.8.
"""
import gzip
import struct
import zlib


class Reader:
    def __init__(self, data):
        assert data[:2] == b"X\n", data[:2]
        self.data, self.at, self.references = data, 2, []
        version, _, _ = self.ints(3)
        if version == 3:
            size = self.ints(1)[0]
            self.at += size  # The encoding's name.

    def ints(self, count):
        values = struct.unpack_from(f">{count}i", self.data, self.at)
        self.at += 4 * count
        return values

    def doubles(self, count):
        values = struct.unpack_from(f">{count}d", self.data, self.at)
        self.at += 8 * count
        return values

    def pairs(self, flags):
        """A pairlist as a dict."""
        result = {}
        while flags & 255 == 2:
            if flags & 0x200:
                self.item()
            name = self.item() if flags & 0x400 else len(result)
            result[name] = self.item()
            flags = self.ints(1)[0]
        return result

    def item(self):
        flags = self.ints(1)[0]
        kind = flags & 255
        if kind in (254, 242, 253, 252, 251):  # NULL and well-known environments
            return None
        if kind == 255:
            return self.references[(flags >> 8 or self.ints(1)[0]) - 1]
        if kind == 1:
            self.references.append(self.item())
            return self.references[-1]
        if kind == 9:
            size = self.ints(1)[0]
            self.at += max(size, 0)
            return None if size < 0 else self.data[self.at - size:self.at].decode("utf-8", "replace")
        if kind == 2:
            return self.pairs(flags)
        if kind == 238:  # A compact sequence or the like: class, state, attributes.
            info, state, _ = self.item(), self.item(), self.item()
            assert list(info.values())[0] == "compact_intseq", info
            count, first, step = state[0] if isinstance(state, tuple) else state
            return {"values": [int(first + i * step) for i in range(int(count))], "attributes": {}}
        count = self.ints(1)[0]
        if kind in (10, 13):
            values = list(self.ints(count))
        elif kind == 14:
            values = list(self.doubles(count))
        elif kind in (16, 19):
            values = [self.item() for _ in range(count)]
        else:
            raise ValueError(f"type {kind} at {self.at}")
        attributes = self.pairs(self.ints(1)[0]) if flags & 0x200 else {}
        return {"values": values, "attributes": attributes}


def columns(folder, name):
    """{column: list of numbers or texts}, None for what is missing, of data frame `name`."""
    with open(f"{folder}/Rdata.rdx", "rb") as file:
        index = Reader(gzip.decompress(file.read())).item()
    names = index["attributes"]["names"]["values"]
    variables = index["values"][names.index("variables")]
    place = variables["values"][variables["attributes"]["names"]["values"].index(name)]["values"]
    with open(f"{folder}/Rdata.rdb", "rb") as file:
        file.seek(place[0])
        packed = file.read(place[1])
    # The length, then for other methods than zlib a letter.
    if packed[4:5] == b"Z":
        import lzma
        data = lzma.decompress(packed[5:], format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6}])
    elif packed[4:5] == b"2":
        import bz2
        data = bz2.decompress(packed[5:])
    else:
        data = zlib.decompress(packed[4:])
    frame = Reader(data).item()
    result = {}
    for column, vector in zip(frame["attributes"]["names"]["values"], frame["values"]):
        levels = vector["attributes"].get("levels")
        values = vector["values"]
        if levels is not None:
            values = [None if v < 1 else levels["values"][v - 1] for v in values]
        else:
            values = [None if v is None or v != v or v == -2**31 else v for v in values]
        result[column] = values
    return result
