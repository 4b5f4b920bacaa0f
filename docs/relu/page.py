"""Keeps the numbers of a Markdown page those of results.json.

A number is followed by a comment, which Markdown does not show, that says which
result it is and in which format of Python:

    22.4<!--recipes.plain.median.zeros_percent:.1f--> % of the activations

None, which is what was never reached, is written "never".
"""
import re

NUMBER = re.compile(r"([^\s<>|(]+)<!--([\w.]+):([\w.,+%]*)-->")


def look_up(results, path):
    """`path`: keys of objects and places in lists, joined by dots."""
    for key in path.split("."):
        results = results[int(key)] if isinstance(results, list) else results[key]
    return results


def fill(page, results):
    """The page with the numbers of `results`. KeyError if there is no such result."""
    def number(match):
        value = look_up(results, match[2])
        shown = "never" if value is None else format(value, match[3])
        return f"{shown}<!--{match[2]}:{match[3]}-->"

    return NUMBER.sub(number, page)
