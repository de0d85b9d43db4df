// SPDX-License-Identifier: Apache-2.0
// Who is signed in: by the cookie of a session, which no script can read. Only where the browser does not keep that cookie is there
// a token, in the memory of this page and nowhere else; a reload then asks again.

import { ask, caller, get, post } from './api.js';

const PLACE = 'muster-console-place';
let token = null;
let signedIn = false;
let ended = () => {};

caller.headers = () => (token === null ? {} : { Authorization: 'Bearer ' + token });
caller.refused = () => {
    if (signedIn) {
        token = null;
        signedIn = false;
        ended();
    }
};

/** Has a function called when the registry no longer takes the sign-in. */
export function onEnd(then) {
    ended = then;
}

/**
 * Finds out who is signed in, with the code of a link if the address has one.
 *
 * @returns `{operator, provider, failure}`: the operator or null, whether the company's provider can be asked, and why a sign-in failed
 */
export async function start() {
    const code = /^#code=(.+)$/.exec(location.hash)?.[1];
    let failure = /^#!([a-z]+)$/.exec(location.hash)?.[1] ?? null;
    if (code || failure) {
        // Neither history nor a shared screen shows a code.
        history.replaceState(null, '', location.pathname + location.search + (code ? '' : place()));
    }
    if (code && !(await post('/console/session', { code }, { quiet: true })).ok) {
        failure = 'expired';
    }
    const state = await get('/console', { quiet: true });
    signedIn = Boolean(state.body?.operator);
    return { operator: state.body?.operator ?? null, provider: state.body?.signIn === true, failure };
}

/** Remembers the view, for the way back from the company's provider. */
export function leaveForProvider() {
    try {
        sessionStorage.setItem(PLACE, location.hash);
    } catch {
        // The browser remembers nothing: the way back ends at the overview.
    }
}

function place() {
    try {
        const hash = sessionStorage.getItem(PLACE) ?? '';
        sessionStorage.removeItem(PLACE);
        return hash;
    } catch {
        return '';
    }
}

/** Goes back to the view from which the provider was asked. */
export function comeBack() {
    const hash = location.hash === '' ? place() : '';
    if (hash !== '') {
        location.hash = hash;
    }
}

/** Signs in with an operator's token. The answer has the operator. */
export async function signIn(text) {
    const begun = await post('/console/session', { token: text.trim() }, { quiet: true });
    if (!begun.ok) {
        return begun;
    }
    const state = await get('/console', { quiet: true });
    if (state.body?.operator) {
        signedIn = true;
        return { ...state, body: state.body.operator };
    }
    // The browser keeps no such cookie over a connection that is not secure.
    token = text.trim();
    const answer = await get('/me', { quiet: true });
    signedIn = answer.ok;
    if (!answer.ok) {
        token = null;
    }
    return answer;
}

/** Tells whether this page itself has the token, so that the registry can replace it. */
export const hasToken = () => token !== null;

/** Goes on with another token, after the registry has replaced it. */
export function replace(text) {
    token = text;
}

/** Ends the sign-in, on all nodes at once. */
export async function signOut() {
    const answer = token === null ? await ask('DELETE', '/console/session', { quiet: true }) : { ok: true };
    if (answer.ok || answer.status === 401) {
        token = null;
        signedIn = false;
    }
    return answer;
}
