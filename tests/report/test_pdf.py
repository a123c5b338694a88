"""The PDF: the same brief on paper, with case text that is never markup."""

import dataclasses
import json
import re
import shutil
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from foedus.report import pdf
from foedus.report.document import Brief, Items, Paragraph, Section, Table, parts_of

Make = Callable[..., Brief]
Poison = Callable[[Brief, str], Brief]
TEMPLATE = Path(pdf.__file__).parent / "templates" / pdf.TEMPLATE

HOSTILE = {
    "evaluates": '#eval("1 + 1") #panic("no") #read("/etc/passwd") #sys.version',
    "imports": '#import "@preview/cetz:0.3.0": * \n#include "/etc/passwd"',
    "markup": "= A heading\n\n== Another\n*bold* _it_ `raw` $x^2$ <label> @ref [a](b) // c /* d",
    "closes": '"] }) \\" ]]> </svg><script>alert(1)</script>',
    "long word": "w" * 400,
    "other scripts": "\u202eשלום \u2066مرحبا\u2069 Қазақстан 漢字 😀 \u200f",
    "control characters": "a\x00b\x1b[31mc\x7f\ud800d",
    "a link": "javascript:alert(1)",
}


def streams(made: bytes) -> bytes:
    """Return everything that a PDF says of itself, with its streams unpacked."""
    parts = [made]
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made, re.DOTALL):
        try:
            parts.append(zlib.decompress(packed))
        except zlib.error:
            continue
    return b"\n".join(parts)


def headings(brief: Brief) -> list[tuple[int, str]]:
    """Return the level and text of all headings, as typst sees them."""
    import typst

    found = json.loads(
        typst.Compiler(
            input=TEMPLATE, root=TEMPLATE.parent, ignore_system_fonts=True,
            sys_inputs={"brief": json.dumps(pdf.plain(brief))},
        ).query("heading")
    )  # fmt: skip
    return [(h["level"], str(h["body"].get("text", ""))) for h in found]


def test_equal_briefs_give_equal_bytes(make_brief: Make) -> None:
    made = pdf.render_pdf(make_brief())
    assert made.startswith(b"%PDF-")
    assert made == pdf.render_pdf(make_brief())
    assert b"CreationDate" not in streams(made)


def test_it_is_tagged_for_screen_readers_and_charts_have_alternatives(make_brief: Make) -> None:
    said = streams(pdf.render_pdf(make_brief()))
    assert b"pdfuaid:part" in said
    assert said.count(b"/Alt") >= 4  # one for each chart
    assert b"/Lang" in said


def test_the_sections_are_those_of_the_page(make_brief: Make) -> None:
    assert [text for level, text in headings(make_brief()) if level == 2] == [
        "Answers",
        "Day by day",
        "Which explanation does the record support?",
        "What if one decision had been different?",
        "What to look for next",
        "Which past cases is it most like?",
        "The evidence and its sources",
        "Method, and how far to trust it",
        "How to make this again",
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_case_text_is_never_markup(make_brief: Make, poisoned: Poison, name: str) -> None:
    brief = poisoned(make_brief(), HOSTILE[name])
    said = streams(pdf.render_pdf(brief))
    for action in (b"/JavaScript", b"/JS", b"/Launch", b"/EmbeddedFile", b"/URI"):
        assert action not in said
    plain = [level for level, _ in headings(make_brief())]
    assert [level for level, _ in headings(brief)] == plain


def test_only_addresses_of_pages_are_links(make_brief: Make) -> None:
    for address, count in (("https://example.org/a?b=c", 1), ("file:///etc/passwd", 0)):
        said = streams(pdf.render_pdf(make_brief(address=address)))
        assert len(re.findall(rb"/URI\s*\(", said)) == count


def test_the_template_evaluates_imports_and_reads_nothing() -> None:
    code = re.sub(r"//.*", "", TEMPLATE.read_text(encoding="utf-8"))
    for word in ("eval(", "import ", "include ", "read(", "plugin(", "@preview", 'mode: "markup"'):
        assert word not in code


def test_a_refusal_and_an_empty_brief(make_brief: Make) -> None:
    bare = dataclasses.replace(
        make_brief(),
        setback=(
            Paragraph("No answer: too few runs.", strong=True),
            Items(("Make more runs.",)),
        ),
        sections=(Section((), "Answers", name="answers"),),
    )
    assert pdf.render_pdf(bare).startswith(b"%PDF-")
    assert next(t for level, t in headings(bare) if level == 2) == "Answers"


def test_direction_marks_and_control_characters_are_taken_out() -> None:
    assert pdf.clean({"a": ["b\u202ec\x00\n", 1, None]}) == {"a": ["bc\n", 1, None]}


def test_write_leaves_one_whole_file(make_brief: Make, tmp_path: Path) -> None:
    path = pdf.write(make_brief(), tmp_path / "deep" / "brief.pdf")
    assert path.read_bytes().rstrip().endswith(b"%%EOF")
    assert [p.name for p in path.parent.iterdir()] == ["brief.pdf"]


def test_the_answers_are_on_page_one(make_brief: Make, tmp_path: Path) -> None:
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("no pdftotext on this machine")
    path = pdf.write(make_brief(), tmp_path / "brief.pdf")
    done = subprocess.run([reader, "-layout", path, "-"], capture_output=True, check=True)
    first, second, *_ = done.stdout.decode("utf-8").split("\f")
    for table in parts_of(make_brief().sections[:1], Table):
        for question, *_ in table.rows:
            assert str(question) in first
    assert "93% ± 1" in first
    assert "Day by day" in second
