"""What the executable's file is made of: how it is hardened, what of its build is left in it, and that it still is an
archive."""

from __future__ import annotations

import platform
import re
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from elftools.elf.constants import P_FLAGS
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from tests.containers.engine import ROOT
from tests.harness.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elftools.elf.sections import Section
    from elftools.elf.segments import Segment

    from tests.standalone.tools import Tools

NOW, BIND_NOW, PIE = 0x1, 0x8, 0x08000000  # DF_1_NOW, DF_BIND_NOW, DF_1_PIE of elf.h
# mov %fs:0x28,%rax and the like: where a function of x86_64 gets the canary from.
CANARY = re.compile(rb"\x64[\x48\x4c]\x8b[\x04\x0c\x14\x1c\x24\x2c\x34\x3c]\x25\x28\0\0\0")


@pytest.fixture(params=["x86_64", "aarch64"])
def file(request: pytest.FixtureRequest, executable: Path) -> Path:
    """The executable for each architecture that there is one for, beside the one under test."""
    beside = executable.with_name(f"run-lambda-entrypoint-{request.param}")
    if not beside.is_file():
        pytest.skip(f"no {beside.name} beside {executable}; make standalone ARCHITECTURES='x86_64 aarch64' makes both")
    return beside


@pytest.fixture
def elf(file: Path) -> Iterator[ELFFile]:
    """Its headers."""
    with file.open("rb") as opened:
        yield ELFFile(opened)


def segments(elf: ELFFile, kind: str) -> list[Segment]:
    return [segment for segment in elf.iter_segments() if segment["p_type"] == kind]


def section(elf: ELFFile, name: str) -> Section:
    found = elf.get_section_by_name(name)
    assert found, f"no section {name}"
    return found


def dynamic(elf: ELFFile) -> dict[str, int]:
    """The entries of the dynamic section."""
    return {
        tag.entry.d_tag: tag.entry.d_val
        for segment in elf.iter_segments()
        if isinstance(segment, DynamicSegment)
        for tag in segment.iter_tags()
    }


def test_it_needs_no_loader_and_no_library(elf: ELFFile) -> None:
    assert (segments(elf, "PT_INTERP"), {"DT_NEEDED", "DT_RPATH", "DT_RUNPATH"} & dynamic(elf).keys()) == ([], set())


def test_its_addresses_are_random(elf: ELFFile) -> None:
    """It is a position-independent executable, and no relocation writes to its code."""
    entries = dynamic(elf)

    assert (elf["e_type"], entries["DT_FLAGS_1"] & PIE, "DT_TEXTREL" in entries) == ("ET_DYN", PIE, False)


def test_its_relocations_are_read_only(elf: ELFFile) -> None:
    """All of them, since all are bound at the start."""
    entries = dynamic(elf)
    protected = segments(elf, "PT_GNU_RELRO")

    assert (len(protected), entries["DT_FLAGS"] & BIND_NOW, entries["DT_FLAGS_1"] & NOW) == (1, BIND_NOW, NOW)


def test_its_table_of_addresses_is_among_what_is_read_only(elf: ELFFile) -> None:
    [protected] = segments(elf, "PT_GNU_RELRO")
    table = section(elf, ".got")
    start, end = protected["p_vaddr"], protected["p_vaddr"] + protected["p_memsz"]

    assert start <= table["sh_addr"] <= table["sh_addr"] + table["sh_size"] <= end


def test_its_stack_is_not_executable(elf: ELFFile) -> None:
    assert [segment["p_flags"] for segment in segments(elf, "PT_GNU_STACK")] == [P_FLAGS.PF_R | P_FLAGS.PF_W]


def test_no_memory_is_writable_and_executable(elf: ELFFile) -> None:
    both = P_FLAGS.PF_W | P_FLAGS.PF_X

    assert [segment for segment in elf.iter_segments() if segment["p_flags"] & both == both] == []


def test_its_functions_check_their_stack(executable: Path) -> None:
    """On x86_64, where that shows in a stripped file: the canary is read at the start and at the end."""
    with executable.open("rb") as opened:
        elf = ELFFile(opened)
        if elf["e_machine"] != "EM_X86_64":
            pytest.skip(f"{executable} is not for x86_64")
        count = len(CANARY.findall(section(elf, ".text").data()))

    assert count > 5_000  # about 7,000: without those of CPython it would be 2,500, without those of OpenSSL 4,500


def test_it_is_stripped(elf: ELFFile) -> None:
    named = {section.name for section in elf.iter_sections()}

    assert {name for name in named if name == ".symtab" or name.startswith(".debug")} == set()


def test_it_names_no_folder_of_its_build(file: Path) -> None:
    """In code, nor in the archive."""
    folders = {ROOT, Path(sys.prefix), Path.home(), Path(tempfile.gettempdir())}
    texts = [f"{folder}/".encode() for folder in folders if folder != Path("/")]
    with zipfile.ZipFile(file) as archive:
        parts = {"": file.read_bytes(), **{name: archive.read(name) for name in archive.namelist()}}

    assert [(name, text) for name, content in parts.items() for text in texts if text in content] == []


def test_unzip_finds_nothing_wrong(file: Path, tools: Tools) -> None:
    ended = run([*tools.unzip, "-tq", file])

    assert (ended.status, ended.stdout.decode(), ended.stderr) == (
        0,
        f"No errors detected in compressed data of {file}.\n",
        b"",
    )


def test_a_python_can_run_it_as_an_archive(file: Path) -> None:
    ended = run([sys.executable, file, "--version"])

    assert (ended.status, f"CPython {platform.python_version()}" in ended.stdout.decode(), ended.stderr) == (
        0,
        True,
        b"",
    )
