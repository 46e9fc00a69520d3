"""A forward proxy that keeps every page which passes through it, so that a test knows exactly what was scraped.

With `accept` it asks for that format instead of the client's: Prometheus 2.42 prefers OpenMetrics and cannot be told otherwise.
"""
import gzip
import http.client
import http.server
import threading
import urllib.parse

HOP_BY_HOP = {"connection", "proxy-connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}


class RecordingProxy:
    def __init__(self, accept=None):
        self.accept = accept
        self.pages = {}  # host:port -> [(content type, body)], in the order of the answers
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.pass_on(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pass_on(self, request):
        url = urllib.parse.urlsplit(request.path)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        if self.accept is not None:
            headers["Accept"] = self.accept
        upstream = http.client.HTTPConnection(url.netloc, timeout=10)
        try:
            upstream.request("GET", url.path or "/", headers=headers)
            answer = upstream.getresponse()
            body = answer.read()
        except OSError as error:
            request.send_error(502, str(error))
            return
        finally:
            upstream.close()
        plain = gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body
        if answer.status == 200:
            page = (answer.headers.get("Content-Type", ""), plain.decode())
            self.pages.setdefault(url.netloc, []).append(page)
        request.send_response(answer.status)
        for name in ("Content-Type", "Content-Encoding"):
            if name in answer.headers:
                request.send_header(name, answer.headers[name])
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
