// SPDX-License-Identifier: Apache-2.0
// Small parts that several views use. Texts of strangers are text nodes, always.

import { Dialog } from '../claim/parts.js';
import { html, useEffect, useRef, useState } from '../claim/preact.js';
import { has, locale, t, time, wait } from '../claim/texts.js';
import { save } from './api.js';
import { useLoad } from './load.js';
import { link, toDevice } from './route.js';

export { Dialog };

/** A word for a state: of a device, a job, a verdict. */
export const State = ({ of }) => (of ? html`<span class=${'state state-' + of}>${word('state', of)}</span>` : null);

/** Returns the text for a word of the interface, or the word if it is new. */
export const word = (kind, of) => (has(kind + '-' + of) ? t(kind + '-' + of) : of);

export const number = (of) => (of === undefined || of === null ? '' : new Intl.NumberFormat(locale()).format(of));

/** A time for people, with the exact one behind it. */
export const Time = ({ of }) => (of ? html`<time datetime=${of} title=${of}>${time(of)}</time>` : null);

/** A text of machines: an id, a key, an address. */
export const Code = ({ children }) => html`<code>${children}</code>`;

/** A link to a device by its serial. */
export const DeviceLink = ({ id, children }) => (id ? html`<a href=${toDevice(id)}>${children ?? id}</a>` : (children ?? null));

/** Names and their values, one under the other. */
export const Facts = ({ of }) =>
    html`<dl class="facts">
        ${of
            .filter(([, value]) => value !== undefined && value !== null && value !== '' && value !== false)
            .map(
                ([name, value]) =>
                    html`<div key=${name}>
                        <dt>${name}</dt>
                        <dd>${value}</dd>
                    </div>`,
            )}
    </dl>`;

/** What went wrong, as far as the registry says: never an exception, never markup. */
export function Fault({ answer, again }) {
    if (!answer || answer.ok) {
        return null;
    }
    return html`<div class="fault-box" role="alert">
        <p><strong>${reason(answer)}</strong></p>
        ${answer.detail && html`<p>${answer.detail}</p>`}
        ${
            answer.faults.length > 0 &&
            html`<ul class="faults">
                ${answer.faults.map((fault) => html`<li>${fault.pointer && html`<code>${fault.pointer}</code> `}${fault.detail ?? fault.reason}</li>`)}
            </ul>`
        }
        ${again && html`<button type="button" onClick=${again}>${t('again')}</button>`}
    </div>`;
}

function reason(answer) {
    if (answer.status === 429) {
        return answer.retryAfter ? t('too-many-wait', { wait: wait(answer.retryAfter) }) : t('too-many');
    }
    const known = { 0: 'no-answer', 401: 'session-over', 403: 'forbidden', 404: 'not-found', 412: 'changed-meanwhile', 503: 'unavailable' };
    return known[answer.status] ? t(known[answer.status]) : answer.title || t('failed');
}

let tell = () => {};

/** Says that something was done. */
export const notify = (text) => tell(text);

/** The place where `notify` says it. It is always in the document, because screen readers announce what changes in it. */
export function Notices() {
    const [text, setText] = useState('');
    tell = setText;
    useEffect(() => {
        const timer = text ? setTimeout(() => setText(''), 8000) : 0;
        return () => clearTimeout(timer);
    }, [text]);
    return html`<div class="toast" role="status">${text && html`<p>${text}</p>`}</div>`;
}

let fields = 0;

/**
 * A field of a form, by its name. What was typed stays in the document.
 *
 * @param kind `text`, `area`, `number`, `time`, `password`, `check`, `file`, or a list of `[value, label]` to choose from
 */
export function Field({ name, label, kind = 'text', value = '', hint, fault, required, ...more }) {
    // A dialog may have a field of the same name as the view behind it.
    const [id] = useState(() => 'field-' + name + '-' + ++fields);
    const common = {
        id,
        name,
        required,
        'aria-describedby': hint ? id + '-hint' : undefined,
        'aria-invalid': fault ? 'true' : undefined,
        autocomplete: 'off',
        ...more,
    };
    if (kind === 'check') {
        return html`<p class="check">
            <label><input ...${common} type="checkbox" defaultChecked=${value} />${label}</label>
        </p>`;
    }
    let field;
    if (Array.isArray(kind)) {
        field = html`<select ...${common}>
            ${kind.map(([each, text]) => html`<option value=${each} selected=${each === value}>${text}</option>`)}
        </select>`;
    } else if (kind === 'area') {
        field = html`<textarea rows="5" spellcheck="false" ...${common} defaultValue=${value}></textarea>`;
    } else {
        const type = kind === 'time' ? 'datetime-local' : kind;
        field = html`<input ...${common} type=${type} defaultValue=${kind === 'time' ? local(value) : value} />`;
    }
    return html`<div class="field">
        <label for=${id}>${label}</label>${field}${hint && html`<p class="hint" id=${id + '-hint'}>${hint}</p>`}
    </div>`;
}

/** The time of the interface as a field of the browser has it, without a zone. */
function local(iso) {
    if (!iso) {
        return '';
    }
    const date = new Date(iso);
    return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** What fields of a form have, without those that are empty. Times are those of the interface. */
export function values(form) {
    const found = {};
    for (const field of form.elements) {
        if (!field.name) {
            continue;
        }
        if (field.type === 'checkbox') {
            found[field.name] = field.checked;
        } else if (field.type === 'file') {
            found[field.name] = field.files[0];
        } else if (field.value.trim() !== '') {
            const text = field.value.trim();
            const typed = { 'datetime-local': () => new Date(text).toISOString(), number: () => Number(text) }[field.type];
            found[field.name] = typed ? typed() : text;
        }
    }
    return found;
}

/** A form that sends its values, shows what is wrong with them, and keeps them until they were taken. */
export function Form({ send, done, submit, cancel, danger, children }) {
    const [busy, setBusy] = useState(false);
    const [answer, setAnswer] = useState(null);
    const submitted = async (event) => {
        event.preventDefault();
        if (busy) {
            return;
        }
        setBusy(true);
        const got = await send(values(event.target));
        setBusy(false);
        setAnswer(got);
        if (got?.ok) {
            done?.(got);
        }
    };
    return html`<form onSubmit=${submitted}>
        ${children}
        <${Fault} answer=${answer} />
        <div class="actions">
            <button type="submit" class=${danger ? 'main danger' : 'main'} aria-disabled=${busy ? 'true' : 'false'}>
                ${busy ? t('busy') : submit}
            </button>
            ${cancel && html`<button type="button" onClick=${cancel}>${t('cancel')}</button>`}
        </div>
    </form>`;
}

/**
 * A button that asks before it does something. What is dangerous wants a name to be typed.
 *
 * @param run sends the request with the values of the fields, and returns its answer
 * @param confirm the text to type
 * @param secret finds what the answer shows this once
 */
export function Action({ label, title = label, text, children, confirm, danger, main, run, done, secret, submit = label, disabled }) {
    const [open, setOpen] = useState(false);
    const [shown, setShown] = useState(null);
    const close = () => {
        setOpen(false);
        setShown(null);
    };
    const finished = (answer) => {
        const once = secret?.(answer.body);
        if (once) {
            setShown(once);
        } else {
            close();
            notify(t('done', { what: title }));
        }
        done?.(answer);
    };
    const send = (found) => {
        const { typed, ...rest } = found;
        return confirm && typed !== confirm ? wrong(t('type-exactly', { name: confirm })) : run(rest);
    };
    return html`<button
            type="button"
            class=${(danger ? 'danger ' : '') + (main ? 'main' : '')}
            disabled=${disabled}
            onClick=${() => setOpen(true)}
        >
            ${label}
        </button>
        ${
            open &&
            html`<${Dialog} title=${title} onClose=${close}>
                ${
                    shown
                        ? html`<${Once} text=${shown} close=${close} />`
                        : html`<${Form} send=${send} done=${finished} submit=${submit} cancel=${close} danger=${danger}>
                              ${text && html`<p>${text}</p>`} ${children}
                              ${confirm && html`<${Field} name="typed" label=${t('type-name', { name: confirm })} required />`}
                          <//>`
                }
            <//>`
        }`;
}

/** An answer that this page makes itself, in the shape of the registry's. */
export const wrong = (title, faults = []) => ({ ok: false, status: 400, title, detail: '', faults });

/** A secret that is shown this once. */
export function Once({ text, close }) {
    const [copied, setCopied] = useState(false);
    const copy = async () => {
        try {
            await navigator.clipboard.writeText(text);
            setCopied(true);
        } catch {
            // The browser does not permit it: the text can be selected.
        }
    };
    return html`<p>${t('shown-once')}</p>
        <pre class="secret" tabindex="0">${text}</pre>
        <div class="actions">
            <button type="button" onClick=${copy}>${copied ? t('copied') : t('copy')}</button>
            ${close && html`<button type="button" class="main" onClick=${close}>${t('close')}</button>`}
        </div>`;
}

/** What a view says where there is nothing, and what to do first. */
export const Empty = ({ title, children }) =>
    html`<div class="empty">
        <p><strong>${title}</strong></p>
        ${children && html`<p>${children}</p>`}
    </div>`;

/** Lines that stand for what is being read. */
export const Loading = () => html`<div class="loading" role="status"><span>${t('loading')}</span></div>`;

/**
 * A table that scrolls sideways on small screens.
 *
 * @param columns lists of label and a function from a row to its cell
 * @param picked a set of ids, and `pick` to change it, if rows can be picked
 */
export function Table({ label, columns, rows, id = (row) => row.id, picked, pick }) {
    const toggle = (keys, on) => {
        const next = new Set(picked);
        keys.forEach((key) => (on ? next.add(key) : next.delete(key)));
        pick(next);
    };
    const keys = rows.map(id);
    return html`<div class="scroll" role="region" aria-label=${label} tabindex="0">
        <table>
            <thead>
                <tr>
                    ${
                        pick &&
                        html`<th class="pick">
                            <input
                                type="checkbox"
                                aria-label=${t('pick-all')}
                                checked=${keys.length > 0 && keys.every((key) => picked.has(key))}
                                onChange=${(event) => toggle(keys, event.target.checked)}
                            />
                        </th>`
                    }
                    ${columns.map(([name]) => html`<th scope="col" key=${name}>${name}</th>`)}
                </tr>
            </thead>
            <tbody>
                ${rows.map(
                    (row) =>
                        html`<tr key=${id(row)}>
                            ${
                                pick &&
                                html`<td class="pick">
                                    <input
                                        type="checkbox"
                                        aria-label=${t('pick', { name: id(row) })}
                                        checked=${picked.has(id(row))}
                                        onChange=${(event) => toggle([id(row)], event.target.checked)}
                                    />
                                </td>`
                            }
                            ${columns.map(([name, cell]) => html`<td key=${name}>${cell(row)}</td>`)}
                        </tr>`,
                )}
            </tbody>
        </table>
    </div>`;
}

/**
 * A list of the registry, page by page, with its place in the address.
 *
 * @param path the request, without the cursor
 * @param member the member of the answer that has the rows
 * @param here makes the address of this view with other parameters; without it there is one page alone
 */
export function List({ path, member, here, params, empty, version, tools, every, ...table }) {
    const cursor = params.cursor ? (path.includes('?') ? '&' : '?') + 'cursor=' + encodeURIComponent(params.cursor) : '';
    const { answer, body, busy, reload } = useLoad(path + cursor, { every });
    useEffect(() => {
        if (version > 0) {
            reload();
        }
    }, [version]);
    const kept = useRef(null);
    kept.current = body ?? (busy ? kept.current : null);
    const shown = kept.current;
    const rows = shown?.[member] ?? [];
    return html`<div aria-busy=${busy ? 'true' : 'false'}>
        <${Fault} answer=${answer} again=${reload} />
        ${shown === null && busy && html`<${Loading} />`}
        ${shown !== null && rows.length === 0 && (shown.next || params.cursor ? html`<${Empty} title=${t('nothing-on-page')} />` : empty)}
        ${rows.length > 0 && html`<${Table} ...${table} rows=${rows} />`} ${shown !== null && tools?.(rows, reload)}
        ${
            shown !== null &&
            here &&
            (shown.next || params.cursor) &&
            html`<nav class="pager" aria-label=${t('pages')}>
                ${params.cursor && html`<a class="button" href=${here({ ...params, cursor: '' })}>${t('first-page')}</a>`}
                ${params.cursor && html`<button type="button" onClick=${() => history.back()}>${t('page-before')}</button>`}
                ${shown.next && html`<a class="button" rel="next" href=${here({ ...params, cursor: shown.next })}>${t('next-page')}</a>`}
                ${shown.complete === false && html`<span class="hint">${t('incomplete')}</span>`}
            </nav>`
        }
    </div>`;
}

/** The head of a view: its title, and what can be done in it. */
export const Head = ({ title, above, children }) =>
    html`<div class="head">
        <div>
            ${above && html`<p class="above">${above}</p>`}
            <h1 tabindex="-1">${title}</h1>
        </div>
        <div class="actions">${children}</div>
    </div>`;

/** Names with their texts, one in each line: `room = 12`. */
export const lines = (map) =>
    Object.entries(map ?? {})
        .map(([name, value]) => name + ' = ' + value)
        .join('\n');

/** Reads such lines. */
export function fromLines(text) {
    const found = {};
    for (const line of (text ?? '').split('\n')) {
        const place = line.indexOf('=');
        const name = (place < 0 ? line : line.slice(0, place)).trim();
        if (name !== '') {
            found[name] = place < 0 ? '' : line.slice(place + 1).trim();
        }
    }
    return found;
}

/** Saves rows of this page as a file. */
export const saveText = (text, name, type = 'text/plain') => save(new Blob([text], { type }), name);

/** Links between views that belong together. */
export const Tabs = ({ of, now, label }) =>
    html`<nav class="tabs" aria-label=${label}>
        ${of.map(([name, text, href]) => html`<a href=${href} aria-current=${name === now ? 'page' : undefined} key=${name}>${text}</a>`)}
    </nav>`;

export { link };
