"""A mailbox server for tests: the few IMAP commands that opsbot uses, over a real socket."""

import re
import socket
import threading
from dataclasses import dataclass, field
from io import BufferedRWPair
from typing import Any, Self

_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")


@dataclass
class Folder:
    """Messages by UID, in order."""

    uid_validity: int = 7
    next_uid: int = 1
    messages: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def add(self, raw: bytes, *, seen: bool = False) -> int:
        """Put in a message and return its UID."""
        uid, self.next_uid = self.next_uid, self.next_uid + 1
        self.messages[uid] = raw
        if seen:
            self.seen.add(uid)
        return uid


class ImapServer:
    """Serves one user until the block ends."""

    user = "shop"
    password = "secret"  # noqa: S105  (of a server that lives as long as a test)

    def __init__(self) -> None:
        self.folders = {"INBOX": Folder(), "Drafts": Folder()}
        self.commands: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone does not wake a thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]  # a method
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream:
            Dialogue(self, stream).run()


class Dialogue:
    """One connection."""

    def __init__(self, server: ImapServer, stream: "BufferedRWPair[Any, Any]") -> None:
        self._server = server
        self._stream = stream
        self._folder = Folder()

    def run(self) -> None:
        """Answer commands until the client leaves."""
        self._say(b"* OK [CAPABILITY IMAP4rev1] ready")
        while line := self._stream.readline():
            tag, _, rest = line.partition(b" ")
            words = rest.decode(errors="replace").strip()
            self._server.commands.append(words.split()[0].upper())
            if words.upper().startswith("LOGOUT"):
                self._say(b"* BYE bye")
                self._say(tag + b" OK done")
                return
            self._say(tag + b" " + self._answer(words, rest))

    def _say(self, line: bytes) -> None:
        self._stream.write(line + b"\r\n")
        self._stream.flush()

    def _answer(self, words: str, raw: bytes) -> bytes:
        name, _, rest = words.partition(" ")
        answer = getattr(self, f"_{name.lower()}", None)
        return b"BAD unknown command" if answer is None else bytes(answer(rest, raw))

    def _capability(self, _rest: str, _raw: bytes) -> bytes:
        self._say(b"* CAPABILITY IMAP4rev1")
        return b"OK done"

    def _login(self, rest: str, _raw: bytes) -> bytes:
        right = rest.replace('"', "") == f"{self._server.user} {self._server.password}"
        return b"OK done" if right else b"NO [AUTHENTICATIONFAILED] wrong password"

    def _status(self, rest: str, _raw: bytes) -> bytes:
        folder = self._server.folders[rest.split(maxsplit=1)[0].strip('"')]
        self._say(b"* STATUS INBOX (UIDVALIDITY %d)" % folder.uid_validity)
        return b"OK done"

    def _examine(self, rest: str, _raw: bytes) -> bytes:
        self._folder = self._server.folders[rest.strip('"')]
        self._say(b"* %d EXISTS" % len(self._folder.messages))
        self._say(b"* OK [UIDVALIDITY %d]" % self._folder.uid_validity)
        return b"OK [READ-ONLY] done"

    def _uid(self, rest: str, _raw: bytes) -> bytes:
        name, _, rest = rest.partition(" ")
        return self._search(rest) if name.upper() == "SEARCH" else self._fetch(rest)

    def _search(self, rest: str) -> bytes:
        messages = self._folder.messages
        if "UNSEEN" in rest:
            found = [uid for uid in messages if uid not in self._folder.seen]
        else:
            first = int(rest.rpartition("UID ")[2].partition(":")[0])
            # RFC 3501: a range that ends in * holds the last message in any case.
            found = [uid for uid in messages if uid >= first] or list(messages)[-1:]
        self._say(b"* SEARCH " + " ".join(map(str, found)).encode())
        return b"OK done"

    def _fetch(self, rest: str) -> bytes:
        uid, _, parts = rest.partition(" ")
        match = re.search(r"BODY\.PEEK\[\]<0\.(\d+)>", parts)
        raw = self._folder.messages.get(int(uid))
        if match is None:
            return b"BAD not a peek"
        if raw is not None:
            raw = raw[: int(match.group(1))]
            self._stream.write(b"* 1 FETCH (UID %s BODY[]<0> {%d}\r\n" % (uid.encode(), len(raw)))
            self._stream.write(raw)
            self._say(b")")
        return b"OK done"

    def _append(self, rest: str, raw: bytes) -> bytes:
        match = _LITERAL.search(raw)
        assert match is not None
        self._say(b"+ go on")
        content = self._stream.read(int(match.group(1)))
        self._stream.readline()
        folder = self._server.folders.get(rest.split(maxsplit=1)[0].strip('"'))
        if folder is None:
            return b"NO [TRYCREATE] no such folder"
        folder.add(content)
        return b"OK done"
