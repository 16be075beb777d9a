"""Checks that README.md stays short and easy to read: lines, words, words per sentence, and pictures that are there and small."""

import re
import sys
from pathlib import Path

MAX_LINES = 150
MAX_WORDS = 1300
MAX_SENTENCE = 16
MAX_PICTURE = 150_000  # bytes

with open("README.md", encoding="utf-8") as file:
    text = file.read()

words_of = re.compile(r"[A-Za-z0-9][\w'’./:=-]*")


def prose(markdown: str) -> list[str]:
    """Returns the paragraphs, list items and table cells that hold sentences, without code blocks and links' targets."""
    markdown = re.sub(r"^ *```.*?^ *```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    markdown = re.sub(r"<!--.*?-->", "", markdown, flags=re.DOTALL)
    markdown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    blocks: list[str] = [""]
    for line in markdown.splitlines():
        line = re.sub(r"^[> ]+", "", line)
        starts_block = not line or re.match(r"[-#|]|\d+\.\s", line)
        if starts_block:
            blocks.append("")
        if line.startswith(("#", "|")):
            continue
        blocks[-1] += " " + re.sub(r"^(-|\d+\.)\s+", "", line)
    return [block.strip() for block in blocks if block.strip()]


def sentences(block: str) -> list[list[str]]:
    """Splits at the end marks that a space or the end follows; names such as `a.b` stay whole."""
    parts = re.split(r"(?<=[.!?])[*`\"”)]*(?:\s+|$)", block)
    return [found for part in parts if len(found := words_of.findall(part)) > 0]


all_sentences = [sentence for block in prose(text) for sentence in sentences(block)]
if not all_sentences:
    sys.exit("README.md holds no sentence")
average = sum(map(len, all_sentences)) / len(all_sentences)
lines = len(text.splitlines())
words = len(text.split())
print(f"README.md: {lines} lines, {words} words, {average:.1f} words a sentence")

faults = []
if lines > MAX_LINES:
    faults.append(f"{lines} lines are more than {MAX_LINES}")
if words > MAX_WORDS:
    faults.append(f"{words} words are more than {MAX_WORDS}")
if average > MAX_SENTENCE:
    longest = max(all_sentences, key=len)
    faults.append(f"{average:.1f} words a sentence are more than {MAX_SENTENCE}; the longest: {' '.join(longest)}")
pictures = re.findall(r'(?:src|srcset)="([^"]+)"', text)
for picture in map(Path, pictures):
    if not picture.is_file():
        faults.append(f"{picture} is not there")
    elif picture.stat().st_size > MAX_PICTURE:
        faults.append(f"{picture} has more than {MAX_PICTURE} bytes")
if not any("-dark." in picture for picture in pictures):
    faults.append("there is no picture for dark screens")
if faults:
    sys.exit("README.md: " + "; ".join(faults))
