// SPDX-License-Identifier: Apache-2.0
// What is the user's: a list with a dialog for each thing that an owner may do.

import { ROOT, change, devices, idOf, release, transfer } from './api.js';
import { grouped } from './code.js';
import { Dialog, Notice, Slow, bad, general, good } from './parts.js';
import { html, useCallback, useEffect, useRef, useState } from './preact.js';
import { has, t, time } from './texts.js';

/** @param version changes when something was claimed, so that the list is read again */
export function Devices({ version, onSignedOut }) {
    const [items, setItems] = useState(null);
    const [next, setNext] = useState(null);
    const [busy, setBusy] = useState(false);
    const [notice, setNotice] = useState(null);
    const [open, setOpen] = useState(null);
    const running = useRef(null);

    const load = useCallback(async (cursor) => {
        running.current?.abort();
        const mine = new AbortController();
        running.current = mine;
        setBusy(true);
        const answer = await devices(cursor, mine.signal);
        if (mine.signal.aborted) {
            return;
        }
        setBusy(false);
        if (answer.status === 401) {
            onSignedOut();
        } else if (!answer.ok) {
            setNotice(general(answer));
        } else {
            const page = answer.body?.items ?? [];
            setItems((before) => (cursor ? [...(before ?? []), ...page] : page));
            setNext(answer.body?.next ?? null);
        }
    }, []);

    useEffect(() => {
        void load(null);
        return () => running.current?.abort();
    }, [version]);

    const close = () => setOpen(null);
    const done = (text) => {
        setOpen(null);
        setNotice(good(text));
        void load(null);
    };

    return html`<section aria-labelledby="devices-title" aria-busy=${busy ? 'true' : 'false'}>
        <h2 id="devices-title">${t('devices-title')}</h2>
        <${Notice} notice=${notice} />
        <${Slow} when=${busy} />
        ${items === null && !busy && html`<button type="button" onClick=${() => load(null)}>${t('again')}</button>`}
        ${items !== null && items.length === 0 && html`<p>${t('devices-none')}</p>`}
        ${items !== null &&
        items.length > 0 &&
        html`<ul class="devices">
            ${items.map((device) => html`<${Entry} key=${idOf(device)} device=${device} onOpen=${(what) => setOpen({ what, device })} />`)}
        </ul>`}
        ${next && html`<button type="button" onClick=${() => load(next)}>${t('devices-more')}</button>`}
        ${open?.what === 'rename' &&
        html`<${Rename} device=${open.device} onClose=${close} onDone=${done} onSignedOut=${onSignedOut} />`}
        ${open?.what === 'release' &&
        html`<${Release} device=${open.device} onClose=${close} onDone=${done} onSignedOut=${onSignedOut} />`}
        ${open?.what === 'transfer' && html`<${Transfer} device=${open.device} onClose=${close} onSignedOut=${onSignedOut} />`}
    </section>`;
}

const nameOf = (device) => device.name || device.serial;

function Entry({ device, onOpen }) {
    const can = device.can ?? {};
    const state = 'state-' + device.state;
    const action = (what, label) =>
        html`<button type="button" aria-label=${t(label + '-of', { name: nameOf(device) })} onClick=${() => onOpen(what)}>
            ${t(label)}
        </button>`;
    return html`<li class="device">
        <h3>${nameOf(device)}</h3>
        <dl>
            ${device.name && device.name !== device.serial && html`<div><dt>${t('serial')}</dt><dd>${device.serial}</dd></div>`}
            <div><dt>${t('state')}</dt><dd>${has(state) ? t(state) : device.state}</dd></div>
            <div><dt>${t('owner')}</dt><dd>${device.group ? t('to-group', { group: device.group }) : t('to-me')}</dd></div>
            ${device.claimedAt &&
            html`<div><dt>${t('claimed-at')}</dt><dd><time datetime=${device.claimedAt}>${time(device.claimedAt)}</time></dd></div>`}
            ${Object.entries(device.tags ?? {})
                .filter(([, value]) => value)
                .map(([key, value]) => html`<div key=${key}><dt>${key}</dt><dd>${value}</dd></div>`)}
        </dl>
        <div class="actions">
            ${can.rename && action('rename', 'rename')} ${can.transfer && action('transfer', 'transfer')}
            ${can.release && action('release', 'release')}
        </div>
    </li>`;
}

/** Asks, and says what went wrong in the dialog, which stays open with everything that was typed. */
function useAsking(onSignedOut) {
    const [busy, setBusy] = useState(false);
    const [notice, setNotice] = useState(null);
    const ask = async (request) => {
        if (busy) {
            return null;
        }
        setBusy(true);
        setNotice(null);
        const answer = await request();
        setBusy(false);
        if (answer.status === 401) {
            onSignedOut();
        } else if (answer.status === 404) {
            setNotice(bad(t('not-yours')));
        } else if (answer.status === 403) {
            setNotice(bad(t('forbidden')));
        } else if (answer.status === 400) {
            setNotice(bad(answer.faults.map((fault) => fault.detail).join('; ') || t('failed')));
        } else if (!answer.ok) {
            setNotice(general(answer));
        }
        return answer.ok ? answer : null;
    };
    return { busy, notice, ask };
}

function Rename({ device, onClose, onDone, onSignedOut }) {
    const [name, setName] = useState(device.name ?? '');
    const set = device.tags ?? {};
    const [tags, setTags] = useState(Object.fromEntries((device.can?.tags ?? []).map((key) => [key, set[key] ?? ''])));
    const { busy, notice, ask } = useAsking(onSignedOut);
    const save = async (event) => {
        event.preventDefault();
        const changed = Object.entries(tags).filter(([key, value]) => (set[key] ?? '') !== value.trim());
        const patch = {};
        // A name that the registry gives is not the owner's until it was typed.
        if (name.trim() !== (device.name ?? '')) {
            patch.name = name.trim() || null;
        }
        if (changed.length > 0) {
            patch.tags = Object.fromEntries(changed.map(([key, value]) => [key, value.trim() === '' ? null : value.trim()]));
        }
        if (await ask(() => change(idOf(device), patch))) {
            onDone(t('renamed', { name: name.trim() || device.serial }));
        }
    };
    return html`<${Dialog} title=${t('rename-title', { name: nameOf(device) })} onClose=${onClose}>
        <form onSubmit=${save}>
            <label for="name">${t('name')}</label>
            <input id="name" value=${name} maxlength="200" autocomplete="off" onInput=${(event) => setName(event.target.value)} />
            ${Object.keys(tags).map(
                (key) => html`<label for=${'tag-' + key} key=${'l' + key}>${key}</label>
                    <input
                        id=${'tag-' + key}
                        key=${key}
                        value=${tags[key] ?? ''}
                        maxlength="200"
                        autocomplete="off"
                        onInput=${(event) => setTags({ ...tags, [key]: event.target.value })}
                    />`,
            )}
            <${Slow} when=${busy} />
            <${Notice} notice=${notice} />
            <div class="actions">
                <button type="submit" class="main" aria-disabled=${busy ? 'true' : 'false'}>${t('save')}</button>
                <button type="button" onClick=${onClose}>${t('cancel')}</button>
            </div>
        </form>
    <//>`;
}

function Release({ device, onClose, onDone, onSignedOut }) {
    const { busy, notice, ask } = useAsking(onSignedOut);
    const confirm = async () => {
        if (await ask(() => release(idOf(device)))) {
            onDone(t('released', { name: nameOf(device) }));
        }
    };
    return html`<${Dialog} title=${t('release-title', { name: nameOf(device) })} onClose=${onClose}>
        <p>${t('release-text')}</p>
        <${Slow} when=${busy} />
        <${Notice} notice=${notice} />
        <div class="actions">
            <button type="button" autofocus onClick=${onClose}>${t('keep')}</button>
            <button type="button" class="danger" aria-disabled=${busy ? 'true' : 'false'} onClick=${confirm}>
                ${t('release-confirm')}
            </button>
        </div>
    <//>`;
}

function Transfer({ device, onClose, onSignedOut }) {
    const [made, setMade] = useState(null);
    const { busy, notice, ask } = useAsking(onSignedOut);
    const heading = useRef(null);
    const make = async () => {
        const answer = await ask(() => transfer(idOf(device)));
        if (answer) {
            const code = grouped(answer.body.code);
            const link = new URL('claim', ROOT).href + '#' + code;
            setMade({ code, link, expiresAt: answer.body.expiresAt, picture: await picture(link) });
            setTimeout(() => heading.current?.focus(), 0);
        }
    };
    return html`<${Dialog} title=${t('transfer-title', { name: nameOf(device) })} onClose=${onClose}>
        ${made === null
            ? html`<p>${t('transfer-text')}</p>
                  <${Slow} when=${busy} />
                  <${Notice} notice=${notice} />
                  <div class="actions">
                      <button type="button" class="main" aria-disabled=${busy ? 'true' : 'false'} onClick=${make}>
                          ${t('transfer-make')}
                      </button>
                      <button type="button" onClick=${onClose}>${t('cancel')}</button>
                  </div>`
            : html`<p ref=${heading} tabindex="-1">${t('transfer-show', { time: time(made.expiresAt) })}</p>
                  ${made.picture &&
                  html`<svg class="qr" viewBox=${'0 0 ' + made.picture.size + ' ' + made.picture.size} role="img" aria-label=${t('transfer-picture')}>
                      <rect width="100%" height="100%" fill="#fff" />
                      <path d=${made.picture.path} fill="#000" />
                  </svg>`}
                  <p class="code-shown" translate="no">${made.code}</p>
                  <div class="actions"><button type="button" onClick=${onClose}>${t('close')}</button></div>`}
    <//>`;
}

/** Returns the QR code of a text as the path of a picture, or null if it cannot be made: there is still the code to type. */
async function picture(text) {
    try {
        const { encodeQR } = await import('./vendor/qr/index.js');
        const rows = encodeQR(text, 'raw', { ecc: 'medium', border: 3 });
        let path = '';
        rows.forEach((row, y) => {
            for (let x = 0; x < row.length; x++) {
                if (row[x]) {
                    const from = x;
                    while (row[x + 1]) {
                        x++;
                    }
                    path += `M${from} ${y}h${x - from + 1}v1h${from - x - 1}z`;
                }
            }
        });
        return { path, size: rows.length };
    } catch {
        return null;
    }
}
