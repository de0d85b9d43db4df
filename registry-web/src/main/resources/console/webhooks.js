// SPDX-License-Identifier: Apache-2.0
// Webhooks of a fleet: where its events go, what did not arrive, and how to send it again.

import { html, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, get, post, put, remove } from './api.js';
import { useLoad } from './load.js';
import {
    Action,
    Code,
    Dialog,
    Empty,
    Facts,
    Fault,
    Field,
    Head,
    List,
    Loading,
    State,
    Time,
    notify,
    number,
    word,
    wrong,
} from './parts.js';
import { inFleet } from './route.js';

const STATES = ['waiting', 'delivered', 'dead'];

const Fields = ({ webhook = { enabled: true } }) => html`
    <${Field} name="url" kind="url" label=${t('address')} value=${webhook.url} required maxlength="1000" />
    <${Field} name="types" label=${t('types')} value=${(webhook.types ?? []).join(' ')} hint=${t('types-hint')} />
    <${Field} name="description" label=${t('description')} value=${webhook.description} maxlength="200" />
    <${Field} name="enabled" kind="check" label=${t('enabled')} value=${webhook.enabled} />
`;

const form = ({ types, ...found }) => ({ ...found, ...(types ? { types: types.split(/[\s,]+/).filter(Boolean) } : {}) });

/** The state of a webhook in one word. */
export const stateOf = (webhook) =>
    webhook.goneAt ? 'gone' : !webhook.enabled ? 'disabled' : webhook.fullSince ? 'full' : webhook.failingSince ? 'failing' : 'active';

export function Webhooks({ fleet, params, here, go, may }) {
    const [version, setVersion] = useState(0);
    return html`<${Head} title=${t('view-webhooks')} above=${fleet}>
            ${
                may('webhooks:write', fleet) &&
                html`<${Action}
                    label=${t('new-webhook')}
                    main
                    run=${(found) => post(at`/fleets/${fleet}/webhooks`, form(found))}
                    secret=${(body) => body.secret}
                    done=${() => setVersion((before) => before + 1)}
                >
                    <${Fields} />
                <//>`
            }
        <//>
        <${List}
            label=${t('view-webhooks')}
            path=${at`/fleets/${fleet}/webhooks`}
            member="webhooks"
            here=${here}
            params=${params}
            version=${version}
            columns=${[
                [t('address'), (one) => html`<a href=${inFleet(fleet, ['webhooks', one.id])}>${one.url}</a>`],
                [t('state'), (one) => html`<${State} of=${stateOf(one)} />`],
                [t('types'), (one) => (one.types ? one.types.map((type) => word('event', type)).join(', ') : t('all-types'))],
                [t('delivered-at'), (one) => html`<${Time} of=${one.deliveredAt} />`],
                [t('failures'), (one) => number(one.failures)],
            ]}
            empty=${html`<${Empty} title=${t('no-webhooks')}>${t('no-webhooks-text')}<//>`}
        />`;
}

export function Webhook({ fleet, args: [id], params, here, go, may }) {
    const path = at`/fleets/${fleet}/webhooks/${id}`;
    const { answer, body: webhook, reload } = useLoad(path);
    const [version, setVersion] = useState(0);
    const [shown, setShown] = useState(null);
    if (webhook === null) {
        return html`<${Head}
                title=${t('webhook')}
            />${answer ? html`<${Fault} answer=${answer} again=${reload} />` : html`<${Loading} />`}`;
    }
    const write = may('webhooks:write', fleet);
    const etag = answer.etag;
    const changed = () => {
        reload();
        setVersion((before) => before + 1);
    };
    const test = async () => {
        const got = await post(path + '/test');
        if (!got.ok) {
            return got;
        }
        const { accepted, status, millis, error } = got.body;
        return accepted ? got : wrong(t('test-failed'), [{ detail: error ?? t('test-status', { status, millis }) }]);
    };
    return html`<${Head}
            title=${webhook.description || webhook.url}
            above=${html`<a href=${inFleet(fleet, 'webhooks')}>${t('view-webhooks')}</a>`}
        >
            <${State} of=${stateOf(webhook)} />
            ${
                write &&
                html`<${Action}
                        label=${t('test')}
                        text=${t('test-text')}
                        main
                        run=${test}
                        done=${(got) => notify(t('test-good', { status: got.body.status, millis: got.body.millis }))}
                    />
                    <${Action} label=${t('change')} submit=${t('save')} run=${(found) => put(path, form(found), { etag })} done=${changed}>
                        <${Fields} webhook=${webhook} />
                    <//>
                    <${Action}
                        label=${t('new-secret')}
                        text=${t('new-secret-text')}
                        run=${() => post(path + '/rotate', {}, { etag })}
                        secret=${(body) => body.secret}
                        done=${changed}
                    />
                    <${Action}
                        label=${t('delete')}
                        text=${t('delete-webhook-text')}
                        danger
                        run=${() => remove(path, { etag })}
                        done=${() => go(inFleet(fleet, 'webhooks'))}
                    />`
            }
        <//>
        <section class="card">
            <${Facts}
                of=${[
                    [t('address'), html`<${Code}>${webhook.url}<//>`],
                    [t('types'), webhook.types ? webhook.types.join(', ') : t('all-types')],
                    [t('delivered-at'), webhook.deliveredAt && html`<${Time} of=${webhook.deliveredAt} />`],
                    [t('failing-since'), webhook.failingSince && html`<${Time} of=${webhook.failingSince} />`],
                    [t('last-error'), webhook.lastError && html`<span class="bad">${webhook.lastError}</span>`],
                    [t('full-since'), webhook.fullSince && html`<${Time} of=${webhook.fullSince} />`],
                    [t('second-secret-until'), webhook.secondSecretUntil && html`<${Time} of=${webhook.secondSecretUntil} />`],
                ]}
            />
        </section>
        <h2>${t('deliveries')}</h2>
        <div class="filters">
            <label>
                <span>${t('state')}</span>
                <select value=${params.state ?? ''} onChange=${(event) => go(here({ state: event.target.value }))}>
                    <option value="">${t('any')}</option>
                    ${STATES.map((each) => html`<option value=${each} key=${each}>${t('state-' + each)}</option>`)}
                </select>
            </label>
            ${
                write &&
                html`<${Action}
                    label=${t('resend-dead')}
                    text=${t('resend-dead-text')}
                    run=${() => post(path + '/deliveries/resend')}
                    done=${changed}
                />`
            }
        </div>
        <${List}
            label=${t('deliveries')}
            path=${path + '/deliveries?limit=25' + (params.state ? '&state=' + params.state : '')}
            member="deliveries"
            here=${here}
            params=${params}
            version=${version}
            every=${5000}
            columns=${[
                [t('what'), (one) => word('event', one.type)],
                [t('state'), (one) => html`<${State} of=${one.state} />`],
                [t('created-at'), (one) => html`<${Time} of=${one.createdAt} />`],
                [t('due-at'), (one) => one.state === 'waiting' && html`<${Time} of=${one.dueAt} />`],
                [t('attempts'), (one) => number(one.attempts)],
                [t('last-error'), (one) => one.lastAttempt?.error ?? one.lastAttempt?.status ?? ''],
                [
                    t('actions'),
                    (one) =>
                        html`<div class="actions small-actions">
                            <button type="button" onClick=${async () => setShown(await get(path + at`/deliveries/${one.id}`))}>
                                ${t('show')}
                            </button>
                            ${write && html`<${Action} label=${t('resend')} run=${() => post(path + at`/deliveries/${one.id}/resend`)} done=${changed} />`}
                        </div>`,
                ],
            ]}
            empty=${html`<${Empty} title=${t('no-deliveries')} />`}
        />
        ${
            shown &&
            html`<${Dialog} title=${t('delivery')} onClose=${() => setShown(null)}>
                <${Fault} answer=${shown} />
                ${shown.ok && html`<pre tabindex="0">${JSON.stringify(shown.body, null, 2)}</pre>`}
                <div class="actions"><button type="button" class="main" onClick=${() => setShown(null)}>${t('close')}</button></div>
            <//>`
        }`;
}
