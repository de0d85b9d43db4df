// SPDX-License-Identifier: Apache-2.0
// One device: what it is, what it has, what happened to it, and what can be done about it.

import { html, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, patch, post, put, remove } from './api.js';
import { useLoad } from './load.js';
import {
    Action,
    Code,
    Empty,
    Facts,
    Fault,
    Field,
    Form,
    Head,
    List,
    Loading,
    State,
    Time,
    fromLines,
    lines,
    notify,
    word,
} from './parts.js';
import { inFleet } from './route.js';
import { VerifyRecord } from './sealed.js';

/** Tags that the registry keeps itself. */
const OWN_TAGS = ['serial', 'lot', 'enrolmentKey', 'certificate', 'owner', 'group'];

export function Device({ args: [id], may, params, here }) {
    const { answer, body: device, reload } = useLoad(at`/devices/${id}`);
    const [version, setVersion] = useState(0);
    const changed = () => {
        reload();
        setVersion((before) => before + 1);
    };
    if (device === null) {
        return html`<${Head} title=${t('device')} />${answer ? html`<${Fault} answer=${answer} again=${reload} />` : html`<${Loading} />`}`;
    }
    const write = may('devices:write', device.fleet);
    return html`<${Head}
            title=${device.name ?? device.serial}
            above=${html`<a href=${inFleet(device.fleet, 'devices')}>${device.fleet}</a> / ${device.serial}`}
        >
            <${State} of=${device.state} />
            ${write && html`<${Actions} device=${device} etag=${answer.etag} changed=${changed} />`}
        <//>
        <div class="columns">
            <section class="card" aria-labelledby="facts-title">
                <h2 id="facts-title">${t('facts')}</h2>
                <${Facts}
                    of=${[
                        [t('device-id'), html`<${Code}>${device.deviceId}<//>`],
                        [t('serial'), device.serial],
                        [t('fleet'), device.fleet],
                        [
                            t('lot'),
                            device.tags?.lot && html`<a href=${inFleet(device.fleet, ['lots', device.tags.lot])}>${device.tags.lot}</a>`,
                        ],
                        [t('registered-at'), html`<${Time} of=${device.createdAt} />`],
                        ...Object.entries(device.tags ?? {})
                            .filter(([name]) => !['serial', 'lot'].includes(name))
                            .map(([name, text]) => [t('tag-of', { name }), text]),
                        ...Object.entries(device.attributes ?? {}).map(([name, value]) => [t('attribute-of', { name }), String(value)]),
                    ]}
                />
                ${write && device.state !== 'retired' && html`<${Edit} key=${answer.etag} device=${device} etag=${answer.etag} changed=${changed} />`}
            </section>
            <${Owner} device=${device} write=${write} version=${version} changed=${changed} />
        </div>
        <section aria-labelledby="credentials-title">
            <h2 id="credentials-title">${t('credentials')}</h2>
            <${Credentials} device=${device} write=${write} changed=${changed} />
        </section>
        <section>
            <h2>${t('timeline')}</h2>
            <${List}
                label=${t('timeline')}
                path=${at`/devices/${id}/events` + '?limit=25'}
                member="events"
                version=${version}
                here=${here}
                params=${params}
                id=${(event) => event.id ?? event.type + event.key}
                columns=${[
                    [t('time'), (event) => html`<${Time} of=${event.at} />`],
                    [t('what'), (event) => html`<span class=${'event event-' + event.type}>${word('event', event.type)}</span>`],
                    [t('who'), (event) => event.who ?? ''],
                    [t('detail'), (event) => event.detail ?? (event.key ? html`<${Code}>${event.key}<//>` : '')],
                    [t('record'), (event) => may('devices:read') && recordId(event) && html`<${VerifyRecord} id=${recordId(event)} />`],
                ]}
                empty=${html`<${Empty} title=${t('no-events')} />`}
            />
        </section>`;
}

/** The id of the record of an event. An admission is its credential's; uses of a credential are no records. */
const recordId = (event) => (event.type.startsWith('registered') ? event.key : event.type.startsWith('credential-') ? null : event.id);

function Actions({ device, etag, changed }) {
    const run = (action) => (found) =>
        post(at`/devices/${device.deviceId}/${action}`, ['revoke', 'rotate'].includes(action) ? found : undefined);
    const reason = html`<${Field} name="reason" label=${t('reason')} maxlength="200" />`;
    const tombstone = device.state === 'retired';
    return html`
        ${
            device.state === 'active' || device.state === 'pending'
                ? html`<${Action} label=${t('disable')} text=${t('disable-text')} run=${run('disable')} done=${changed} />`
                : null
        }
        ${device.state === 'disabled' && html`<${Action} label=${t('enable')} text=${t('enable-text')} main run=${run('enable')} done=${changed} />`}
        ${
            !tombstone &&
            html`<${Action} label=${t('rotate')} text=${t('rotate-text')} run=${run('rotate')} done=${changed}>${reason}<//>
                <${Action}
                    label=${t('revoke')}
                    text=${t('revoke-text')}
                    danger
                    confirm=${device.serial}
                    run=${run('revoke')}
                    done=${changed}
                    >${reason}<//
                >
                <${Action}
                    label=${t('retire')}
                    text=${t('retire-text')}
                    danger
                    confirm=${device.serial}
                    run=${run('retire')}
                    done=${changed}
                />`
        }
        <${Action}
            label=${t('delete')}
            text=${t('delete-text')}
            danger
            confirm=${device.serial}
            run=${() => remove(at`/devices/${device.deviceId}`, { etag })}
            done=${changed}
        />
    `;
}

/** Name, tags and attributes. Only what was changed is sent, and only if nobody else changed the device meanwhile. */
function Edit({ device, etag, changed }) {
    const tags = Object.fromEntries(Object.entries(device.tags ?? {}).filter(([name]) => !OWN_TAGS.includes(name)));
    const send = (found) => {
        const body = {};
        if ((found.name ?? '') !== (device.name ?? '')) {
            body.name = found.name ?? null;
        }
        const newTags = difference(tags, fromLines(found.tags));
        const newAttributes = difference(device.attributes ?? {}, fromLines(found.attributes), typed(device.attributes ?? {}));
        if (newTags) {
            body.tags = newTags;
        }
        if (newAttributes) {
            body.attributes = newAttributes;
        }
        return patch(at`/devices/${device.deviceId}`, body, { etag });
    };
    return html`<details>
        <summary>${t('change')}</summary>
        <${Form}
            send=${send}
            submit=${t('save')}
            done=${() => {
                notify(t('saved'));
                changed();
            }}
        >
            <${Field} name="name" label=${t('name')} value=${device.name} maxlength="200" />
            <${Field} name="tags" kind="area" label=${t('tags')} value=${lines(tags)} hint=${t('lines-hint')} />
            <${Field} name="attributes" kind="area" label=${t('attributes')} value=${lines(device.attributes)} hint=${t('lines-hint')} />
        <//>
    </details>`;
}

/** Reads a value as its attribute was: a number stays a number. New ones are what they look like. */
const typed = (before) => (name, text) => {
    const type = typeof before[name];
    if ((type === 'undefined' || type === 'boolean') && /^(true|false)$/.test(text)) {
        return text === 'true';
    }
    return (type === 'undefined' || type === 'number') && text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
};

/** The merge patch from one map to another; null if they are equal. */
export function difference(before, after, read = (name, text) => text) {
    const found = {};
    for (const name of Object.keys(before)) {
        if (!(name in after)) {
            found[name] = null;
        }
    }
    for (const [name, text] of Object.entries(after)) {
        if (!(name in before) || String(before[name]) !== text) {
            found[name] = read(name, text);
        }
    }
    return Object.keys(found).length === 0 ? null : found;
}

function Credentials({ device, write, changed }) {
    const credentials = device.credentials ?? [];
    if (credentials.length === 0) {
        return html`<${Empty} title=${t('no-credentials')} />`;
    }
    return html`<ul class="cards">
        ${credentials.map(
            (one) =>
                html`<li class="card" key=${one.key}>
                    <p><${State} of=${one.state} /> ${word('kind', one.kind)}</p>
                    <${Facts}
                        of=${[
                            [t('key'), html`<${Code}>${one.key}<//>`],
                            [t('origin'), one.origin],
                            [t('created-at'), html`<${Time} of=${one.createdAt} />`],
                            [t('confirmed-at'), one.confirmedAt && html`<${Time} of=${one.confirmedAt} />`],
                            [t('last-used-at'), one.lastUsedAt && html`<${Time} of=${one.lastUsedAt} />`],
                            [t('expires-at'), one.expiresAt && html`<${Time} of=${one.expiresAt} />`],
                            [t('rotate-by'), one.rotateBy && html`<${Time} of=${one.rotateBy} />`],
                        ]}
                    />
                    ${
                        write &&
                        one.state !== 'revoked' &&
                        html`<${Action}
                            label=${t('revoke')}
                            title=${t('revoke-one')}
                            text=${t('revoke-text')}
                            danger
                            run=${(found) => post(at`/devices/${device.deviceId}/revoke`, { key: one.key, ...found })}
                            done=${changed}
                        >
                            <${Field} name="reason" label=${t('reason')} maxlength="200" />
                        <//>`
                    }
                </li>`,
        )}
    </ul>`;
}

function Owner({ device, write, version, changed }) {
    const owner = device.tags?.owner;
    const path = at`/devices/${device.deviceId}/owner`;
    const { body, reload } = useLoad(owner ? path : null, { options: { quiet: true } });
    const over = () => {
        reload();
        changed();
    };
    return html`<section class="card" aria-labelledby="owner-title">
        <h2 id="owner-title">${t('owner')}</h2>
        ${
            owner
                ? html`<${Facts}
                      of=${[
                          [t('user'), body ? (body.ownerName ?? body.provider + ':' + body.subject) : owner],
                          [t('group'), body?.group],
                          [t('owner-calls-it'), body?.name],
                          [t('claimed-at'), body && html`<${Time} of=${body.claimedAt} />`],
                      ]}
                  />`
                : html`<p>${t('no-owner')}</p>`
        }
        ${
            write &&
            device.state !== 'retired' &&
            html`<div class="actions">
                <${Action}
                    label=${owner ? t('owner-change') : t('owner-set')}
                    text=${t('owner-text')}
                    run=${(found) => put(path, found)}
                    done=${over}
                >
                    <${Field} name="provider" label=${t('provider')} required />
                    <${Field} name="subject" label=${t('subject')} required />
                    <${Field} name="group" label=${t('group')} />
                <//>
                ${owner && html`<${Action} label=${t('owner-end')} text=${t('owner-end-text')} danger run=${() => remove(path)} done=${over} />`}
            </div>`
        }
    </section>`;
}
