"""What a reply rests on beside its conversation, each as a short word that changes with it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from opsbot import __version__
from opsbot.retrieval.knowledge import Knowledge
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.wire import show_tool

INDEX, POLICY, TOOLS, PROGRAM, EMBEDDED = "index", "policy", "tools", "program", "embedded"
"""The keys: articles, rules, declarations of tools, opsbot itself, its embedded model."""
_SHOWN = 8
"""Characters of a hash: enough to tell two apart."""
_LOCAL = "local"


def versions_of(
    knowledge: Knowledge, policy: str, tools: Mapping[str, AnyTool], *, encoder: str
) -> Callable[[], dict[str, Any]]:
    """Return what tells the versions of now; only the articles change while a process runs.

    `encoder` is the key of the encoder that the embedded model understands with. The first time
    takes some hundredths of a second: our own files are read.
    """

    @cache
    def fixed() -> dict[str, Any]:
        return {
            POLICY: policy,
            TOOLS: tools_version(tools),
            EMBEDDED: f"{_hash_files(local=True)}-{_hash(encoder.encode())}",
            PROGRAM: f"{__version__}-{_hash_files(local=False)}",
        }

    return lambda: {INDEX: knowledge.version(), **fixed()}


def tools_version(tools: Mapping[str, AnyTool]) -> str:
    """Return a word that changes with any declaration of a tool."""
    declared = [[show_tool(tools[name]), tools[name].schema] for name in sorted(tools)]
    return _hash(json.dumps(declared, sort_keys=True, default=str).encode())


def _hash_files(*, local: bool) -> str:
    """Return the hash of the files that understand and word: the embedded model's, or the rest."""
    folder = Path(str(files("opsbot.conversation")))
    paths = sorted(path for path in folder.rglob("*") if path.suffix not in {"", ".pyc"})
    chosen = (one for one in paths if (_LOCAL in one.relative_to(folder).parts) is local)
    return _hash(b"\0".join(path.read_bytes() for path in chosen))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_SHOWN]
