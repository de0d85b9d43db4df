// SPDX-License-Identifier: Apache-2.0
// One action for every device that matches. First a job tries it and undoes it, so that the number and the failures are known.

import { html, useEffect, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, post } from './api.js';
import { useLoad } from './load.js';
import { Dialog, Fault, Field, Form, fromLines, number, wrong } from './parts.js';
import { inFleet } from './route.js';

const ACTIONS = ['disable', 'enable', 'tag', 'rotate', 'revoke', 'retire', 'delete'];
const DANGEROUS = ['disable', 'revoke', 'retire', 'delete'];

export const isOver = (job) => ['done', 'failed', 'cancelled'].includes(job.state);

/** @param filter of the devices; an empty one means every device of the fleet */
export function Bulk({ fleet, filter, go }) {
    const [action, setAction] = useState(null);
    return html`<div class="bulk">
        <label>
            <span>${filter ? t('bulk-match') : t('bulk-all')}</span>
            <select
                value=""
                onChange=${(event) => {
                    setAction(event.target.value || null);
                    event.target.value = '';
                }}
            >
                <option value="">${t('bulk-choose')}</option>
                ${ACTIONS.map((each) => html`<option value=${each} key=${each}>${t('bulk-' + each)}</option>`)}
            </select>
        </label>
        ${action && html`<${Steps} fleet=${fleet} filter=${filter} action=${action} go=${go} close=${() => setAction(null)} />`}
    </div>`;
}

function Steps({ fleet, filter, action, go, close }) {
    const [order, setOrder] = useState(null);
    const [trial, setTrial] = useState(null);
    const title = t('bulk-' + action);
    const which = filter ? { filter } : { all: true };
    const send = (more) => post(at`/fleets/${fleet}/jobs`, { action, ...which, ...more });
    const attempt = async (found) => {
        const more = { ...found };
        if (action === 'tag') {
            more.tags = Object.fromEntries(Object.entries(fromLines(found.tags)).map(([name, text]) => [name, text === '' ? null : text]));
            if (Object.keys(more.tags).length === 0) {
                return wrong(t('tags-needed'));
            }
        }
        const answer = await send({ ...more, dryRun: true });
        if (answer.ok) {
            setOrder(more);
            setTrial(answer.body);
        }
        return answer;
    };
    return html`<${Dialog} title=${title} onClose=${close}>
        <p>${filter ? html`${t('bulk-filter')} <code>${filter}</code>` : t('bulk-every', { fleet })}</p>
        ${
            trial === null
                ? html`<${Form} send=${attempt} submit=${t('bulk-try')} cancel=${close}>
                      <p class="hint">${t('bulk-try-text')}</p>
                      ${action === 'tag' && html`<${Field} name="tags" kind="area" label=${t('tags')} hint=${t('tags-hint')} required />`}
                      ${['revoke', 'rotate'].includes(action) && html`<${Field} name="reason" label=${t('reason')} maxlength="200" />`}
                  <//>`
                : html`<${Tried}
                      fleet=${fleet}
                      id=${trial.id}
                      action=${action}
                      close=${close}
                      send=${() => send(order)}
                      done=${(answer) => {
                          close();
                          go(inFleet(fleet, ['jobs', answer.body.id]));
                      }}
                  />`
        }
    <//>`;
}

function Tried({ fleet, id, action, close, send, done }) {
    const { answer, body: job } = useLoad(at`/fleets/${fleet}/jobs/${id}`, { every: 700, until: (got) => got.ok && isOver(got.body) });
    const [typed, setTyped] = useState('');
    useEffect(() => setTyped(''), [id]);
    if (job === null || !isOver(job)) {
        return html`<${Fault} answer=${answer} />
            <p role="status">${t('bulk-trying', { done: number(job?.done ?? 0) })}</p>
            <progress aria-label=${t('progress')}></progress>
            <div class="actions"><button type="button" onClick=${close}>${t('cancel')}</button></div>`;
    }
    const count = job.done - job.failed;
    const asks = DANGEROUS.includes(action) && count > 0;
    const checked = (found) => (asks && found.typed !== fleet ? wrong(t('type-exactly', { name: fleet })) : send());
    return html`<div role="status">
            <p class="big-number">${t('bulk-count', { count: number(count) })}</p>
            ${job.failed > 0 && html`<p>${t('bulk-failing', { failed: number(job.failed) })} <a href=${inFleet(fleet, ['jobs', id])}>${t('see-which')}</a></p>`}
            ${job.error && html`<p>${job.error}</p>`}
        </div>
        ${
            count === 0
                ? html`<div class="actions"><button type="button" class="main" onClick=${close}>${t('close')}</button></div>`
                : html`<${Form}
                      send=${checked}
                      done=${done}
                      cancel=${close}
                      danger=${asks}
                      submit=${t('bulk-do-' + action, { count: number(count) })}
                  >
                      ${
                          asks &&
                          html`<${Field}
                              name="typed"
                              label=${t('type-name', { name: fleet })}
                              value=${typed}
                              onInput=${(event) => setTyped(event.target.value)}
                              required
                          />`
                      }
                  <//>`
        }`;
}
