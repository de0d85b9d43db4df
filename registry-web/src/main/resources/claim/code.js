// SPDX-License-Identifier: Apache-2.0
// Claim codes: how people write them, and the check symbol that finds a typing error before anybody is asked.

const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U';
/** Codes of Muster itself: 20 symbols on a label and 8 on a display, and the check symbol behind them. */
const CHECKED = [21, 9];
const SHORTEST = 4;
const LONGEST = 64;

/** Returns the code as the registry compares it: upper case, no blanks and hyphens, O as 0, I and L as 1. */
export function normalised(text) {
    return text.toUpperCase().replace(/[\s\u00a0\-\u2010-\u2015\u2212]+/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
}

/** Returns what is wrong with a code: `empty`, `characters`, `short`, `long`, `check`, or null. */
export function fault(text) {
    const code = normalised(text);
    if (code === '') {
        return 'empty';
    }
    if (!/^[0-9A-Z]+$/.test(code)) {
        return 'characters';
    }
    if (code.length < SHORTEST) {
        return 'short';
    }
    if (code.length > LONGEST) {
        return 'long';
    }
    return CHECKED.includes(code.length) && !hasRightCheck(code) ? 'check' : null;
}

/** Tells whether the last symbol is the check symbol of those before it (Crockford's base 32, modulo 37). */
export function hasRightCheck(code) {
    let rest = 0;
    for (const symbol of code.slice(0, -1)) {
        const value = SYMBOLS.indexOf(symbol);
        if (value < 0 || value > 31) {
            return false;
        }
        rest = (rest * 32 + value) % 37;
    }
    return SYMBOLS[rest] === code.slice(-1);
}

/** Returns the code in the groups in which it is printed, or as it is if it is not one of Muster's own. */
export function grouped(text) {
    const code = normalised(text);
    if (code.length === 21) {
        return code.replace(/^(.{5})(.{5})(.{5})(.{5})(.)$/, '$1-$2-$3-$4-$5');
    }
    return code.length === 9 ? code.replace(/^(.{4})(.{4})(.)$/, '$1-$2-$3') : text.trim();
}

/**
 * Reads a scanned or pasted text: a code, or the address of a claim page with the code in the fragment.
 *
 * @param pages the addresses of this page, without a fragment
 * @returns `{code}`, `{elsewhere: host}` for the claim page of another registry, or `{}` for anything else
 */
export function read(text, pages) {
    const trimmed = text.trim();
    let address = null;
    try {
        address = new URL(trimmed);
    } catch {
        // It is a code, or nothing.
    }
    if (address === null || !/^https?:$/.test(address.protocol)) {
        return fault(trimmed) === null ? { code: trimmed } : {};
    }
    const code = fragment(address.hash);
    if (code === null || !address.pathname.toLowerCase().endsWith('/claim')) {
        return {};
    }
    const page = (url) => url.host + url.pathname.toLowerCase();
    return pages.some((known) => page(new URL(known)) === page(address)) ? { code } : { elsewhere: address.host };
}

/** Returns the code in the fragment of an address, or null. */
export function fragment(hash) {
    try {
        const text = decodeURIComponent(hash.replace(/^#/, ''));
        return text !== '' && !text.startsWith('!') && text.length <= 2 * LONGEST ? text : null;
    } catch {
        return null;
    }
}
