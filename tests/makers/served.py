"""What ``requests.get`` returns, as far as downloads use it, for content in the place of the network."""

import requests


class Served:
    """A whole answer in pieces of some bytes; a piece that reads LINEGON breaks the connection."""

    status_code = 200

    def __init__(self, content: bytes, piece: int):
        self.content, self.piece = content, piece

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def raise_for_status(self):
        pass

    def iter_content(self, size):
        for start in range(0, len(self.content), self.piece):
            if self.content[start : start + self.piece] == b"LINEGON":
                raise requests.ConnectionError("reset by peer")
            yield self.content[start : start + self.piece]
