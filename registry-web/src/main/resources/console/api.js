// SPDX-License-Identifier: Apache-2.0
// The registry's interface for operators. Nothing here throws an exception: every answer says what happened.

/** Where the registry is: this file is one directory below. */
export const ROOT = new URL('../', import.meta.url);

const TIMEOUT = 30_000;

/** Who asks. `session.js` fills it. */
export const caller = { headers: () => ({}), refused: () => {} };

/** Makes an address: at`/fleets/${fleet}` encodes each value. */
export const at = (parts, ...values) =>
    parts.reduce((path, part, i) => path + part + (i < values.length ? encodeURIComponent(values[i]) : ''), '');

/** Makes the part behind the question mark of what is not empty. */
export function query(members) {
    const kept = Object.entries(members).filter(([, value]) => value !== undefined && value !== null && value !== '');
    return kept.length === 0 ? '' : '?' + new URLSearchParams(kept.map(([name, value]) => [name, String(value)]));
}

/**
 * Sends a request to an address below `/api/v1`, or to one that begins with the registry's root `//`.
 *
 * @param options `body` (an object becomes JSON), `type`, `accept`, `etag` (only if the document is still this), `fresh` (only if there is
 *     none yet), `file` (the answer is for downloading), `signal`
 * @returns `{ok, status, body, etag, location, problem, title, detail, faults, retryAfter}`. The status is 0 if there was no answer
 */
export async function ask(method, path, options = {}) {
    const { body, etag, fresh, signal } = options;
    const stopper = new AbortController();
    const timer = options.file || body instanceof Blob ? 0 : setTimeout(() => stopper.abort(), TIMEOUT);
    const stop = () => stopper.abort();
    signal?.addEventListener('abort', stop);
    try {
        const answer = await fetch(address(path), {
            method,
            headers: {
                Accept: options.accept ?? 'application/json, application/problem+json',
                ...(body === undefined ? {} : { 'Content-Type': options.type ?? typeOf(method) }),
                ...(etag ? { 'If-Match': etag } : {}),
                ...(fresh ? { 'If-None-Match': '*' } : {}),
                ...caller.headers(),
            },
            body: body === undefined || typeof body === 'string' || body instanceof Blob ? body : JSON.stringify(body),
            credentials: 'same-origin',
            cache: 'no-store',
            redirect: 'error',
            referrerPolicy: 'same-origin',
            signal: stopper.signal,
        });
        const good = answer.status >= 200 && answer.status < 300;
        const content = options.file && good ? await answer.blob() : parsed(await answer.text());
        if (answer.status === 401 && !options.quiet) {
            caller.refused();
        }
        return result(answer.status, content, answer.headers);
    } catch {
        return result(0, null, new Headers());
    } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
    }
}

/**
 * Returns the address of a request as a browser needs it.
 *
 * @throws Error if a name in it, such as `..`, would lead the browser to another address. Strangers choose names of lots
 */
export function address(path) {
    if (/(^|[/\\])(\.|%2e){1,2}([/\\?#]|$)/i.test(path.split('?')[0])) {
        throw new Error('a name in the address leads elsewhere');
    }
    return path.startsWith('//') ? new URL(path.slice(2), ROOT) : new URL('api/v1' + path, ROOT);
}

const typeOf = (method) => (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json');

/** The bytes of JSON, or the text itself where it is none. */
function parsed(text) {
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}

function result(status, body, headers) {
    const ok = status >= 200 && status < 300;
    const seconds = Number.parseInt(headers.get('Retry-After') ?? '', 10);
    const said = !ok && body !== null && typeof body === 'object' ? body : {};
    return {
        ok,
        status,
        body: ok ? body : null,
        etag: headers.get('ETag'),
        location: headers.get('Location'),
        problem: typeof said.type === 'string' ? said.type.split(/[/:#]/).pop() : '',
        title: typeof said.title === 'string' ? said.title : '',
        detail: typeof said.detail === 'string' ? said.detail : '',
        faults: Array.isArray(said.errors) ? said.errors : [],
        retryAfter: Number.isFinite(seconds) && seconds > 0 ? seconds : null,
    };
}

export const get = (path, options) => ask('GET', path, options);
export const post = (path, body, options) => ask('POST', path, { body, ...options });
export const put = (path, body, options) => ask('PUT', path, { body, ...options });
export const patch = (path, body, options) => ask('PATCH', path, { body, ...options });
export const remove = (path, options) => ask('DELETE', path, options);

/** Fetches a file and hands it to the browser's downloads. */
export async function download(path, name, options = {}) {
    const answer = await ask(options.method ?? 'GET', path, { ...options, file: true });
    if (answer.ok) {
        save(answer.body, name);
    }
    return answer;
}

/** Hands bytes to the browser's downloads. */
export function save(blob, name) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
