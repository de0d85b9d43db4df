// SPDX-License-Identifier: Apache-2.0
// The console: who is signed in, and the address, decide what it shows.

import { html, render, useEffect, useRef, useState } from '../claim/preact.js';
import { change, current, languageName, load, t } from '../claim/texts.js';
import { ROOT, get } from './api.js';
import { Keys, useKeys } from './keys.js';
import { Fault, Notices, notify } from './parts.js';
import { may } from './rights.js';
import { inFleet, link, parse } from './route.js';
import { comeBack, leaveForProvider, onEnd, signIn, signOut, start } from './session.js';
import { MENU, NoRight, isFor, viewOf } from './views.js';

const LANGUAGES = ['de', 'en'];

function SignIn({ provider, failure, onSignedIn }) {
    const [answer, setAnswer] = useState(null);
    const [busy, setBusy] = useState(false);
    const submit = async (event) => {
        event.preventDefault();
        setBusy(true);
        const got = await signIn(event.target.elements.token.value);
        setBusy(false);
        setAnswer(got.status === 401 ? { ...got, status: 400, title: t('token-unknown'), detail: '' } : got);
        if (got.ok) {
            onSignedIn(got.body);
        }
    };
    return html`<main class="alone">
        <h1><${Mark} /> Muster</h1>
        <p>${t('sign-in-text')}</p>
        ${failure && html`<p class="fault-box" role="status">${t(failure)}</p>`}
        ${
            provider &&
            html`<p>
                <a class="button main wide" href=${new URL('api/v1/console/sign-in', ROOT).href} onClick=${leaveForProvider}
                    >${t('sign-in-company')}</a
                >
            </p>`
        }
        <form onSubmit=${submit}>
            <label for="token">${t('token')}</label>
            <input
                id="token"
                name="token"
                type="password"
                autocomplete="off"
                spellcheck="false"
                required
                autofocus
                aria-describedby="token-hint"
            />
            <p class="hint" id="token-hint">${t('token-hint')}</p>
            <${Fault} answer=${answer} />
            <button type="submit" class="main" aria-disabled=${busy ? 'true' : 'false'}>${busy ? t('busy') : t('sign-in')}</button>
        </form>
        <${Languages} />
    </main>`;
}

const Mark = () =>
    html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <path d="M2 2h12v12H2zM18 2h12v12H18zM2 18h12v12H2z" />
        <path class="inner" d="M5 5h6v6H5zM21 5h6v6h-6zM5 21h6v6H5z" />
        <path d="M18 18h5v5h-5zM25 25h5v5h-5zM25 18h5v5h-5zM18 25h5v5h-5z" />
    </svg>`;

let redraw = () => {};

const Languages = () =>
    html`<label class="language">
        <span>${t('language')}</span>
        <select
            value=${current()}
            onChange=${async (event) => {
                await change(event.target.value);
                redraw();
            }}
        >
            ${LANGUAGES.map((tag) => html`<option value=${tag} lang=${tag} key=${tag}>${languageName(tag)}</option>`)}
        </select>
    </label>`;

function Menu({ me, fleet, now, onChosen }) {
    return MENU.map(({ title, entries }) => {
        const shown = entries.filter((entry) => isFor(me, entry, fleet));
        return (
            shown.length > 0 &&
            html`<div key=${title}>
                ${title && html`<h2>${title === 'fleet' ? fleet : t('menu-' + title)}</h2>`}
                <ul>
                    ${shown.map(
                        ({ name, fleet: ofFleet }) =>
                            html`<li key=${name}>
                                <a
                                    href=${ofFleet ? inFleet(fleet, name) : link([name])}
                                    aria-current=${now === name ? 'page' : undefined}
                                    onClick=${onChosen}
                                    >${t('view-' + name)}</a
                                >
                            </li>`,
                    )}
                </ul>
            </div>`
        );
    });
}

function Shell({ me, onMe, onLeave }) {
    const [route, setRoute] = useState(parse(location.hash));
    const [fleets, setFleets] = useState(null);
    const [open, setOpen] = useState(false);
    const [fleet, setFleet] = useState(route.path[0] === 'fleets' && route.path[1] ? route.path[1] : null);
    const main = useRef(null);
    const drawn = useRef(false);

    const readFleets = async () => setFleets(await get('/fleets'));
    useEffect(() => {
        readFleets();
        const moved = () => {
            if (/^#(code=|!)/.test(location.hash)) {
                // A link was opened in this tab: it signs in as at the first load.
                location.reload();
            } else {
                setRoute(parse(location.hash));
            }
        };
        addEventListener('hashchange', moved);
        return () => removeEventListener('hashchange', moved);
    }, []);
    const names = (fleets?.body?.fleets ?? []).map((one) => one.name);
    const own = me.grants.flatMap((grant) => grant.fleets ?? []);
    const inUse = route.path[0] === 'fleets' && route.path[1] ? route.path[1] : fleet;
    const shownFleet = inUse ?? (names.includes('default') ? 'default' : (names[0] ?? own[0] ?? 'default'));
    useEffect(() => setFleet(inUse), [inUse]);

    const where = route.path.join('/');
    useEffect(() => {
        document.title = (main.current?.querySelector('h1')?.textContent ?? '') + ' · Muster';
        if (drawn.current) {
            // A screen reader says where it is now.
            main.current?.querySelector('h1')?.focus({ preventScroll: true });
            scrollTo(0, 0);
        }
        drawn.current = true;
    }, [where]);

    const go = (href) => {
        location.hash = href;
    };
    const { help, setHelp } = useKeys({ go, fleet: shownFleet });
    const { view, name, args } = viewOf(route.path);
    const entry = MENU.flatMap((group) => group.entries).find((one) => one.name === name);
    // A device has a fleet that its address does not tell.
    const View = entry && !(name === 'devices' && args.length > 0) && !isFor(me, entry, shownFleet) ? NoRight : view;
    const move = (event) => {
        const next = event.target.value;
        setFleet(next);
        if (entry?.fleet) {
            go(inFleet(next, name));
        }
    };
    return html`<a
            class="skip"
            href="#main"
            onClick=${(event) => {
                event.preventDefault();
                main.current.querySelector('h1')?.focus();
            }}
            >${t('skip')}</a
        >
        <header class="top">
            <button
                type="button"
                class="menu-button"
                aria-expanded=${open ? 'true' : 'false'}
                aria-controls="menu"
                onClick=${() => setOpen(!open)}
            >
                ${t('menu')}
            </button>
            <a class="brand" href="#/overview" aria-label="Muster"><${Mark} /><span>Muster</span></a>
            ${
                names.length > 0 &&
                html`<label class="fleet-choice">
                    <span>${t('fleet')}</span>
                    <select value=${shownFleet} aria-label=${t('fleet')} onChange=${move}>
                        ${names.map((each) => html`<option value=${each} key=${each}>${each}</option>`)}
                    </select>
                </label>`
            }
            <span class="space"></span>
            <button type="button" class="quiet keys-button" onClick=${() => setHelp(true)}>${t('keys')}</button>
            <a class="who" href="#/me">${me.name}</a>
            <button type="button" class="quiet" onClick=${onLeave}>${t('sign-out')}</button>
        </header>
        <div class="body">
            <nav id="menu" class=${open ? 'menu open' : 'menu'} aria-label=${t('menu')}>
                <${Menu} me=${me} fleet=${shownFleet} now=${name} onChosen=${() => setOpen(false)} />
                <${Languages} />
            </nav>
            <main id="main" ref=${main}>
                <${View}
                    key=${route.path.join('/')}
                    me=${me}
                    onMe=${onMe}
                    fleet=${shownFleet}
                    fleets=${fleets}
                    readFleets=${readFleets}
                    may=${(right, of = null) => may(me, right, of)}
                    args=${args}
                    params=${route.params}
                    here=${(params) => link(route.path, params)}
                    go=${go}
                />
            </main>
        </div>
        ${help && html`<${Keys} close=${() => setHelp(false)} />`}
        <${Notices} />`;
}

const FAILURES = ['refused', 'expired', 'unavailable', 'failed', 'forbidden'];

function App({ begun }) {
    const [me, setMe] = useState(begun.operator);
    // After a session has ended by itself, its operator's views wait behind the sign-in, with everything that was typed.
    const [before, setBefore] = useState(null);
    const [failure, setFailure] = useState(FAILURES.includes(begun.failure) ? 'sign-in-' + begun.failure : null);
    const [, setTurn] = useState(0);
    redraw = () => setTurn((before) => before + 1);
    useEffect(() => {
        onEnd(() => {
            setMe((operator) => {
                setBefore(operator);
                return null;
            });
            setFailure('session-over');
        });
    }, []);
    const leave = async () => {
        const answer = await signOut();
        if (answer.ok || answer.status === 401) {
            setBefore(null);
            setMe(null);
        } else {
            notify(t('no-answer'));
        }
    };
    const shown = me ?? before;
    return html`${
        shown !== null &&
        html`<div class="whole" key=${shown.id} hidden=${me === null}><${Shell} me=${shown} onMe=${setMe} onLeave=${leave} /></div>`
    }
    ${
        me === null &&
        html`<${SignIn}
            provider=${begun.provider}
            failure=${failure}
            onSignedIn=${(operator) => {
                setFailure(null);
                setMe(operator);
            }}
        />`
    }`;
}

const [begun] = await Promise.all([start(), load(LANGUAGES, new URL('texts/', import.meta.url))]);
if (begun.operator !== null) {
    comeBack();
}
const place = document.getElementById('page');
place.replaceChildren();
render(html`<${App} begun=${begun} />`, place);
