"""A server on loopback that behaves like an owner's: a public bucket with listings and ranges, and what goes wrong."""

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 7  # keys of a listing before it goes on in another


class Owner:
    """Serves {key: bytes}.

    faults : {key: "stall" (half, then silence), "cut" (half, then closed), "forbidden", "wrong" (other bytes)}; the
        first two happen once.
    ranges : whether parts are served.
    asked : (key, Range header) of every request for a file.
    """

    def __init__(self, content, parts=()):
        self.content, self.faults, self.ranges, self.asked = dict(content), {}, True, []
        self.parts = set(parts)  # uploaded in parts: the tag is no MD5
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                address = urlsplit(self.path)
                if "list-type" in address.query:
                    return self._send(200, owner.listing(parse_qs(address.query)))
                return owner.serve(self, unquote(address.path[1:]))

            def _send(self, status, body, **headers):
                self.send_response(status)
                for name, value in {"Content-Length": len(body), **headers}.items():
                    self.send_header(name.replace("_", "-"), str(value))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def listing(self, asked) -> bytes:
        prefix, start = asked["prefix"][0], int(asked.get("continuation-token", ["0"])[0])
        keys = sorted(k for k in self.content if k.startswith(prefix) and "/" not in k[len(prefix) :])
        page, more = keys[start : start + PAGE], start + PAGE < len(keys)
        files = "".join(
            f"<Contents><Key>{escape(k)}</Key><Size>{len(self.content[k])}</Size><ETag>{self.tag(k)}</ETag></Contents>"
            for k in page
        )
        token = f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>" if more else ""
        return (
            '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{files}</ListBucketResult>"
        ).encode()

    def tag(self, key) -> str:
        digest = hashlib.md5(self.content[key]).hexdigest()
        return f"&quot;{digest}{'-3' if key in self.parts else ''}&quot;"

    def serve(self, handler, key):
        part, fault = handler.headers.get("Range"), self.faults.get(key)
        self.asked.append((key, part))
        if key not in self.content or fault == "forbidden":
            return handler._send(403, b"<Error><Code>AccessDenied</Code></Error>")
        body = self.content[key]
        if fault == "wrong":
            body = bytes(255 - b for b in body)
        start = int(part.removeprefix("bytes=").rstrip("-")) if part and self.ranges else 0
        if start >= len(body):
            return handler._send(416, b"")
        rest = body[start:]
        if fault not in ("stall", "cut"):
            headers = {"Content_Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
            return handler._send(206 if start else 200, rest, **headers)
        del self.faults[key]
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(rest)))
        handler.end_headers()
        handler.wfile.write(rest[: len(rest) // 2])
        handler.wfile.flush()
        if fault == "stall":
            time.sleep(1)
        handler.close_connection = True
