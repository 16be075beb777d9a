"""Tests .ci/release with small stand-ins for the programs."""

import hashlib
import importlib.machinery
import importlib.util
import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
import unittest
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ("checkup", "ingest", "park", "sweep")
VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["version"]
X86_64, ARM64, RISCV = 62, 183, 243


def script():
    """.ci/release as a module."""
    loader = importlib.machinery.SourceFileLoader("release", str(ROOT / ".ci/release"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("release", loader))
    loader.exec_module(module)
    return module


def program(name, machine=X86_64, glibc="2.34"):
    """The start of an ELF file for a machine, and the version of glibc that it names."""
    return b"\x7fELF" + bytes(14) + struct.pack("<H", machine) + f" {name} GLIBC_2.9 GLIBC_{glibc}\0".encode() * 50


class Release(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.binaries = self.folder / "binaries"
        self.binaries.mkdir()
        for name in (*FUNCTIONS, "janitor"):
            self.lay(name, program(name))

    def lay(self, name, content):
        (self.binaries / name).write_bytes(content)

    def run_script(self, *arguments, out="out", epoch="1700000000"):
        command = [sys.executable, ROOT / ".ci/release", *arguments, "--binaries", self.binaries, "--out", self.folder / out]
        environment = os.environ | ({"SOURCE_DATE_EPOCH": epoch} if epoch else {})
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    def release(self, *arguments, **options):
        done = self.run_script(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {path.name: path.read_bytes() for path in (self.folder / options.get("out", "out")).iterdir()}

    def refused(self, *arguments):
        done = self.run_script(*arguments)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(list(self.folder.glob("out/*")), [])
        return done.stderr

    def unpack(self, archive):
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            return {entry.name: (entry, tar.extractfile(entry).read()) for entry in tar}

    def functions(self, arch="x86_64"):
        name = f"channel-janitor-{VERSION}-{arch}"
        files = self.unpack(self.release("functions")[f"{name}.tar.gz"])
        return {path.removeprefix(f"{name}/"): content for path, (_, content) in files.items()}

    def test_the_same_programs_give_the_same_bytes(self):
        first = self.release(out="one")
        later = time.time() + 5_000
        for path in self.binaries.iterdir():
            os.utime(path, (later, later))
            path.chmod(0o700)
        self.assertEqual(self.release(out="two"), first)

    def test_a_change_of_one_byte_or_of_the_commit_s_time_shows(self):
        first = self.release("functions", out="one")
        self.assertNotEqual(self.release("functions", out="two", epoch="1700000002"), first)
        self.lay("park", program("park") + b"!")
        self.assertNotEqual(self.release("functions", out="three"), first)

    def test_every_file_bears_the_commit_s_time(self):
        commit = int(subprocess.check_output(["git", "log", "-1", "--format=%ct"], cwd=ROOT))
        for archive in self.release("functions", epoch="").values():
            self.assertEqual({entry.mtime for entry, _ in self.unpack(archive).values()}, {commit})

    def test_a_functions_archive_holds_what_sam_deploy_needs(self):
        files = self.functions()
        zips = {f"{name}.zip" for name in FUNCTIONS}
        pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
        texts = {"CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "samconfig.toml"} | pages
        self.assertEqual(set(files), zips | texts | {"template.yaml", "LICENSES-THIRD-PARTY"})
        for name in texts:
            self.assertEqual(files[name], (ROOT / name).read_bytes())

    def test_each_archive_holds_the_licences_of_what_is_built_in_and_of_nothing_else(self):
        functions = self.functions()["LICENSES-THIRD-PARTY"].decode()
        (archive,) = (content for name, content in self.release("command", out="command").items())
        files = self.unpack(archive)
        (command,) = (content.decode() for path, (_, content) in files.items() if path.endswith("/LICENSES-THIRD-PARTY"))
        locked = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))["package"]
        for name, in_functions, in_command in (
            ("aws-sdk-dynamodb", True, True),  # by store
            ("webpki-roots", True, True),  # by way of the TLS stack
            ("lambda_runtime", True, True),
            ("clap", False, True),
            ("proptest", False, False),  # for tests alone
        ):
            titles = [f"\n{one['name']} {one['version']} (" for one in locked if one["name"] == name]
            self.assertTrue(titles, f"{name} is still in use")
            for text, expected in ((functions, in_functions), (command, in_command)):
                self.assertEqual(any(title in text for title in titles), expected, name)
        for text in (functions, command):
            self.assertIn("Permission is hereby granted, free of charge", text)
            self.assertIn("TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION", text)
            self.assertNotIn("channel-janitor", text)
            self.assertNotIn(str(Path.home()), text)

    def test_each_zip_holds_one_program_that_can_be_run(self):
        files = self.functions()
        for name in FUNCTIONS:
            with zipfile.ZipFile(io.BytesIO(files[f"{name}.zip"])) as archive:
                (entry,) = archive.infolist()
                self.assertEqual(entry.filename, "bootstrap")
                self.assertEqual(entry.external_attr >> 16, 0o100755)
                self.assertEqual(archive.read(entry), program(name))

    def test_the_template_points_at_the_zips_and_is_else_the_same(self):
        lines = self.functions()["template.yaml"].decode().splitlines()
        original = (ROOT / "template.yaml").read_text(encoding="utf-8").splitlines()
        added = [line.strip() for line in lines if line not in original]
        # Two functions may run one program.
        self.assertEqual(set(added), {"Architectures: [x86_64]", *(f"CodeUri: {name}.zip" for name in FUNCTIONS)})
        gone = [line.strip() for line in original if line not in lines and not line.startswith("#")]
        self.assertEqual(set(gone), {"Architectures: [arm64]", *(f"CodeUri: target/lambda/{name}" for name in FUNCTIONS)})
        self.assertEqual(len(added), len(gone))
        self.assertFalse([line for line in lines if "cargo" in line])

    def test_the_architecture_is_that_of_the_programs(self):
        for name in FUNCTIONS:
            self.lay(name, program(name, ARM64))
        self.assertIn("Architectures: [arm64]", self.functions("arm64")["template.yaml"].decode())

    def test_what_lambda_could_not_start_is_refused(self):
        for content, why in (
            (program("sweep", ARM64), "several architectures"),
            (program("sweep", RISCV), "a machine that Lambda does not have"),
            (program("sweep", glibc="2.35"), "sweep needs glibc 2.35, and Lambda has 2.34"),
            (program("sweep", glibc="2.100"), "sweep needs glibc 2.100"),
            (b"#!/bin/sh\n" + bytes(30), "sweep is not a program for Linux"),
        ):
            with self.subTest(why):
                self.lay("sweep", content)
                self.assertIn(why, self.refused("functions"))

    def test_a_missing_program_is_refused(self):
        (self.binaries / "ingest").unlink()
        self.assertIn("ingest", self.refused("functions"))

    @unittest.skipIf(sys.platform == "win32", "the stand-in has no .exe")
    def test_the_command_s_archive_is_named_by_its_target(self):
        (name,) = self.release("command")
        target = subprocess.check_output(["rustc", "-vV"], text=True).split("host: ")[1].split()[0]
        self.assertEqual(name, f"janitor-{VERSION}-{target}.tar.gz")
        files = self.unpack((self.folder / "out" / name).read_bytes())
        entry, content = files[f"janitor-{VERSION}-{target}/janitor"]
        self.assertEqual((entry.mode, content), (0o755, program("janitor")))

    def test_the_sums_are_those_of_the_archives(self):
        files = self.release()
        sums = files.pop("SHA256SUMS").decode()
        self.assertEqual(len(files), 2)
        self.assertEqual(sums, "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)))

    def test_the_flex_plugin_has_the_same_version(self):
        for name in ("package.json", "package-lock.json"):
            self.assertEqual(json.loads((ROOT / "flex-plugin" / name).read_text(encoding="utf-8"))["version"], VERSION)

    def test_no_sums_of_nothing(self):
        self.assertIn("holds no archive", self.refused("sums"))

    def test_the_notes_are_the_version_s_section_of_the_changelog(self):
        notes = script().notes
        changelog = "# Changelog\n\n## [Unreleased]\n\n- c\n\n## [1.10.0] - 2027-01-01\n\n- b\n\n## [1.1.0]\n\n- a\n\n[1.1.0]: link\n"
        self.assertEqual(notes(changelog, "1.10.0"), "- b")
        self.assertEqual(notes(changelog, "1.1.0"), "- a")
        for missing in ("1.1", "2.0.0"):
            with self.assertRaisesRegex(SystemExit, f"no section for version {missing}"):
                notes(changelog, missing)
        with self.assertRaises(SystemExit):
            notes("## [1.0.0]\n\n## [0.9.0]\n\n- a\n", "1.0.0")


if __name__ == "__main__":
    unittest.main()
