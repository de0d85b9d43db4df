// A device of Muster with a key of its own: node device-key.mjs <registry> <serial> <file> [attempts]
// There is no secret: the private key is made here and never leaves the file.
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
  if (status === 200) return text;
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

// signatures

/** A compact JWS (RFC 7515), ES256. */
function signed(privateJwk, header, claims) {
  const text = [{ alg: "ES256", ...header }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const key = crypto.createPrivateKey({ key: privateJwk, format: "jwk" });
  return `${text}.${crypto.sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** What the registry just made stands for the time, which this device need not know. */
async function nonce() {
  return parsed(await call("POST", "/nonce"), "nonce").nonce;
}

// the file

/** Beside, forced to the disk, renamed: a power cut leaves the old file or the new one. */
function save(state) {
  const beside = `${file}.tmp`;
  fs.rmSync(beside, { force: true });
  const out = fs.openSync(beside, "wx", 0o600);
  fs.writeFileSync(out, JSON.stringify(state));
  fs.fsyncSync(out);
  fs.closeSync(out);
  fs.renameSync(beside, file);
  const directory = fs.openSync(path.dirname(path.resolve(file)), "r");
  fs.fsyncSync(directory);
  fs.closeSync(directory);
}

/** Never makes another key over a file that it cannot use: it may be the only copy of this one. */
function load() {
  if (!fs.existsSync(file)) return undefined;
  const state = JSON.parse(fs.readFileSync(file, "utf8"));
  if (state.serial !== serial || !state.privateKey) throw new Error(`${file} is not of ${serial}`);
  return state;
}

// the device

/** The key is on the disk before anybody hears of it, so a lost reply costs nothing: the same key gets the same answer again. */
function withKey() {
  const { privateKey } = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
  const state = { serial, privateKey: privateKey.export({ format: "jwk" }) };
  save(state);
  return state;
}

async function register(state) {
  const { d, ...publicKey } = state.privateKey;
  const identity = await patiently(async () => {
    const proof = signed(state.privateKey, { typ: "muster-proof+jwt" }, { serial, fleet: "default", aud: registry, nonce: await nonce() });
    const request = JSON.stringify({ serial, publicKey, proof });
    return parsed(await call("POST", "/register", { "Content-Type": "application/json" }, request), "deviceId", "key");
  });
  const registered = { ...state, deviceId: identity.deviceId, key: identity.key };
  save(registered);
  console.error(`registered as ${identity.deviceId}`);
  return registered;
}

/** private_key_jwt, RFC 7523. */
async function accessToken({ key, privateKey }) {
  const assertion = signed(
    privateKey,
    { typ: "JWT" },
    {
      iss: key,
      sub: key,
      aud: registry,
      jti: crypto.randomUUID(),
      exp: Math.floor(Date.now() / 1000) + 60,
      nonce: await nonce(), // with it, a wrong clock does not matter
    },
  );
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion,
  });
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  return parsed(await call("POST", "/token", headers, form.toString()), "access_token").access_token;
}

async function main() {
  if (!serial || !file) throw new Error("usage: node device-key.mjs <registry> <serial> <file> [attempts]");
  const { protocol, hostname } = new URL(registry);
  if (protocol !== "https:" && !["127.0.0.1", "localhost"].includes(hostname)) throw new Error("not without TLS");
  const state = load() ?? withKey();
  const identity = state.deviceId ? state : await register(state);
  console.error(`I am ${identity.deviceId}`); // known without a network from the second start on
  const token = await patiently(() => accessToken(identity));
  console.log(await patiently(() => call("GET", "/devices/me", { Authorization: `Bearer ${token}` })));
}

main().catch((e) => {
  console.error(e.message);
  process.exitCode = e instanceof Refused ? 1 : e instanceof Unavailable ? 3 : 4;
});
