#!/usr/bin/env python3
"""Fails when docs/configuration.md does not list the flags of `relud --help`.

    configuration_test.py RELUD           compares
    configuration_test.py RELUD --write   writes the list anew
"""
import pathlib
import re
import subprocess
import sys

PAGE = pathlib.Path("docs/configuration.md")
BEGIN, END = "<!-- from relud --help: begin -->\n", "<!-- end -->\n"
FLAG = re.compile(r"^  (--[\w-]+)=(\S+)\n((?:      .*\n)+)", re.M)
PARTS = re.compile(r"(.*?) ?(Required|Default: (.*))\. Environment: (\w+)\.")


def table(help_text):
    rows = ["| flag | value | default | variable | meaning |", "| --- | --- | --- | --- | --- |"]
    for flag, value, text in FLAG.findall(help_text):
        match = PARTS.fullmatch(" ".join(text.split()))
        if match is None:
            sys.exit(f"--help explains {flag} in a form that this test does not know")
        meaning, _, default, variable = match.groups()
        shown = "required" if default is None else f"`{default}`" if default else ""
        cells = [f"`{flag}`", f"`{value}`", shown, f"`{variable}`", meaning]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


relud, write = sys.argv[1], "--write" in sys.argv
help_text = subprocess.run([relud, "--help"], check=True, capture_output=True, text=True).stdout
wanted = table(help_text)
flags = set(re.findall(r"^  (--[\w-]+)", help_text, re.M)) - {"--help", "--version"}
if len(flags) != wanted.count("\n") - 2:
    sys.exit("--help has flags that this test does not see")
before, rest = PAGE.read_text().split(BEGIN)
found, after = rest.split(END)
if write:
    PAGE.write_text(before + BEGIN + wanted + END + after)
elif found != wanted:
    sys.exit(f"{PAGE} differs from `relud --help`: run tests/docs/configuration_test.py {relud} --write")
print(f"{PAGE}: {len(flags)} flags")
