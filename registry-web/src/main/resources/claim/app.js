// SPDX-License-Identifier: Apache-2.0
// The claim page: who is signed in decides what it shows.

import * as api from './api.js';
import { Claiming } from './claiming.js';
import { fragment, grouped } from './code.js';
import { Devices } from './devices.js';
import { Notice, bad, general, info } from './parts.js';
import { html, render, useEffect, useState } from './preact.js';
import { change, current, languageName, load, t } from './texts.js';

const KEPT = 'muster-claim-code';
/** What the registry says in the fragment when a sign-in did not succeed. */
const FAILURES = ['refused', 'expired', 'unavailable', 'failed'];

const kept = {
    get: () => {
        try {
            return sessionStorage.getItem(KEPT) ?? '';
        } catch {
            return '';
        }
    },
    set: (code) => {
        try {
            if (code === '') {
                sessionStorage.removeItem(KEPT);
            } else {
                sessionStorage.setItem(KEPT, code);
            }
        } catch {
            // The browser remembers nothing: a reload loses what was typed.
        }
    },
};

/** Takes the fragment out of the address bar, so that neither history nor a shared screen shows a code. */
function takeFragment() {
    const hash = location.hash;
    if (hash !== '') {
        history.replaceState(null, '', location.pathname + location.search);
    }
    const code = fragment(hash);
    if (code !== null) {
        kept.set(grouped(code));
    }
    const failure = hash.startsWith('#!') ? hash.slice(2) : null;
    return { code, failure: FAILURES.includes(failure) ? failure : null };
}

/** Stands in for the page if not even its settings could be read. */
function Unreachable({ answer }) {
    return html`<main>
        <h1>${t('claim-title')}</h1>
        <${Notice} notice=${general(answer)} />
        <button type="button" class="big" onClick=${() => location.reload()}>${t('again')}</button>
    </main>`;
}

function App({ settings, failure }) {
    const [user, setUser] = useState(settings.user ?? null);
    const [code, setCode] = useState(kept.get());
    const [notice, setNotice] = useState(failure ? bad(t('sign-in-' + failure)) : null);
    const [version, setVersion] = useState(0);
    const [, setLanguage] = useState(current());

    const keep = (text) => {
        setCode(text);
        kept.set(text);
    };

    useEffect(() => {
        const changed = () => {
            if (takeFragment().code !== null) {
                setCode(kept.get());
            }
        };
        addEventListener('hashchange', changed);
        return () => removeEventListener('hashchange', changed);
    }, []);

    const signedOut = () => {
        setUser(null);
        setNotice(info(t('session-over')));
    };

    const leave = async () => {
        const answer = await api.signOut();
        if (answer.ok || answer.status === 401) {
            keep('');
            setUser(null);
            setNotice(info(t('signed-out')));
        } else {
            setNotice(general(answer));
        }
    };

    return html`<div>
        <main>
            <${Notice} notice=${notice} />
            ${user === null && html`<${SignIn} providers=${settings.providers ?? []} hasCode=${code !== ''} />`}
            ${user !== null &&
            html`<div class="who">
                    <p>${t('signed-in', { name: user.name || user.user })}</p>
                    <button type="button" onClick=${leave}>${t('sign-out')}</button>
                </div>
                <${Claiming}
                    user=${user}
                    code=${code}
                    onCode=${keep}
                    pages=${[new URL('claim', api.ROOT).href, ...(settings.address ? [settings.address] : [])]}
                    onClaimed=${() => setVersion((before) => before + 1)}
                    onSignedOut=${signedOut}
                />
                <${Devices} version=${version} onSignedOut=${signedOut} />`}
        </main>
        ${(settings.languages ?? []).length > 1 &&
        html`<footer>
            <label for="language">${t('language')}</label>
            <select
                id="language"
                value=${current()}
                onChange=${async (event) => {
                    await change(event.target.value);
                    setLanguage(current());
                }}
            >
                ${settings.languages.map((tag) => html`<option value=${tag} key=${tag} lang=${tag}>${languageName(tag)}</option>`)}
            </select>
        </footer>`}
    </div>`;
}

function SignIn({ providers, hasCode }) {
    return html`<section aria-labelledby="sign-in-title">
        <h1 id="sign-in-title">${t('claim-title')}</h1>
        <p>${t('sign-in-text')}</p>
        ${hasCode && html`<p>${t('sign-in-code')}</p>`}
        ${providers.length === 0 && html`<p>${t('sign-in-none')}</p>`}
        ${providers.map(
            (provider) => html`<a class="button big main" key=${provider.name} href=${new URL('claim/sign-in/' + encodeURIComponent(provider.name), api.ROOT).href}>
                ${providers.length === 1 ? t('sign-in') : t('sign-in-with', { provider: provider.title ?? provider.name })}
            </a>`,
        )}
    </section>`;
}

const hash = location.hash;
const { failure } = takeFragment();
const settings = await api.page();
const address = settings.body?.address;
if (address && new URL(address).href !== new URL('claim', api.ROOT).href && (settings.body.providers ?? []).length > 0) {
    // The sign-in comes back to that address, where the browser has the cookie and the code.
    location.replace(address + hash);
}
await load(settings.body?.languages ?? ['en']);
const place = document.getElementById('page');
place.replaceChildren();
render(settings.ok ? html`<${App} settings=${settings.body} failure=${failure} />` : html`<${Unreachable} answer=${settings} />`, place);
