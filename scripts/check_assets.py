"""Fail when web/static is older than web/src. Needs no Node: the build notes what it read."""

import hashlib
import json
import sys
from pathlib import Path

WEB = Path(__file__).parents[1] / "web"


def hash_sources() -> str:
    """Return the hash that web/build.mjs writes into the manifest."""
    inside = [path for path in (WEB / "src").rglob("*") if path.is_file()]
    paths = [*inside, WEB / "build.mjs", WEB / "package-lock.json"]
    sources = hashlib.sha256()
    for name in sorted(path.relative_to(WEB).as_posix() for path in paths):
        content = hashlib.sha256((WEB / name).read_bytes()).hexdigest()
        sources.update(f"{name}\n{content}\n".encode())
    return sources.hexdigest()


def find_changed() -> list[str]:
    """Return the names of built files that are missing, or not as they were built."""
    files = json.loads((WEB / "static" / "manifest.json").read_bytes())["files"]
    return [
        name
        for name, hash_ in files.items()
        if not (WEB / "static" / name).is_file()
        or hashlib.sha256((WEB / "static" / name).read_bytes()).hexdigest()[:16] != hash_
    ]


def main() -> int:
    """Say whether the built files are fresh."""
    manifest = json.loads((WEB / "static" / "manifest.json").read_bytes())
    changed = find_changed()
    if changed or manifest["sources"] != hash_sources():
        what = ", ".join(changed) or "web/src has changed since"
        print(f"web/static is not fresh: {what}. Run `npm ci && npm run build` in web/.")
        return 1
    print("web/static is fresh.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
