// A device of Muster: node device.mjs <registry> <serial> <file> [attempts]
// Registers once, keeps its credential in the file, gets an access token and prints what the registry knows of it.
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";

const [address, serial, file, attempts = "10"] = process.argv.slice(2);
const registry = address?.replace(/\/+$/, "");
const LONGEST = 300; // seconds

class Refused extends Error {}

class Unavailable extends Error {
  constructor(message, retryAfter = 0) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

// talking to the registry

/** Seconds, from either form of Retry-After; a date counts from the server's own Date, not from this device's clock. */
function retryAfter(headers) {
  const value = headers.get("retry-after");
  if (value === null) return 0;
  if (/^\d+$/.test(value)) return Number(value);
  const seconds = (Date.parse(value) - Date.parse(headers.get("date"))) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : LONGEST;
}

async function call(method, resource, headers, body) {
  let response, text;
  try {
    response = await fetch(registry + resource, {
      method,
      headers,
      body,
      redirect: "manual", // what lies behind one is not the registry
      signal: AbortSignal.timeout(30_000),
    });
    text = await response.text();
  } catch (e) {
    throw new Unavailable(`no answer (${e.cause?.code ?? e.name})`);
  }
  const { status } = response;
  if (status === 200) return { text, type: response.headers.get("content-type") ?? "" };
  if (status < 400 || status >= 500 || status === 408 || status === 429) {
    throw new Unavailable(`answered ${status}`, retryAfter(response.headers));
  }
  throw new Refused(`${resource} answered ${status}: ${text}`);
}

/** Repeats while the registry cannot be asked: full jitter, capped, and never before Retry-After. */
async function patiently(action) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (e) {
      if (!(e instanceof Unavailable) || attempt >= Number(attempts)) throw e;
      const range = Math.max(Math.min(LONGEST, 2 ** (attempt - 1)), Math.min(LONGEST, e.retryAfter / 2));
      const wait = e.retryAfter + (crypto.randomInt(1_000_000) / 1_000_000) * range;
      console.error(`${e.message}; again in ${wait.toFixed(1)} s`);
      await sleep(wait);
    }
  }
}

/** Not one timer: longer than 24 days would be no time at all. */
async function sleep(seconds) {
  for (let left = seconds * 1000; left > 0; left -= 86_400_000) {
    await new Promise((done) => setTimeout(done, Math.min(left, 86_400_000)));
  }
}

/** The members that must be there; anything else that came with 200 is not the registry's. */
function parsed(text, ...members) {
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Unavailable("answered what is no JSON");
  }
  if (!members.every((name) => typeof json?.[name] === "string")) throw new Unavailable("answered something else");
  return json;
}

// a reply that only this process can read, and that may be asked for again until it came through

function opened(jwe, own) {
  try {
    const [header, , iv, ciphertext, tag] = jwe.split(".");
    const { alg, enc, epk } = JSON.parse(Buffer.from(header, "base64url"));
    if (alg !== "ECDH-ES" || enc !== "A256GCM") throw new Error();
    const shared = crypto.diffieHellman({
      privateKey: own.privateKey,
      publicKey: crypto.createPublicKey({ key: epk, format: "jwk" }),
    });
    // The key derivation of RFC 7518 section 4.6.2, for 256 bits and no names of parties.
    const number = (n) => Buffer.from([0, 0, 0, n]);
    const key = crypto
      .createHash("sha256")
      .update(Buffer.concat([number(1), shared, number(7), Buffer.from(enc), number(0), number(0), Buffer.from([0, 0, 1, 0])]))
      .digest();
    const cipher = crypto.createDecipheriv("aes-256-gcm", key, Buffer.from(iv, "base64url"), { authTagLength: 16 });
    cipher.setAAD(Buffer.from(header, "ascii"));
    cipher.setAuthTag(Buffer.from(tag, "base64url"));
    return Buffer.concat([cipher.update(Buffer.from(ciphertext, "base64url")), cipher.final()]).toString("utf8");
  } catch {
    throw new Unavailable("answered what cannot be opened");
  }
}

async function register() {
  const own = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
  const request = JSON.stringify({
    serial,
    requestId: crypto.randomUUID(),
    replyKey: own.publicKey.export({ format: "jwk" }),
  });
  const identity = await patiently(async () => {
    const reply = await call("POST", "/register", { "Content-Type": "application/json" }, request);
    return parsed(opened(reply.text, own), "deviceId", "key", "secret");
  });
  save({ ...identity, serial });
  console.error(`registered as ${identity.deviceId}`);
  return identity;
}

// the file

/** Beside, forced to the disk, renamed: a power cut leaves the old file or the new one. */
function save(identity) {
  const beside = `${file}.tmp`;
  fs.rmSync(beside, { force: true });
  const out = fs.openSync(beside, "wx", 0o600);
  fs.writeFileSync(out, JSON.stringify(identity));
  fs.fsyncSync(out);
  fs.closeSync(out);
  fs.renameSync(beside, file);
  const directory = fs.openSync(path.dirname(path.resolve(file)), "r");
  fs.fsyncSync(directory);
  fs.closeSync(directory);
}

/** Never registers over a file that it cannot use: it may be the only copy of a credential. */
function load() {
  if (!fs.existsSync(file)) return undefined;
  const identity = JSON.parse(fs.readFileSync(file, "utf8"));
  if (identity.serial !== serial || !identity.key || !identity.secret) throw new Error(`${file} is not of ${serial}`);
  return identity;
}

// the device

async function accessToken({ key, secret }) {
  // Both are letters, digits, - and _, which need no quoting here.
  const basic = Buffer.from(`${key}:${secret}`).toString("base64");
  const reply = await call(
    "POST",
    "/token",
    { Authorization: `Basic ${basic}`, "Content-Type": "application/x-www-form-urlencoded" },
    "grant_type=client_credentials",
  );
  return parsed(reply.text, "access_token").access_token;
}

async function main() {
  if (!serial || !file) throw new Error("usage: node device.mjs <registry> <serial> <file> [attempts]");
  const { protocol, hostname } = new URL(registry);
  if (protocol !== "https:" && !["127.0.0.1", "localhost"].includes(hostname)) throw new Error("not without TLS");
  const identity = load() ?? (await register());
  console.error(`I am ${identity.deviceId}`); // known without a network from the second start on
  const token = await patiently(() => accessToken(identity));
  const me = await patiently(() => call("GET", "/devices/me", { Authorization: `Bearer ${token}` }));
  console.log(me.text);
}

main().catch((e) => {
  console.error(e.message);
  process.exitCode = e instanceof Refused ? 1 : e instanceof Unavailable ? 3 : 4;
});
