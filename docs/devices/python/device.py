"""A device of Muster: python3 device.py <registry> <serial> <file> [attempts]

Registers once, keeps its credential in the file, gets an access token and prints what the registry knows of it. Needs nothing but
the standard library; where the package "cryptography" is there, the reply is sealed for this process alone.
"""

import base64
import email.utils
import hashlib
import http.client
import json
import os
import random
import secrets
import sys
import time
import urllib.parse

try:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:
    ec = None

LONGEST = 300  # seconds
PACE = random.SystemRandom()  # devices that start together must not draw the same


class Refused(Exception):
    pass


class Unavailable(Exception):
    def __init__(self, message, retry_after=0):
        super().__init__(message)
        self.retry_after = retry_after


# talking to the registry


def retry_after(response):
    """Seconds, from either form of Retry-After; a date counts from the server's own Date, not from this device's clock."""
    value = response.getheader("Retry-After")
    if value is None:
        return 0
    if value.isascii() and value.isdigit():
        return int(value)
    try:
        until = email.utils.parsedate_to_datetime(value)
        return max(0, (until - email.utils.parsedate_to_datetime(response.getheader("Date"))).total_seconds())
    except (TypeError, ValueError):
        return LONGEST


def call(registry, method, resource, headers, body=None):
    """Follows no redirect: what lies behind one is not the registry."""
    address = urllib.parse.urlsplit(registry)
    tls = address.scheme == "https"
    if not tls and (address.scheme != "http" or address.hostname not in ("127.0.0.1", "localhost")):
        raise ValueError("not without TLS")
    connection = (http.client.HTTPSConnection if tls else http.client.HTTPConnection)(address.netloc, timeout=30)
    try:
        connection.request(method, address.path.rstrip("/") + resource, body, headers)
        response = connection.getresponse()
        content = response.read(65536)
    except (OSError, http.client.HTTPException) as e:
        raise Unavailable("no answer (%s)" % type(e).__name__) from None
    finally:
        connection.close()
    if response.status == 200:
        return content
    if response.status < 400 or response.status >= 500 or response.status in (408, 429):
        raise Unavailable("answered %d" % response.status, retry_after(response))
    raise Refused("%s answered %d: %s" % (resource, response.status, content.decode("utf-8", "replace")))


def patiently(attempts, action):
    """Repeats while the registry cannot be asked: full jitter, capped, and never before Retry-After."""
    attempt = 1
    while True:
        try:
            return action()
        except Unavailable as e:
            if attempt >= attempts:
                raise
            reach = max(min(LONGEST, 2 ** (attempt - 1)), min(LONGEST, e.retry_after / 2))
            wait = e.retry_after + PACE.uniform(0, reach)
            print("%s; again in %.1f s" % (e, wait), file=sys.stderr)
        time.sleep(wait)
        attempt += 1


def parsed(content, *members):
    """The members must be there; anything else that came with 200 is not the registry's."""
    try:
        found = json.loads(content)
    except ValueError:
        raise Unavailable("answered what is no JSON") from None
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in members):
        raise Unavailable("answered something else")
    return found


# a reply that only this process can read, and that may be asked for again until it came through


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def octets(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def reply_key(own):
    numbers = own.public_key().public_numbers()
    x, y = (base64url(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def opened(jwe, own):
    try:
        header, _, iv, ciphertext, tag = jwe.decode("ascii").split(".")
        said = json.loads(octets(header))
        if (said["alg"], said["enc"]) != ("ECDH-ES", "A256GCM"):
            raise ValueError(said)
        x, y = (int.from_bytes(octets(said["epk"][part]), "big") for part in ("x", "y"))
        shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key())
        # The key derivation of RFC 7518 section 4.6.2, for 256 bits and no names of parties.
        party = bytes(4) + bytes(4) + (256).to_bytes(4, "big")
        key = hashlib.sha256(b"\0\0\0\1" + shared + b"\0\0\0\7A256GCM" + party).digest()
        return AESGCM(key).decrypt(octets(iv), octets(ciphertext) + octets(tag), header.encode())
    except Exception:
        raise Unavailable("answered what cannot be opened") from None


def register(registry, serial, file, attempts):
    request = {"serial": serial}
    own = ec and ec.generate_private_key(ec.SECP256R1())
    if own:
        request.update(requestId=secrets.token_urlsafe(), replyKey=reply_key(own))
    body = json.dumps(request)

    def attempt():
        reply = call(registry, "POST", "/register", {"Content-Type": "application/json"}, body)
        return parsed(opened(reply, own) if own else reply, "deviceId", "key", "secret")

    identity = dict(patiently(attempts, attempt), serial=serial)
    save(file, identity)
    print("registered as %s" % identity["deviceId"], file=sys.stderr)
    return identity


# the file


def save(file, identity):
    """Beside, forced to the disk, renamed: a power cut leaves the old file or the new one."""
    beside = file + ".tmp"
    if os.path.lexists(beside):
        os.remove(beside)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(identity, out)
        out.flush()
        os.fsync(out.fileno())
    os.replace(beside, file)
    directory = os.open(os.path.dirname(os.path.abspath(file)), os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


def load(file, serial):
    """Never registers over a file that it cannot use: it may be the only copy of a credential."""
    if not os.path.exists(file):
        return None
    with open(file, encoding="utf-8") as stored:
        identity = json.load(stored)
    if not isinstance(identity, dict) or identity.get("serial") != serial or not identity.get("key") or not identity.get("secret"):
        raise ValueError("%s is not of %s" % (file, serial))
    return identity


# the device


def access_token(registry, identity):
    # Both are letters, digits, - and _, which need no quoting here.
    basic = base64.b64encode(("%s:%s" % (identity["key"], identity["secret"])).encode()).decode()
    headers = {"Authorization": "Basic " + basic, "Content-Type": "application/x-www-form-urlencoded"}
    reply = call(registry, "POST", "/token", headers, "grant_type=client_credentials")
    return parsed(reply, "access_token")["access_token"]


def main(registry, serial, file, attempts="10"):
    identity = load(file, serial) or register(registry, serial, file, int(attempts))
    print("I am %s" % identity["deviceId"], file=sys.stderr)  # known without a network from the second start on
    token = patiently(int(attempts), lambda: access_token(registry, identity))
    me = {"Authorization": "Bearer " + token}
    print(patiently(int(attempts), lambda: call(registry, "GET", "/devices/me", me)).decode())


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit("usage: python3 device.py <registry> <serial> <file> [attempts]")
    try:
        main(*sys.argv[1:])
    except (Refused, Unavailable, OSError, ValueError) as failure:
        print(failure, file=sys.stderr)
        sys.exit({Refused: 1, Unavailable: 3}.get(type(failure), 4))
