// SPDX-License-Identifier: Apache-2.0
// The devices of a fleet: searched, filtered, and changed all at once.

import { html, useEffect, useRef, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, download, query } from './api.js';
import { Bulk } from './bulk.js';
import { all, compare, likeSearch } from './filter.js';
import { useLater } from './load.js';
import { DeviceLink, Empty, Fault, Head, List, State, Time } from './parts.js';
import { inFleet, link } from './route.js';

const STATES = ['pending', 'active', 'disabled', 'retired'];

export function Devices({ fleet, params, here, go, may }) {
    const [text, setText] = useState(params.q ?? '');
    const [answer, setAnswer] = useState(null);
    const field = useRef(null);
    useEffect(() => setText(params.q ?? ''), [params.q]);
    const set = (more) => go(here({ ...params, cursor: '', find: '', ...more }));
    useLater(text, (q) => q !== (params.q ?? '') && set({ q }));
    useEffect(() => {
        if (params.find) {
            field.current?.focus();
        }
    }, [params.find]);
    const { q, state, filter, sort, cursor } = params;
    const path = '/devices' + query({ fleet, q, state, filter, sort, limit: 50 });
    const every = all(compare('state', 'eq', state), filter);
    const save = async (type) =>
        setAnswer(
            await download(at`/fleets/${fleet}/exports/devices` + query({ filter: every }), 'devices.' + type, {
                accept: type === 'csv' ? 'text/csv' : 'application/x-ndjson',
            }),
        );
    const isSearch = Boolean(q || state || filter);
    return html`<${Head} title=${t('view-devices')} above=${fleet}>
            <button type="button" onClick=${() => save('csv')}>${t('export-csv')}</button>
            <button type="button" onClick=${() => save('ndjson')}>${t('export-json')}</button>
        <//>
        <div class="filters" role="search">
            <label class="grow">
                <span>${t('search')}</span>
                <input
                    ref=${field}
                    type="search"
                    value=${text}
                    maxlength="256"
                    spellcheck="false"
                    placeholder=${t('search-devices')}
                    onInput=${(event) => setText(event.target.value)}
                />
            </label>
            <label>
                <span>${t('state')}</span>
                <select value=${state ?? ''} onChange=${(event) => set({ state: event.target.value })}>
                    <option value="">${t('any')}</option>
                    ${STATES.map((each) => html`<option value=${each} key=${each}>${t('state-' + each)}</option>`)}
                </select>
            </label>
            <label>
                <span>${t('sort')}</span>
                <select value=${sort ?? ''} onChange=${(event) => set({ sort: event.target.value })}>
                    <option value="">${t('sort-best')}</option>
                    <option value="-createdAt">${t('sort-newest')}</option>
                    <option value="serial">${t('serial')}</option>
                    <option value="name">${t('name')}</option>
                </select>
            </label>
            <${FilterField} value=${filter} set=${(text) => set({ filter: text })} hint=${t('filter-hint')} />
        </div>
        <${Fault} answer=${answer} />
        ${
            may('devices:write', fleet) &&
            (q
                ? html`<p class="hint">
                      ${t('bulk-needs-filter')}${' '}
                      <a href=${here({ ...params, q: '', cursor: '', filter: all(filter, likeSearch(q)) })}>${t('search-to-filter')}</a>
                  </p>`
                : html`<${Bulk} fleet=${fleet} filter=${every} go=${go} />`)
        }
        <${List}
            label=${t('view-devices')}
            path=${path}
            member="devices"
            here=${here}
            params=${params}
            id=${(device) => device.deviceId}
            columns=${[
                [t('serial'), (device) => html`<${DeviceLink} id=${device.deviceId}>${device.serial}<//>`],
                [t('name'), (device) => (device.name === device.serial ? '' : device.name)],
                [t('state'), (device) => html`<${State} of=${device.state} />`],
                [
                    t('lot'),
                    (device) => device.tags.lot && html`<a href=${inFleet(fleet, ['lots', device.tags.lot])}>${device.tags.lot}</a>`,
                ],
                [t('owner'), (device) => device.tags.owner ?? ''],
                [t('registered-at'), (device) => html`<${Time} of=${device.createdAt} />`],
            ]}
            empty=${
                isSearch || cursor
                    ? html`<${Empty} title=${t('no-match')}><a href=${here({})}>${t('show-all')}</a><//>`
                    : html`<${Empty} title=${t('no-devices')}>
                          ${t('no-devices-text')} <a href=${inFleet(fleet, 'serials')}>${t('view-serials')}</a> ·${' '}
                          <a href=${link(['fleets', fleet, 'rules'])}>${t('view-rules')}</a>
                      <//>`
            }
        />`;
}

/** A filter that a person writes; it counts when it is sent. */
export function FilterField({ value, set, hint }) {
    const [text, setText] = useState(value ?? '');
    useEffect(() => setText(value ?? ''), [value]);
    return html`<form
        class="filter-form"
        onSubmit=${(event) => {
            event.preventDefault();
            set(text.trim());
        }}
    >
        <label class="grow">
            <span>${t('filter')}</span>
            <input
                class="code"
                value=${text}
                maxlength="2000"
                spellcheck="false"
                placeholder=${hint}
                onInput=${(event) => setText(event.target.value)}
            />
        </label>
        <button type="submit">${t('apply')}</button>
        ${value && html`<button type="button" onClick=${() => set('')}>${t('clear')}</button>`}
    </form>`;
}
