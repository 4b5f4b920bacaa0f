#!/usr/bin/env python3
"""Fails when the code and the map in ARCHITECTURE.md no longer agree.

The map is a list of folders, lowest first. For each folder it says what the
folder may include and what each of its files is for:

    ### `core/plan` may include: `core/base`, `core/kernels`, <absl>
    - `compiled_model`: an immutable, thread-safe model, ready to run.

A folder may name only folders above it, so the map cannot hold a cycle. An
entry stands for the .h and .cc of that name. With an argument, only that map
is checked: python3 architecture_test.py OTHER.md
"""
import pathlib
import re
import sys

MAX_LINES = 500
ROOTS = ("proto", "core", "client", "server", "deploy")
FOLDER = re.compile(r"^### `([\w/]+)` may include:(.*)$")
ENTRY = re.compile(r"^- `([\w.-]+)`: \S")
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.M)
GENERATED = re.compile(r"^proto/\w+(\.grpc)?\.pb\.h$")
# A .cc without a unit test of its own, and why.
UNTESTED = {}


def read_map(path):
    """Returns {folder: allowed}, {folder: entries} and the errors of the map."""
    allowed, entries, errors, folder = {}, {}, [], None
    for line in path.read_text().splitlines():
        if match := FOLDER.match(line):
            folder = match[1]
            allowed[folder] = set(re.findall(r"`([\w/]+)`|(<\w+>)", match[2]))
            allowed[folder] = {a or b for a, b in allowed[folder]}
            entries[folder] = set()
            for name in sorted(allowed[folder]):
                if not name.startswith("<") and name not in allowed:
                    errors.append(f"{path}: {folder} names {name}, which is not above it")
        elif line.startswith("#"):
            folder = None
        elif folder and (match := ENTRY.match(line)):
            entries[folder].add(match[1])
    return allowed, entries, errors


def check_includes(path, text, allowed):
    folder = path.parent.as_posix()
    for name in INCLUDE.findall(text):
        top = name.split("/")[0]
        if top in ROOTS:
            target = pathlib.PurePosixPath(name).parent.as_posix()
        elif "/" in name and top != "sys":
            target = f"<{top}>"
        else:
            continue
        if target != folder and target not in allowed[folder]:
            yield f"{path}: includes {name}, but {folder} may not use {target}"


def check_file(path, allowed, entries):
    folder, text = path.parent.as_posix(), path.read_text()
    if folder not in allowed:
        yield f"{path}: the folder is not on the map"
        return
    if not {path.stem, path.name} & entries[folder]:
        yield f"{path}: is not on the map"
    if (lines := text.count("\n")) > MAX_LINES:
        yield f"{path}: {lines} lines, the most is {MAX_LINES}"
    yield from check_includes(path, text, allowed)
    if path.suffix == ".h":
        guard = re.sub(r"[/.-]", "_", path.as_posix()).upper() + "_"
        if not text.startswith("//"):
            yield f"{path}: does not open with a comment that says what it is for"
        # Of Highway's own kind in headers that it compiles once per target.
        opening = (f"#if defined({guard}) == defined(HWY_TARGET_TOGGLE)\n"
                   if path.stem.endswith("-inl")
                   else f"#ifndef {guard}\n#define {guard}\n")
        if opening not in text:
            yield f"{path}: the include guard must be {guard}"
    if path.suffix == ".cc" and not path.name.endswith("main.cc"):
        test = pathlib.Path("tests") / path.with_name(path.stem + "_test.cc")
        if not test.exists() and path.as_posix() not in UNTESTED:
            yield f"{path}: has no test at {test}"


def main():
    allowed, entries, errors = read_map(pathlib.Path((sys.argv + ["ARCHITECTURE.md"])[1]))
    files = []
    if len(sys.argv) == 1:
        files = [p for root in ROOTS for p in sorted(pathlib.Path(root).rglob("*"))
                 if p.suffix in (".h", ".cc") and not GENERATED.match(p.as_posix())]
        for path in files:
            errors.extend(check_file(path, allowed, entries))
        for folder in entries:
            for entry in sorted(entries[folder]):
                if not list(pathlib.Path(folder).glob(entry + "*")):
                    errors.append(f"{folder}/{entry}: is on the map but does not exist")
    count = sum(len(e) for e in entries.values())
    print("\n".join(errors) or f"map: {len(allowed)} folders, {count} entries; {len(files)} files agree")
    return 1 if errors or not allowed else 0


if __name__ == "__main__":
    sys.exit(main())
