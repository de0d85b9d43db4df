#!/usr/bin/env python3
"""Receives webhooks of Muster and approves every device that asks.

Needs MUSTER_URL, MUSTER_FLEET, MUSTER_TOKEN (an operator with approvals:read and approvals:write) and WEBHOOK_SECRET.
"""
import base64, hashlib, hmac, json, os, time, urllib.parse, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
APPROVALS = f"{os.environ['MUSTER_URL']}/api/v1/fleets/{os.environ['MUSTER_FLEET']}/approvals"


def is_signed(headers, body):
    """Checks that Muster sent this, and not long ago."""
    if abs(time.time() - int(headers["webhook-timestamp"])) > 300:
        return False
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    right = "v1," + base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(right, one) for one in headers["webhook-signature"].split(" "))


def ask(url, body=None):
    headers = {"Authorization": "Bearer " + os.environ["MUSTER_TOKEN"], "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=5) as answer:
        return json.load(answer)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not is_signed(self.headers, body):
            self.send_response(401)
            self.end_headers()
            return
        event = json.loads(body)
        print(event["type"], event["data"].get("serial", ""), flush=True)
        if event["type"] == "approval-requested":
            serial = urllib.parse.quote(event["data"]["serial"], safe="")
            for entry in ask(f"{APPROVALS}?state=waiting&serial={serial}")["approvals"]:
                ask(f"{APPROVALS}/{entry['id']}/approve", b"{}")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "9000"))), Receiver).serve_forever()
