// SPDX-License-Identifier: Apache-2.0
// The registry's interface for users. Nothing here throws an exception: every answer says what happened.

/** Where the registry is: this file is in its directory `claim`. */
export const ROOT = new URL('../', import.meta.url);

const TIMEOUT = 30_000;

/**
 * Sends a request.
 *
 * @returns `{ok, status, body, problem, faults, retryAfter}`. The status is 0 if there was no answer. The problem is the last part of the
 *     problem's type, such as `claim-refused`
 */
export async function ask(method, path, body, signal) {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), TIMEOUT);
    const stop = () => timeout.abort();
    signal?.addEventListener('abort', stop);
    try {
        const answer = await fetch(new URL(path, ROOT), {
            method,
            headers: {
                Accept: 'application/json, application/problem+json',
                ...(body === undefined
                    ? {}
                    : { 'Content-Type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }),
            },
            body: body === undefined ? undefined : JSON.stringify(body),
            credentials: 'same-origin',
            cache: 'no-store',
            redirect: 'error',
            referrerPolicy: 'same-origin',
            signal: timeout.signal,
        });
        const text = await answer.text();
        return result(answer.status, parsed(text), answer.headers.get('Retry-After'));
    } catch {
        return result(0, null, null);
    } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
    }
}

function parsed(text) {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}

function result(status, body, retryAfter) {
    const ok = status >= 200 && status < 300;
    const seconds = Number.parseInt(retryAfter ?? '', 10);
    return {
        ok,
        status,
        body: ok ? body : null,
        problem: ok ? null : problem(status, body),
        faults: !ok && Array.isArray(body?.errors) ? body.errors : [],
        retryAfter: Number.isFinite(seconds) && seconds > 0 ? seconds : null,
    };
}

function problem(status, body) {
    return typeof body?.type === 'string' && status > 0 ? body.type.split(/[/:#]/).pop() : '';
}

/** The settings of the page, and who is signed in. */
export const page = () => ask('GET', 'claim/page.json');

/** Ends the sign-in. */
export const signOut = () => ask('DELETE', 'claim/session');

/** Claims a device by its code, for the user or, if a group is named, for that. */
export const claim = (code, group) => ask('POST', 'claims', { code, to: group === '' ? 'user' : { group } });

/** A page of the user's devices. */
export const devices = (cursor, signal) =>
    ask('GET', 'claims?limit=50' + (cursor ? '&cursor=' + encodeURIComponent(cursor) : ''), undefined, signal);

/** Changes name and tags. */
export const change = (id, patch) => ask('PATCH', 'claims/' + encodeURIComponent(id), patch);

/** Gives a device up. */
export const release = (id) => ask('DELETE', 'claims/' + encodeURIComponent(id));

/** Makes a code for the next owner. */
export const transfer = (id) => ask('POST', 'claims/' + encodeURIComponent(id) + '/transfer', {});

/** The id of a device as the interface uses it: before its first start a device has only that of its claim. */
export const idOf = (device) => device.deviceId ?? device.claimId;
