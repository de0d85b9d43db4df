// SPDX-License-Identifier: Apache-2.0
// The rules of one fleet: the order of its verifiers, its whole document, and why a serial would be refused.

import { html, useEffect, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, post, put } from './api.js';
import { Explain } from './explain.js';
import { useLoad } from './load.js';
import { Action, Facts, Fault, Field, Form, Head, Loading, State, fromLines, notify, wrong } from './parts.js';
import { inFleet } from './route.js';

export function Fleet({ fleet, may, readFleets }) {
    const path = at`/fleets/${fleet}`;
    const { answer, body: document, reload } = useLoad(path);
    const [warnings, setWarnings] = useState([]);
    const [draft, setDraft] = useState(null);
    const [fault, setFault] = useState(null);
    const [busy, setBusy] = useState(false);
    useEffect(() => {
        if (document !== null) {
            setDraft(JSON.stringify(writable(document), null, 2));
        }
    }, [answer]);
    if (document === null || draft === null) {
        return html`<${Head}
                title=${fleet}
            />${answer && !answer.ok ? html`<${Fault} answer=${answer} again=${reload} />` : html`<${Loading} />`}`;
    }
    const write = may('fleets:write', fleet);
    const parsed = read(draft);
    const unchanged = draft === JSON.stringify(writable(document), null, 2);
    const change = (members) => setDraft(JSON.stringify({ ...parsed, ...members }, null, 2));
    const store = async () => {
        if (busy) {
            return;
        }
        setBusy(true);
        const got = parsed ? await put(path, parsed, { etag: answer.etag }) : wrong(t('no-json'), [{ detail: reasonOf(draft) }]);
        setBusy(false);
        setFault(got);
        if (got.ok) {
            setWarnings(got.body.warnings ?? []);
            notify(t('saved'));
            reload();
            readFleets();
        }
    };
    return html`<${Head} title=${fleet} above=${html`<a href="#/fleets">${t('view-fleets')}</a>`}>
            <${State} of=${document.archived ? 'archived' : 'open'} />
            ${may('keys:write', fleet) && html`<${Token} fleet=${fleet} />`}
        <//>
        ${
            warnings.length > 0 &&
            html`<div class="warning" role="status">
                <ul>
                    ${warnings.map((one) => html`<li key=${one}>${one}</li>`)}
                </ul>
            </div>`
        }
        <div class="columns">
            <section class="card" aria-labelledby="verifiers-title">
                <h2 id="verifiers-title">${t('verifiers')}</h2>
                <p class="hint">${t('verifiers-text')}</p>
                <${Order}
                    of=${parsed?.verifiers ?? document.verifiers}
                    set=${write && parsed ? (verifiers) => change({ verifiers }) : null}
                />
                ${
                    parsed &&
                    html`<label for="required">${t('required')}</label>
                        <input
                            id="required"
                            type="number"
                            min="1"
                            max=${Math.max(1, (parsed.verifiers ?? []).length)}
                            disabled=${!write}
                            value=${parsed.required ?? 1}
                            onInput=${(event) => event.target.value !== '' && change({ required: Number(event.target.value) })}
                            aria-describedby="required-hint"
                        />
                        <p class="hint" id="required-hint">${t('required-hint')}</p>`
                }
                <${Facts}
                    of=${[
                        [t('register-again'), document.registerAgain],
                        [t('issuer'), document.issuer],
                        [t('credential-lifetime'), document.credentialLifetime],
                        [t('register-at'), html`<code>${'/fleets/' + fleet + '/register'}</code>`],
                    ]}
                />
                ${write && html`<${Save} busy=${busy} unchanged=${unchanged} store=${store} undo=${reload} />`}
            </section>
            <section class="card" aria-labelledby="explain-title">
                <h2 id="explain-title">${t('explain')}</h2>
                <${Explain} fleet=${fleet} />
            </section>
        </div>
        <${Fault} answer=${fault} />
        <${Preview} fleet=${fleet} document=${parsed} />
        <section aria-labelledby="document-title">
            <h2 id="document-title">${t('document')}</h2>
            <p class="hint" id="document-hint">${t('document-hint')}</p>
            <textarea
                class="code document"
                rows="24"
                spellcheck="false"
                readonly=${!write}
                aria-labelledby="document-title"
                aria-describedby="document-hint"
                aria-invalid=${parsed === null ? 'true' : 'false'}
                value=${draft}
                onInput=${(event) => setDraft(event.target.value)}
            ></textarea>
            ${parsed === null && html`<p class="bad" role="alert">${t('no-json')} ${reasonOf(draft)}</p>`}
            ${write && html`<${Save} busy=${busy} unchanged=${unchanged} store=${store} undo=${reload} />`}
        </section>
        <p>
            <a href=${inFleet(fleet, 'devices')}>${t('view-devices')}</a> · <a href=${inFleet(fleet, 'serials')}>${t('view-serials')}</a>
        </p>`;
}

const Save = ({ busy, unchanged, store, undo }) =>
    html`<div class="actions">
        <button type="button" class="main" disabled=${unchanged} onClick=${store}>${busy ? t('busy') : t('save')}</button>
        ${!unchanged && html`<button type="button" onClick=${undo}>${t('undo')}</button>`}
    </div>`;

/** The document without what only answers have. */
function writable({ name: _, warnings: __, ...rest }) {
    return rest;
}

function read(text) {
    try {
        const found = JSON.parse(text);
        return found !== null && typeof found === 'object' && !Array.isArray(found) ? found : null;
    } catch {
        return null;
    }
}

function reasonOf(text) {
    try {
        JSON.parse(text);
        return '';
    } catch (fault) {
        return fault.message;
    }
}

/** Moves one entry of a list to another place. */
export function moved(of, from, to) {
    const next = [...of];
    next.splice(to, 0, ...next.splice(from, 1));
    return next;
}

/** A list whose order is changed by dragging, or by buttons and the keys of arrows. */
export function Order({ of, set }) {
    const [dragged, setDragged] = useState(null);
    const [said, setSaid] = useState('');
    const [added, setAdded] = useState('');
    const move = (from, to, focus) => {
        if (to < 0 || to >= of.length) {
            return;
        }
        set(moved(of, from, to));
        setSaid(t('moved-to', { name: of[from], place: to + 1, count: of.length }));
        focus?.closest('ol')?.children[to]?.focus();
    };
    return html`<ol class="order">
            ${of.map(
                (name, i) =>
                    html`<li
                        key=${name}
                        draggable=${set ? 'true' : undefined}
                        tabindex=${set ? '0' : undefined}
                        class=${dragged === i ? 'dragged' : ''}
                        onDragStart=${() => setDragged(i)}
                        onDragEnd=${() => setDragged(null)}
                        onDragOver=${(event) => set && event.preventDefault()}
                        onDrop=${(event) => {
                            event.preventDefault();
                            if (dragged !== null) {
                                move(dragged, i);
                            }
                            setDragged(null);
                        }}
                        onKeyDown=${(event) => {
                            const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
                            if (set && step && event.target === event.currentTarget) {
                                event.preventDefault();
                                move(i, i + step, event.currentTarget);
                            }
                        }}
                    >
                        <span class="grow">${name}</span>
                        ${
                            set &&
                            html`<button
                                    type="button"
                                    class="small"
                                    disabled=${i === 0}
                                    aria-label=${t('move-up', { name })}
                                    onClick=${() => move(i, i - 1)}
                                >
                                    ↑
                                </button>
                                <button
                                    type="button"
                                    class="small"
                                    disabled=${i === of.length - 1}
                                    aria-label=${t('move-down', { name })}
                                    onClick=${() => move(i, i + 1)}
                                >
                                    ↓
                                </button>
                                <button
                                    type="button"
                                    class="small"
                                    aria-label=${t('take-out', { name })}
                                    onClick=${() => set(of.filter((one) => one !== name))}
                                >
                                    ×
                                </button>`
                        }
                    </li>`,
            )}
        </ol>
        <p class="unseen" role="status">${said}</p>
        ${
            set &&
            html`<form
                class="inline-form"
                onSubmit=${(event) => {
                    event.preventDefault();
                    const name = added.trim();
                    if (name !== '' && !of.includes(name)) {
                        set([...of, name]);
                        setAdded('');
                    }
                }}
            >
                <label class="grow"
                    ><span>${t('add-verifier')}</span
                    ><input list="known-verifiers" value=${added} maxlength="64" onInput=${(event) => setAdded(event.target.value)}
                /></label>
                <datalist id="known-verifiers">
                    ${['block-list', 'database', 'approval', 'hmac', 'jwt', 'x509', 'pattern', 'user'].map((name) => html`<option value=${name} key=${name}></option>`)}
                </datalist>
                <button type="submit">${t('add')}</button>
            </form>`
        }`;
}

const Token = ({ fleet }) =>
    html`<${Action}
        label=${t('new-token')}
        text=${t('new-token-text')}
        run=${(found) => post(at`/fleets/${fleet}/registration-tokens`, found)}
        secret=${(body) => body.token}
    >
        <${Field} name="serial" label=${t('serial')} />
        <${Field} name="expiresIn" label=${t('expires-in')} hint="PT1H" />
        <${Field} name="verifier" label=${t('verifier')} />
    <//>`;

/** What the template of the fleet makes for one serial. */
function Preview({ fleet, document }) {
    const [shown, setShown] = useState(null);
    return html`<section class="card" aria-labelledby="preview-title">
        <h2 id="preview-title">${t('preview')}</h2>
        <${Form}
            send=${(found) =>
                post(at`/fleets/${fleet}/preview`, {
                    serial: found.serial,
                    ...(found.lot ? { lot: found.lot } : {}),
                    ...(found.attributes ? { attributes: fromLines(found.attributes) } : {}),
                    ...(document ? { document } : {}),
                })}
            done=${(answer) => setShown(answer.body)}
            submit=${t('preview')}
        >
            <${Field} name="serial" label=${t('serial')} required />
            <${Field} name="lot" label=${t('lot')} />
        <//>
        ${shown && html`<pre tabindex="0" role="status">${JSON.stringify(shown, null, 2)}</pre>`}
    </section>`;
}
