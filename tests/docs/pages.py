"""The pages of the documentation, and the commands on them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "client" / "README.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("docs/how-to/*.md")),
]
"""What a reader follows; decisions and the log of experiments say how things once were."""
PAGES = sorted({*GUIDES, *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")})


def name(page: Path) -> str:
    """Return a page's path below the repository, as the id of its test."""
    return str(page.relative_to(ROOT))


def shell_blocks(text: str) -> list[str]:
    """Return the blocks of a page that are to be pasted into a shell."""
    return re.findall(r"^```sh\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """Return what a page tells its reader to type, in blocks and within sentences."""
    lines = [line.split("  #")[0] for block in shell_blocks(text) for line in block.split("\n")]
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    return [line.strip() for line in [*lines, *spans]]
