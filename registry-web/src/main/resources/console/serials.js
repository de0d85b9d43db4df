// SPDX-License-Identifier: Apache-2.0
// The serials that are expected, blocked or registered; and files of them.

import { html, useEffect, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, download, post, query } from './api.js';
import { FilterField } from './devices.js';
import { all, compare } from './filter.js';
import { useLater } from './load.js';
import { Action, DeviceLink, Empty, Fault, Field, Head, List, State, wrong } from './parts.js';
import { inFleet } from './route.js';

const STATES = ['expected', 'registered', 'blocked'];
const MOST_PASTED = 1000;

export function Serials({ fleet, params, here, go, may }) {
    const [text, setText] = useState(params.begin ?? '');
    const [picked, setPicked] = useState(new Set());
    const [version, setVersion] = useState(0);
    const [answer, setAnswer] = useState(null);
    useEffect(() => setText(params.begin ?? ''), [params.begin]);
    const set = (more) => go(here({ ...params, cursor: '', ...more }));
    useLater(text, (begin) => begin !== (params.begin ?? '') && set({ begin }));
    const write = may('serials:write', fleet);
    const filter = all(compare('serial', 'sw', params.begin), compare('lot', 'eq', params.lot), params.filter);
    const changed = () => {
        setPicked(new Set());
        setVersion((before) => before + 1);
    };
    const several = (what) => (found) => post(at`/fleets/${fleet}/serials/${what}`, { serials: [...picked], ...found });
    const isSearch = Boolean(filter || params.state);
    return html`<${Head} title=${t('view-serials')} above=${fleet}>
            <button
                type="button"
                onClick=${async () => setAnswer(await download(at`/fleets/${fleet}/exports/serials` + query({ filter }), 'serials.csv', { accept: 'text/csv' }))}
            >
                ${t('export-csv')}
            </button>
            ${write && html`<${Paste} fleet=${fleet} done=${changed} />`}
        <//>
        <${Fault} answer=${answer} />
        ${write && html`<${Drop} fleet=${fleet} go=${go} />`}
        <div class="filters" role="search">
            <label class="grow">
                <span>${t('serial-begins')}</span>
                <input type="search" value=${text} maxlength="128" spellcheck="false" onInput=${(event) => setText(event.target.value)} />
            </label>
            <label>
                <span>${t('state')}</span>
                <select value=${params.state ?? ''} onChange=${(event) => set({ state: event.target.value })}>
                    <option value="">${t('any')}</option>
                    ${STATES.map((each) => html`<option value=${each} key=${each}>${t('state-' + each)}</option>`)}
                </select>
            </label>
            <${FilterField} value=${params.filter} set=${(found) => set({ filter: found })} hint=${'lot eq "2026-11"'} />
        </div>
        ${params.lot && html`<p>${t('in-lot', { lot: params.lot })} <a href=${here({ ...params, lot: '' })}>${t('show-all')}</a></p>`}
        ${
            write &&
            picked.size > 0 &&
            html`<div class="bulk">
                <strong>${t('picked', { count: picked.size })}</strong>
                <${Action} label=${t('block')} text=${t('block-text')} run=${several('block')} done=${changed}>
                    <${Field} name="reason" label=${t('reason')} maxlength="200" />
                <//>
                <${Action} label=${t('unblock')} run=${several('unblock')} done=${changed} />
                <${Action} label=${t('remove')} text=${t('remove-text')} danger run=${several('remove')} done=${changed} />
            </div>`
        }
        <${List}
            label=${t('view-serials')}
            path=${at`/fleets/${fleet}/serials` + query({ state: params.state, filter, limit: 50 })}
            member="serials"
            here=${here}
            params=${params}
            version=${version}
            id=${(row) => row.serial}
            picked=${picked}
            pick=${write ? setPicked : undefined}
            columns=${[
                [t('serial'), (row) => html`<${DeviceLink} id=${row.deviceId}>${row.serial}<//>`],
                [t('state'), (row) => html`<${State} of=${row.state} />`],
                [t('name'), (row) => row.name ?? ''],
                [t('lot'), (row) => row.lot && html`<a href=${inFleet(fleet, ['lots', row.lot])}>${row.lot}</a>`],
                [t('reason'), (row) => row.reason ?? ''],
            ]}
            empty=${
                isSearch
                    ? html`<${Empty} title=${t('no-match')}><a href=${here({})}>${t('show-all')}</a><//>`
                    : html`<${Empty} title=${t('no-serials')}>${t('no-serials-text')}<//>`
            }
        />`;
}

/** Serials that somebody has in a mail or a table, one in each line. */
function Paste({ fleet, done }) {
    const run = (found) => {
        const serials = (found.serials ?? '').split(/\s+/).filter(Boolean);
        if (serials.length > MOST_PASTED) {
            return wrong(t('too-many-pasted', { most: MOST_PASTED }));
        }
        return post(
            at`/fleets/${fleet}/serials`,
            serials.map((serial) => ({ serial, ...(found.lot ? { lot: found.lot } : {}) })),
        ).then((answer) =>
            answer.ok && answer.body.rejected > 0 ? wrong(t('rows-rejected', { count: answer.body.rejected }), rows(answer.body)) : answer,
        );
    };
    return html`<${Action} label=${t('add-serials')} main run=${run} done=${done}>
        <${Field} name="serials" kind="area" label=${t('serials-lines')} required />
        <${Field} name="lot" label=${t('lot')} />
    <//>`;
}

const rows = (body) => body.errors.map((error) => ({ pointer: t('row', { row: error.row }), detail: error.reason }));

/** Takes a file by dropping or choosing it, and makes a job of it. */
function Drop({ fleet, go }) {
    const [over, setOver] = useState(false);
    const [busy, setBusy] = useState(false);
    const [trial, setTrial] = useState(false);
    const [answer, setAnswer] = useState(null);
    const take = async (file) => {
        if (!file || busy) {
            return;
        }
        setBusy(true);
        const path = at`/fleets/${fleet}/serials/imports` + (trial ? '/dry-run' : '');
        const type = /\.(ndjson|jsonl|json)$/i.test(file.name) ? 'application/x-ndjson' : 'text/csv';
        const got = await post(path, file, { type });
        setBusy(false);
        setAnswer(got);
        if (got.ok) {
            go(inFleet(fleet, ['jobs', got.body.id]));
        }
    };
    return html`<div
        class=${over ? 'drop over' : 'drop'}
        onDragOver=${(event) => {
            event.preventDefault();
            setOver(true);
        }}
        onDragLeave=${() => setOver(false)}
        onDrop=${(event) => {
            event.preventDefault();
            setOver(false);
            take(event.dataTransfer.files[0]);
        }}
    >
        <label for="file">${busy ? t('sending-file') : t('drop-file')}</label>
        <input
            id="file"
            type="file"
            accept=".csv,.txt,.ndjson,.jsonl,.json"
            disabled=${busy}
            aria-describedby="file-hint"
            onChange=${(event) => {
                take(event.target.files[0]);
                event.target.value = '';
            }}
        />
        <label class="inline"
            ><input type="checkbox" checked=${trial} onChange=${(event) => setTrial(event.target.checked)} /> ${t('dry-run')}</label
        >
        <p class="hint" id="file-hint">${t('drop-hint')}</p>
        <${Fault} answer=${answer} />
    </div>`;
}
