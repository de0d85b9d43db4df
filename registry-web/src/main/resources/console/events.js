// SPDX-License-Identifier: Apache-2.0
// What happened, the newest first; with the proof that a record is the one that was written.

import { html, useEffect, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { query } from './api.js';
import { all, compare } from './filter.js';
import { FilterField } from './devices.js';
import { useLater } from './load.js';
import { DeviceLink, Empty, Head, List, Time, word } from './parts.js';
import { inFleet } from './route.js';
import { VerifyRecord } from './sealed.js';

const TYPES = [
    'refused',
    'refused-repeat',
    'credential-in-two-places',
    'device-disabled',
    'device-enabled',
    'device-retired',
    'device-changed',
    'device-deleted',
    'credentials-revoked',
    'approval-requested',
    'approval-granted',
    'approval-rejected',
    'serials-imported',
    'serial-blocked',
    'lot-written',
    'fleet-written',
    'device-claimed',
    'job-created',
    'job-ended',
    'webhook-failing',
    'operator-created',
    'operator-revoked',
];

/** The columns of events, here and in the overview. */
export const columns = (may) => [
    [t('time'), (event) => html`<${Time} of=${event.at} />`],
    [t('what'), (event) => html`<span class=${'event event-' + event.type}>${word('event', event.type)}</span>`],
    [t('fleet'), (event) => event.fleet && html`<a href=${inFleet(event.fleet, 'devices')}>${event.fleet}</a>`],
    [
        t('serial'),
        (event) =>
            html`<${DeviceLink} id=${event.deviceId}>${event.serial ?? (event.deviceId ? event.deviceId.slice(0, 12) + '…' : '')}<//>`,
    ],
    [t('who'), (event) => event.who ?? ''],
    [t('detail'), (event) => html`<span class="detail">${event.detail ?? ''}</span>`],
    ...(may('devices:read') ? [[t('record'), (event) => html`<${VerifyRecord} id=${event.id} />`]] : []),
];

export function Events({ params, here, go, may, fleets }) {
    const [serial, setSerial] = useState(params.serial ?? '');
    const [live, setLive] = useState(false);
    const set = (more) => go(here({ ...params, cursor: '', ...more }));
    useLater(serial, (text) => text !== (params.serial ?? '') && set({ serial: text.trim() }));
    useEffect(() => setSerial(params.serial ?? ''), [params.serial]);
    const filter = all(
        compare('type', 'eq', params.type),
        compare('fleet', 'eq', params.fleet),
        compare('serial', 'eq', params.serial),
        params.filter,
    );
    const names = (fleets?.body?.fleets ?? []).map((one) => one.name);
    return html`<${Head} title=${t('view-events')}>
            <label class="inline"
                ><input type="checkbox" checked=${live} onChange=${(event) => setLive(event.target.checked)} /> ${t('live')}</label
            >
        <//>
        <div class="filters" role="search">
            <label>
                <span>${t('serial')}</span>
                <input
                    type="search"
                    value=${serial}
                    maxlength="128"
                    spellcheck="false"
                    onInput=${(event) => setSerial(event.target.value)}
                />
            </label>
            <label>
                <span>${t('what')}</span>
                <select value=${params.type ?? ''} onChange=${(event) => set({ type: event.target.value })}>
                    <option value="">${t('any')}</option>
                    ${TYPES.map((each) => html`<option value=${each} key=${each}>${word('event', each)}</option>`)}
                </select>
            </label>
            <label>
                <span>${t('fleet')}</span>
                <select value=${params.fleet ?? ''} onChange=${(event) => set({ fleet: event.target.value })}>
                    <option value="">${t('any')}</option>
                    ${names.map((each) => html`<option value=${each} key=${each}>${each}</option>`)}
                </select>
            </label>
            <${FilterField}
                value=${params.filter}
                set=${(text) => set({ filter: text })}
                hint=${'who eq "anna" and at ge "2026-12-01T00:00:00Z"'}
            />
        </div>
        <${List}
            key=${live}
            label=${t('view-events')}
            path=${'/events' + query({ filter, limit: 50 })}
            member="events"
            here=${here}
            params=${params}
            every=${live ? 2000 : 0}
            columns=${columns(may)}
            empty=${html`<${Empty} title=${filter ? t('no-match') : t('no-events')} />`}
        />`;
}
