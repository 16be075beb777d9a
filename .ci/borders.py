"""Checks the shape of the workspace: who may know whom, that files import in no circle, what a function links, how long a file may be, how it is worded.

The workspace is the one in the current folder. Every breach is reported, then the exit code says so.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

LONG_FILE = 400  # lines: worth a thought
MAX_FILE = 500  # lines
MAX_MAIN = 40  # lines
# What the functions are built for. What other machines would link is of no interest here.
TARGET = "aarch64-unknown-linux-gnu"

FAULTS = []


def fault(where, what):
    FAULTS.append(f"{where}: {what}")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr.strip()}")
    return done.stdout


def linked(package, *options):
    """The packages that a build of this package links, as (name, version)."""
    tree = run("cargo", "tree", "--locked", "-p", package, *options, "-e", "normal", "--target", TARGET, "--prefix", "none", "-f", "{p}")
    return {tuple(line.split()[:2]) for line in tree.splitlines() if line.strip()}


# --- who may know whom ---

def folder(package, root):
    return str(Path(package["manifest_path"]).parent.relative_to(root))


def floor(here):
    """Imports point down: the higher number may know the lower one, and its own floor where that is said below."""
    return {"tests": 4, "playground": 4, "cli": 3, "functions": 2, "shared": 1}[here.split("/")[0]]


def may_know(here, there):
    """What is deployed knows nothing that only pretends; deciding knows nothing at all."""
    if here == "shared/domain":
        return False
    if here == "cli":
        # Its tests may use the pretend Twilio; what an operator installs may not, but for the playground.
        return there.startswith(("functions/", "shared/", "cli/")) or there == "playground"
    if here == "cli/output":
        return there == "shared/domain"
    if here.startswith("functions/"):
        return there.startswith("shared/")
    return floor(there) <= floor(here)


def check_imports(packages, root):
    folders = {package["name"]: folder(package, root) for package in packages}
    for package in packages:
        here = folders[package["name"]]
        for dependency in package["dependencies"]:
            there = folders.get(dependency["name"])
            if there is None or dependency["source"] is not None:
                continue
            between_functions = here.startswith("functions/") and there.startswith("functions/")
            # Tests may use the pretend world; no function may know another, not even in its tests.
            if between_functions or (dependency["kind"] != "dev" and not may_know(here, there)):
                fault(f"{here}/Cargo.toml", f"must not depend on {there}")


# --- files without circles ---

MODULE_PATH = re.compile(r"\b(crate|(?:super::)*super)((?:::\w+)+)")
CHILD = re.compile(r"^use (\w+)::", flags=re.MULTILINE)


def modules(source):
    """The files of a crate by their modules' paths. The root hands names on, and is none."""
    found = {path.relative_to(source).with_suffix("").parts: path for path in source.rglob("*.rs")}
    return {name[:-1] if name[-1] == "mod" else name: path for name, path in found.items() if name not in {("lib",), ("main",)}}


def imports(here, known):
    """The modules that a module names, tests and re-exports apart."""
    lines = known[here].read_text(encoding="utf-8").split("#[cfg(test)]")[0].splitlines()
    code = "\n".join(COMMENT.sub("", line) for line in lines if not line.startswith("pub use "))
    for way in MODULE_PATH.finditer(code):
        above = () if way[1] == "crate" else here[: -way[1].count("super")]
        there = (*above, *way[2].strip(":").split("::"))
        while there not in known and there:
            there = there[:-1]
        if there and there != here:
            yield there
    for child in CHILD.findall(code):
        if (*here, child) in known:
            yield (*here, child)


def check_circles(packages, root):
    """A file that is deployed or that an operator runs can be read before those that import it."""
    for package in packages:
        place = folder(package, root)
        if floor(place) == 4 and place != "playground":
            continue
        known = modules(Path(place) / "src")
        arrows = {here: set(imports(here, known)) for here in known}
        for here in known:
            reached, ahead = set(), list(arrows[here])
            while ahead:
                there = ahead.pop()
                if there not in reached:
                    reached.add(there)
                    ahead.extend(arrows[there])
            if here in reached:
                fault(known[here], "imports a file that imports it, by way of others or at once")


# --- what is linked ---

OUTSIDE = re.compile(r"tokio|reqwest|hyper|axum|(aws|lambda)[-_].*")
# What a function would load at each cold start without needing it: a third of its start, a tenth of its zip.
DEAD_WEIGHT = {"aws-config", "aws-smithy-http-client", "h2", "dynoxide-rs"}
OTHER_TLS = {"aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls"}


def check_links(packages, root):
    for name, _ in sorted(linked("domain")):
        if OUTSIDE.fullmatch(name):
            fault("shared/domain", f"links {name}, but deciding must not be able to do I/O")
    pretend = {package["name"] for package in packages if floor(folder(package, root)) == 4}
    operators = linked("janitor", "--no-default-features")
    for stranger in sorted({name for name, _ in operators} & (pretend | {"dynoxide-rs", "axum"})):
        fault("cli", f"links {stranger} without its default features, which are for trying things out")
    for package in packages:
        here = folder(package, root)
        if not here.startswith(("functions/", "shared/")):
            continue
        links = linked(package["name"])
        names = {name for name, _ in links}
        for stranger in sorted(names & pretend):
            fault(here, f"links {stranger}, which only pretends")
        if here.startswith("shared/"):
            continue
        for stranger in sorted(names & (OTHER_TLS | DEAD_WEIGHT)):
            fault(here, f"links {stranger}")
        for single in ("rustls", "hyper"):
            versions = sorted(version for name, version in links if name == single)
            if len(versions) != 1:
                fault(here, f"links {single} {', '.join(versions) or 'not at all'}, but must link exactly one")
        if here == "functions/ingest" and "reqwest" in names:
            fault(here, "links reqwest, but the webhook must not call Twilio")


# --- what is written ---

# Written so that they do not find themselves.
STRAY_WORDS = {
    "a path of one machine": re.compile(r"(?<![\w.-])/(work|root|tmp|home/\w+)/"),
    "a number of the tracker": re.compile(r"\b(issue|pull request)\s*#?\d+", re.IGNORECASE),
    "a registry's host": re.compile(r"\b(crates[.]io|pypi[.]org|pythonhosted[.]org|registry[.]npmjs)"),
    "a tool that readers don't have": re.compile(r"[.]library\b"),
}
COMMENT = re.compile(r"//.*")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
DOC = re.compile(r"\s*//[/!]")
# A doc comment begins with a verb in the third person, or with a noun.
DOC_OPENER = re.compile(r"\s*//[/!]\s+(What|How|Whether|Who)\b")
VAGUE = re.compile(r"\b(nobody|somebody|whoever)\b", re.IGNORECASE)
# Names that one thing had beside the one that it has now (docs/glossary.md).
OTHER_NAMES = re.compile(
    r"\b(Heard|Word|News|Told|LastStep|Remedy|Came|Tended|Unclosed|ChatClosed|Trouble|Seat|Standing|Wish|Ears|Deaf|Earless|heed|Spoken"
    r"|Company|Spared|take_up|Outrun|Office|consent|Mistake|Talk|Listen|GRAIN|BURST|(?:MOST|LONGEST)_[A-Z_]+|\w*by_hand\w*)\b"
)


def check_files():
    names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in sorted(filter(None, names)):
        path = Path(name)
        if not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" in content:
            continue
        lines = content.decode("utf-8", "replace").splitlines()
        if path.name != "Cargo.lock":
            check_words(name, lines)
        if path.suffix == ".rs":
            check_source(path, lines)


def check_words(name, lines):
    for number, line in enumerate(lines, 1):
        for what, pattern in STRAY_WORDS.items():
            if found := pattern.search(line):
                fault(f"{name}:{number}", f"{what}: {found.group()}")


def check_source(path, lines):
    if len(lines) > MAX_FILE:
        fault(path, f"{len(lines)} lines, and {MAX_FILE} is the most that is read in one sitting")
    elif len(lines) > LONG_FILE:
        print(f"warning: {path}: {len(lines)} lines; can it still be read in one sitting?")
    code = [COMMENT.sub("", line) for line in lines]
    check_wording(path, lines, code)
    # What pretends to be slow waits on tokio's paused clock; a story sets the time.
    if path.match("functions/*/tests/stories/*.rs") or path.parts[:2] in {("tests", "world"), ("tests", "stories"), ("tests", "binaries")}:
        for number, line in enumerate(code, 1):
            if re.search(r"(?<!fn )\bsleep\(", line):
                fault(f"{path}:{number}", "a test that sleeps; time is a value, so set it")
    if path.match("functions/*/src/main.rs"):
        if len(lines) > MAX_MAIN:
            fault(path, f"{len(lines)} lines, but main is wiring: at most {MAX_MAIN}")
        for number, line in enumerate(code, 1):
            if re.search(r"\bif\b", line):
                fault(f"{path}:{number}", "an `if`, but main is wiring: it decides nothing")


def check_wording(path, lines, code):
    before = ""
    for number, (line, bare) in enumerate(zip(lines, code), 1):
        comment = line[len(bare) :]
        if DOC_OPENER.match(line) and not DOC.match(before):
            fault(f"{path}:{number}", f"a doc comment that begins with a question: {line.strip()}")
        if found := VAGUE.search(comment):
            fault(f"{path}:{number}", f"say who it is: {found.group()}")
        if found := OTHER_NAMES.search(STRING.sub("", bare)):
            fault(f"{path}:{number}", f"the glossary has another word for it: {found.group()}")
        before = line


# --- what is set ---


def check_settings():
    """A setting that the template gives and no code reads would be changed in vain."""
    template = Path("template.yaml").read_text(encoding="utf-8")
    given = set(re.findall(r"^ {6,}([A-Z]+(?:_[A-Z]+)+): ", template, flags=re.MULTILINE))
    sources = [path for part in ("functions", "shared") for path in Path(part).rglob("*.rs")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    for name in sorted(given):
        if f'"{name}"' not in code:
            fault("template.yaml", f"sets {name}, which no function reads")


metadata = json.loads(run("cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"))
workspace_root = Path(metadata["workspace_root"])
check_imports(metadata["packages"], workspace_root)
check_circles(metadata["packages"], workspace_root)
check_links(metadata["packages"], workspace_root)
check_files()
check_settings()
if FAULTS:
    sys.exit("The borders are crossed:\n" + "\n".join(f"- {line}" for line in FAULTS))
print("the borders hold")
