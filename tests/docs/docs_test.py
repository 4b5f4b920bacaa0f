#!/usr/bin/env python3
"""Fails when the documents no longer say what the code does.

Every ```cpp block names the compiled file it was taken from and must occur in
it (indentation apart); every ```sh block marked "run" is run and must succeed;
every relative link and every `path/to/file` in backquotes must exist.
"""
import pathlib
import re
import subprocess
import sys
import textwrap

BLOCK = re.compile(r"^```(\w+)[ ]*([^\n]*)\n(.*?)^```$", re.M | re.S)
PATH = re.compile(r"`((?:core|server|client|proto|deploy|tests)/[\w./-]+)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def flat(code):
    return "\n".join(line.strip() for line in textwrap.dedent(code).splitlines()).strip()


def check(document):
    text = document.read_text()
    for language, info, body in BLOCK.findall(text):
        if language == "cpp":
            source = pathlib.Path(info)
            if not info or not source.exists():
                yield f"{document}: a cpp block names no existing file: '{info}'"
            elif flat(body) not in flat(source.read_text()):
                yield f"{document}: a block differs from {source}"
        elif language == "sh" and info == "run":
            if subprocess.run(["bash", "-euc", body]).returncode:
                yield f"{document}: this block fails:\n{body}"
    # Code has brackets that are no links: lambdas.
    for name in PATH.findall(text) + LINK.findall(BLOCK.sub("", text)):
        if not (document.parent / name).exists() and not pathlib.Path(name).exists():
            yield f"{document}: {name} does not exist"


DOCUMENTS = sorted(d for pattern in ("*.md", "deploy/**/*.md", "docs/**/*.md")
                   for d in pathlib.Path(".").glob(pattern))
errors = [e for d in DOCUMENTS for e in check(d)]
print("\n".join(errors) or "the documents agree with the code")
sys.exit(1 if errors else 0)
