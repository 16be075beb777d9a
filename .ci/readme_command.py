"""Prints the command that the README gives for NAME, so that the gate runs what readers run.

The README marks it: the line `<!-- ci:NAME -->`, then a fenced block that holds the command.
"""

import re
import sys

name = sys.argv[1]
try:
    with open("README.md", encoding="utf-8") as file:
        text = file.read()
except FileNotFoundError:
    sys.exit("README.md is missing")

block = rf"^<!-- ci:{re.escape(name)} -->[ \t]*\n+```[^\n`]*\n(.*?)^```[ \t]*$"
found = re.findall(block, text, flags=re.MULTILINE | re.DOTALL)
if len(found) != 1 or not found[0].strip():
    sys.exit(
        f"README.md must hold `<!-- ci:{name} -->` exactly once, on the line before a fenced block "
        f"with the command; found {len(found)}"
    )
command = found[0].strip()
if re.search(r"^\s*\$ ", command, flags=re.MULTILINE):
    sys.exit(f"the {name} command in README.md starts with a prompt, and can't be pasted: {command}")
print(command)
