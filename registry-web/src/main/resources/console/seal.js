// SPDX-License-Identifier: Apache-2.0
// Checks a receipt of the sealed record as docs/record.md says, with what every browser has. It asks nobody.

const encoder = new TextEncoder();

/** JSON as RFC 8785 writes it, for what receipts have: texts, whole numbers, booleans, null, lists and objects. */
export function canonical(value) {
    if (Array.isArray(value)) {
        return '[' + value.map(canonical).join(',') + ']';
    }
    if (value !== null && typeof value === 'object') {
        return (
            '{' +
            Object.keys(value)
                .sort()
                .map((name) => JSON.stringify(name) + ':' + canonical(value[name]))
                .join(',') +
            '}'
        );
    }
    return JSON.stringify(value);
}

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const hex = (of) => Array.from(of, (byte) => byte.toString(16).padStart(2, '0')).join('');
const fromBase64 = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));

async function sha256(...parts) {
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let place = 0;
    for (const part of parts) {
        all.set(part, place);
        place += part.length;
    }
    return new Uint8Array(await crypto.subtle.digest('SHA-256', all));
}

const node = (left, right) => sha256(Uint8Array.of(1), left, right);

/** The root that follows from a leaf, its place, and the audit path of RFC 6962 (RFC 9162, 2.1.3.2); null if they do not fit. */
export async function rootOf(leaf, position, size, path) {
    let at = position;
    let last = size - 1;
    let hash = leaf;
    for (const one of path) {
        if (last === 0) {
            return null;
        }
        if (at % 2 === 1 || at === last) {
            hash = await node(bytes(one), hash);
            while (at % 2 === 0 && at !== 0) {
                at = Math.floor(at / 2);
                last = Math.floor(last / 2);
            }
        } else {
            hash = await node(hash, bytes(one));
        }
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
    }
    return last === 0 ? hash : null;
}

/**
 * Checks a receipt.
 *
 * @param keys what `/.well-known/seal-keys.json` has
 * @returns `intact`, `changed` (the record is not the one that was sealed), `forged` (the seal's signature is wrong), `unknown-key`, or
 *     `unsigned` (all hashes fit, and this browser cannot check the signature)
 */
export async function check(receipt, keys) {
    const { seal, record, path, position } = receipt;
    const digest = receipt.personalDigest
        ? bytes(receipt.personalDigest)
        : await sha256(bytes(receipt.salt ?? ''), encoder.encode(canonical(receipt.personal)));
    const leaf = await sha256(Uint8Array.of(0), encoder.encode(canonical({ ...record, personal: hex(digest) })));
    const root = await rootOf(leaf, position, seal.records, path);
    if (root === null || hex(root) !== seal.root) {
        return 'changed';
    }
    const jwk = keys.find((one) => one.kid === seal.kid);
    if (!jwk) {
        return 'unknown-key';
    }
    const { signature, ...signed } = seal;
    try {
        const key = await crypto.subtle.importKey('jwk', { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, { name: 'Ed25519' }, false, ['verify']);
        const good = await crypto.subtle.verify({ name: 'Ed25519' }, key, fromBase64(signature), encoder.encode(canonical(signed)));
        return good ? 'intact' : 'forged';
    } catch {
        return 'unsigned';
    }
}
