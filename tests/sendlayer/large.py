"""The site, with one answer that is larger than all buffers on the way."""

from sendlayer.wsgi import application as site

CHUNK, CHUNKS = b"x" * 65_536, 512


def application(environ, start_response):
    if environ["PATH_INFO"] != "/large":
        return site(environ, start_response)
    start_response("200 OK", [("Content-Length", str(len(CHUNK) * CHUNKS))])
    return [CHUNK] * CHUNKS
