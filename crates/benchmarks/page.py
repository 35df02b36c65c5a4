"""The parts of reports/benchmarks.md, each of which is made by itself."""

from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "reports" / "benchmarks.md"
SPEED, SIZES = "# How long it takes at scale", "## Shops of other sizes, whole"
PARTS = (SPEED, SIZES)


def part(title):
    """The part under a title, to the next; nothing where it is not there."""
    text = PAGE.read_text() if PAGE.exists() else ""
    begin = text.find(title)
    if begin < 0:
        return ""
    ends = [end for other in PARTS if (end := text.find(other, begin + len(title))) >= 0]
    return text[begin : min(ends, default=len(text))].rstrip() + "\n"


def write_part(title, text):
    """Puts a part in the place of the one under its title; the others stay."""
    parts = [text.rstrip() + "\n" if other == title else part(other) for other in PARTS]
    PAGE.write_text("\n".join(each for each in parts if each))
