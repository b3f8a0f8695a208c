# A server as users write them: it listens on PORT, answers in JSON, and leaves when it is asked to.
import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"language": "python", "revision": os.environ["K_REVISION"], "user": os.getuid()}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("python is up", flush=True)
ThreadingHTTPServer(("", int(os.environ["PORT"])), Answer).serve_forever()
