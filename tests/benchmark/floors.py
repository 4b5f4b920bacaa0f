"""What relud is to reach, and whether a run of engine_benchmark reached it."""
import math

OURS = "relud"
ORT = "ONNX Runtime"
EMPTY_CALL = "ONNX Runtime, empty call"
NO_SKIP = "relud, no skip"
ALL_SKIP = "relud, all skip"
ONE_THREAD = "relud, one thread"
FLOAT = "relud, float32"


def engines_of(row):
    return {engine["name"]: engine for engine in row["engines"]}


def ratio_to(name):
    return lambda row: engines_of(row)[name]["ratio"] if name in engines_of(row) else None


def ratio_to_others(row):
    """To the fastest of the peers other than ONNX Runtime."""
    return min((e["ratio"] for e in row["engines"] if not e["name"].startswith((OURS, ORT))), default=None)


def ratio_to_best_way(row):
    """To the fastest of the ways that relud could have chosen."""
    return min((e["ratio"] for e in row["engines"] if e["name"] in (NO_SKIP, ALL_SKIP)), default=None)


def share(name):
    return lambda row: row[name]


def floors(*pairs):
    """floors(("AD", 1.4), ("E", 12)): a floor by network."""
    by_network = {network: floor for networks, floor in pairs for network in networks}
    return lambda row: by_network.get(row["network"])


def every(floor):
    return lambda _: floor


def dense(*batches, threads=1):
    return lambda row: row["table"] == "dense" and row["batch"] in batches and row["threads"] == threads


def in_table(name, **fields):
    return lambda row: row["table"] == name and all(row[key] == value for key, value in fields.items())


def beyond(size, wanted):
    """Of the rows that are `wanted`, those of more bytes of weights."""
    return lambda row: wanted(row) and row["weight_bytes"] >= size


# A name, the rows, what is looked at, and the floor of each row (None: none).
FLOORS = [
    ("1 row, to ONNX Runtime", dense(1), ratio_to(ORT), floors(("AD", 1.4), ("BCF", 1.9), ("E", 12))),
    ("1 row, to the best other peer", dense(1), ratio_to_others, every(1.15)),
    ("1 row, share of the limit, 0.5 MB and more", beyond(5e5, dense(1)), share("share_of_limit"), every(0.8)),
    ("4 rows, to ONNX Runtime", dense(4), ratio_to(ORT), floors(("ABCEF", 1.3), ("D", 1.0))),
    ("16 rows, to ONNX Runtime", dense(16), ratio_to(ORT), floors(("ABCEF", 1.15), ("D", 1.0))),
    ("4 rows, to the best other peer", dense(4), ratio_to_others, every(1.2)),
    ("16 rows, to the best other peer", dense(16), ratio_to_others, every(1.1)),
    ("16 rows, share of FMA", dense(16), share("share_of_fma"), floors(("ABDEF", 0.7), ("C", 0.6))),
    ("64 rows, to ONNX Runtime", dense(64), ratio_to(ORT), floors(("ABCEF", 1.03), ("D", 0.9))),
    ("256 rows, to ONNX Runtime", dense(256), ratio_to(ORT), floors(("ABCEF", 0.98), ("D", 0.9))),
    ("64 and 256 rows, to the best other peer", dense(64, 256), ratio_to_others, every(1.05)),
    ("256 rows, share of FMA", dense(256), share("share_of_fma"), every(0.78)),
    ("80 % zeros, 1 row, to ONNX Runtime", in_table("zeros", batch=1, zeros=0.8), ratio_to(ORT), floors(("ABCDEF", 4))),
    ("90 % zeros, 1 row, to ONNX Runtime", in_table("zeros", batch=1, zeros=0.9), ratio_to(ORT), floors(("ABCDEF", 6))),
    ("80 % zeros, 1 row, to no skip", in_table("zeros", batch=1, zeros=0.8), ratio_to(NO_SKIP), every(1.8)),
    ("90 % zeros, 1 row, to no skip", in_table("zeros", batch=1, zeros=0.9), ratio_to(NO_SKIP), every(2.3)),
    ("any zeros, to no skip", in_table("zeros"), ratio_to(NO_SKIP), every(0.95)),
    ("trained, 1 row, to ONNX Runtime", in_table("trained", batch=1), ratio_to(ORT),
     lambda row: 3 if row["network"].startswith("mnist") else 2),
    ("trained, 1 row, to no skip", in_table("trained", batch=1), ratio_to(NO_SKIP),
     lambda row: 2 if row["network"].startswith("mnist") else None),
    ("float16 weights beyond L2, to ONNX Runtime", beyond(1e6, in_table("half")), ratio_to(ORT), every(2.5)),
    ("float16 weights beyond L2, to our float32", beyond(1e6, in_table("half")), ratio_to(FLOAT), every(1.5)),
    ("2 threads, 1 row, to ONNX Runtime", dense(1, threads=2), ratio_to(ORT),
     floors(("D", 1.0), ("C", 1.5), ("A", 1.7), ("BF", 2))),
    ("2 threads, 16 and more rows, to ONNX Runtime", dense(16, 256, threads=2), ratio_to(ORT),
     floors(("ABDEF", 1.0), ("C", 0.9))),
    ("2 threads, 1 row, to one, 0.5 MB and more", beyond(5e5, dense(1, threads=2)), ratio_to(ONE_THREAD), every(1.4)),
    ("2 threads, 16 and more rows, to one", dense(16, 256, threads=2), ratio_to(ONE_THREAD), every(1.6)),
    ("2 threads, to one", dense(1, 16, 256, threads=2), ratio_to(ONE_THREAD), every(0.95)),
    ("the choice, to the fastest way", lambda row: row["threads"] == 1, ratio_to_best_way, every(0.95)),
    ("cold caches, to ONNX Runtime", in_table("cold"), ratio_to(ORT), floors(("ABCDF", 1.6), ("E", 10))),
]


def check(rows):
    """For each floor that was measured: its name, how many cells reach it, of
    how many, the cell with the least room, and those that do not reach it. A
    cell is (row, value, floor)."""
    for name, is_meant, value_of, floor_of in FLOORS:
        cells = [(row, value_of(row), floor_of(row)) for row in rows if is_meant(row)]
        cells = [cell for cell in cells if cell[1] is not None and cell[2] is not None]
        if cells:
            # As printed: 1.149 is 1.15.
            missed = [cell for cell in cells if round(cell[1], 2) < cell[2]]
            closest = min(cells, key=lambda cell: math.log(cell[1] / cell[2]))
            yield name, len(cells) - len(missed), len(cells), closest, missed
