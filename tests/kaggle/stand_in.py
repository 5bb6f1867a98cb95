"""Kaggle's HTTP API on loopback, as far as its client 2.2.4 asks it: the files, uploads, submissions, and refusals.

KAGGLE_API_ENVIRONMENT=LOCALHOST makes the client ask http://localhost, whose port 80 few may open; but requests heeds
http_proxy, and so every address comes here, to a free port, as a proxy would get it. (The environment TEST, which is
localhost:7777 in Kaggle's library, is not to be had from the command line of 2.2.4.)
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

TOKEN = "KGAT_0123456789abcdef0123456789abcdef"
USER, KEY = "somebody", "fedcba9876543210fedcba9876543210"
REFRESH = "refresh-8899aabbccddeeff"
STORE = "http://store.kaggle.test"
SIGNATURE = "signature=5161626364656667"  # what lets anybody fetch from or write to the store: nothing to show

Reply = tuple[int, dict[str, Any]]


@dataclass
class StandIn:
    """What Kaggle has and does. Tests set the fields and read `calls` and `uploads` afterwards.

    refusals: by method, the status and the message that it is answered with, plain where the message is empty.
    cuts: after how many bytes the next fetches of the archive break off. looks: how often a submission is listed as
    pending before it is `verdict`. stored, store: the status that an upload to the store, a fetch from it get.
    """

    archive: bytes = b""
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    looks: int = 0
    verdict: str = "COMPLETE"
    stored: int = 200
    store: int = 200
    submissions: list[dict[str, Any]] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    address: str = ""

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.archive).hexdigest()[:16]}"'

    def lets_in(self, authorization: str) -> bool:
        basic = base64.b64encode(f"{USER}:{KEY}".encode()).decode()
        return authorization in (f"Bearer {TOKEN}", f"Basic {basic}")

    def add(self, name: str, message: str, **facts: object) -> dict[str, Any]:
        """A submission that came now, by this clock of one tick a submission."""
        number = len(self.submissions) + 1
        made = {"ref": number, "date": f"2026-01-01T00:00:{number:02}.1234567Z", "status": "PENDING", "looks": 0}
        self.submissions.insert(0, {**made, "fileName": name, "description": message, **facts})
        return self.submissions[0]

    def listed(self) -> list[dict[str, Any]]:
        for one in self.submissions:
            if one["status"] == "PENDING":
                one["looks"] += 1
                if one["looks"] > self.looks:
                    one |= {"status": self.verdict}
                    if self.verdict == "COMPLETE":
                        one |= {"publicScore": "1.54321", "privateScore": "1.29876"}
        return [{key: value for key, value in one.items() if key != "looks"} for one in self.submissions]

    def answer(self, method: str, body: dict[str, Any], authorization: str) -> Reply:
        """What a method of the API answers."""
        self.calls.append(method)
        if method in self.refusals:
            status, message = self.refusals[method]
            return status, {"code": status, "message": message} if message else {}
        if method == "IntrospectToken":
            return 200, {"active": body["token"] == TOKEN, "username": USER}
        if method == "GenerateAccessToken":
            known = body["refreshToken"] == REFRESH
            return (200, {"token": TOKEN, "expiresIn": 3600, "userName": USER}) if known else (401, {})
        if not self.lets_in(authorization):
            return 401, {"code": 401, "message": "Unauthenticated"}
        return 200, getattr(self, f"_{method}")(body)

    def _StartSubmissionUpload(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - the API's name
        token = f"blob-{len(self.uploads)}-{body['fileName']}"
        return {"token": token, "createUrl": f"{STORE}/upload/{token}?{SIGNATURE}"}

    def _CreateSubmission(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        token = body["blobFileTokens"]
        assert token in self.uploads
        made = self.add(token.split("-", 2)[2], body["submissionDescription"])
        return {"message": "Successfully submitted to Facial Keypoints Detection", "ref": made["ref"]}

    def _GetSubmissionLimits(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"numToday": 1, "numTotal": 1, "numAllowedNow": 9}

    def _ListSubmissions(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"submissions": self.listed()[: body.get("pageSize", 20)]}


class _Handler(BaseHTTPRequestHandler):
    """One request to the proxy that the client believes in: its path is a whole address."""

    server: "_Server"

    def do_POST(self) -> None:
        site = self.server.site
        method = urlsplit(self.path).path.rsplit("/", 1)[-1]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if method == "DownloadDataFiles" and method not in site.refusals:
            site.calls.append(method)
            if site.lets_in(self.headers["Authorization"] or ""):
                self._send(302, {"Location": f"{STORE}/data/bundle.zip?{SIGNATURE}"})
                return
        status, content = site.answer(method, body, self.headers["Authorization"] or "")
        if status >= 400 and not content:
            self._send(status, {"Content-Type": "text/html"}, b"<html>no</html>")
        else:
            self._send(status, {"Content-Type": "application/json"}, json.dumps(content).encode())

    def do_GET(self) -> None:
        site = self.server.site
        if site.store != 200:
            self._send(site.store, {})
            return
        start, status = 0, 200
        asked = self.headers["Range"]
        if asked and self.headers["If-Range"] in (None, site.etag):
            start, status = int(asked.removeprefix("bytes=").removesuffix("-")), 206
        site.calls.append(f"GET {start}")
        content = site.archive[start:]
        given = content[: max(0, site.cuts.pop(0) - start)] if site.cuts else content
        headers = {"Content-Type": "application/zip", "Accept-Ranges": "bytes", "ETag": site.etag}
        self._send(status, {**headers, "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}, given, len(content))

    def do_PUT(self) -> None:
        site = self.server.site
        content = self.rfile.read(int(self.headers["Content-Length"]))
        site.calls.append("PUT")
        if site.stored == 200:
            site.uploads[urlsplit(self.path).path.rsplit("/", 1)[-1]] = content
        self._send(site.stored, {})

    def _send(self, status: int, headers: dict[str, str], content: bytes = b"", length: int | None = None) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content) if length is None else length)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    site: StandIn


@contextmanager
def serving(site: StandIn) -> Iterator[StandIn]:
    """Answer for the site on a free port of loopback while the block runs."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.site = site
    site.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
