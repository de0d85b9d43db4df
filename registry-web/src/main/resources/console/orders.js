// SPDX-License-Identifier: Apache-2.0
// Orders about many: serials that may register once more, credentials that are revoked or renewed.

import { html, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, post, query, remove } from './api.js';
import { Action, Code, Empty, Field, Head, List, State, Tabs, Time } from './parts.js';
import { inFleet } from './route.js';

const KINDS = ['allowances', 'revocations', 'rotations'];

export function Orders({ fleet, params, here, go, may }) {
    const kind = KINDS.includes(params.kind) ? params.kind : 'allowances';
    const [version, setVersion] = useState(0);
    const changed = () => setVersion((before) => before + 1);
    const write = may('devices:write', fleet);
    const path = at`/fleets/${fleet}/${kind}`;
    const times = html`<${Field} name="notBefore" kind="time" label=${t('not-before')} />
        <${Field} name="notAfter" kind="time" label=${t('not-after')} />`;
    const order = ({ lot, ...found }) => post(path, { ...(lot ? { lot } : { all: true }), ...found });
    const allow = ({ serials, ...found }) => post(path, { serials: serials.split(/\s+/).filter(Boolean), ...found });
    const undo = (one) =>
        write &&
        html`<${Action}
            label=${t('call-off')}
            text=${t('call-off-text-' + kind)}
            run=${() => remove(path + '/' + encodeURIComponent(one.id))}
            done=${changed}
        />`;
    const time = (member, label) => [t(label), (one) => html`<${Time} of=${one[member]} />`];
    const columns = {
        allowances: [
            [t('serial'), (one) => one.serial],
            [t('state'), (one) => html`<${State} of=${one.state} />`],
            [t('reason'), (one) => one.reason],
            [t('who'), (one) => one.operator],
            time('notBefore', 'not-before'),
            time('notAfter', 'not-after'),
            [t('key'), (one) => one.key && html`<${Code}>${one.key}<//>`],
            [t('actions'), (one) => ['open', 'given'].includes(one.state) && undo(one)],
        ],
        revocations: [
            [t('lot'), (one) => one.lot ?? t('whole-fleet')],
            time('issuedAt', 'issued-at'),
            [t('reason'), (one) => one.reason],
            [t('who'), (one) => one.operator],
        ],
        rotations: [
            [t('lot'), (one) => one.lot ?? t('whole-fleet')],
            time('issuedAt', 'issued-at'),
            time('notBefore', 'not-before'),
            time('notAfter', 'not-after'),
            [t('reason'), (one) => one.reason],
            [t('who'), (one) => one.operator],
            [t('actions'), (one) => undo(one)],
        ],
    }[kind];
    return html`<${Head} title=${t('view-orders')} above=${fleet}>
            ${
                write &&
                kind === 'allowances' &&
                html`<${Action} label=${t('new-allowances')} text=${t('allowances-text')} main run=${allow} done=${changed}>
                    <${Field} name="serials" kind="area" label=${t('serials-lines')} required />
                    <${Field} name="reason" label=${t('reason')} required maxlength="200" />
                    ${times}
                <//>`
            }
            ${
                write &&
                kind === 'revocations' &&
                html`<${Action}
                    label=${t('new-revocations')}
                    text=${t('revocations-text')}
                    danger
                    confirm=${fleet}
                    run=${order}
                    done=${changed}
                >
                    <${Field} name="lot" label=${t('lot')} hint=${t('lot-or-fleet')} />
                    <${Field} name="reason" label=${t('reason')} required maxlength="200" />
                <//>`
            }
            ${
                write &&
                kind === 'rotations' &&
                html`<${Action} label=${t('new-rotations')} text=${t('rotations-text')} main run=${order} done=${changed}>
                    <${Field} name="lot" label=${t('lot')} hint=${t('lot-or-fleet')} />
                    <${Field} name="reason" label=${t('reason')} required maxlength="200" />
                    ${times}
                <//>`
            }
        <//>
        <${Tabs}
            label=${t('view-orders')}
            now=${kind}
            of=${KINDS.map((each) => [each, t('orders-' + each), inFleet(fleet, 'orders', { kind: each })])}
        />
        ${
            kind === 'allowances' &&
            html`<div class="filters">
                <label>
                    <span>${t('serial')}</span>
                    <input
                        type="search"
                        value=${params.serial ?? ''}
                        onChange=${(event) => go(here({ kind, serial: event.target.value.trim() }))}
                    />
                </label>
            </div>`
        }
        <${List}
            key=${kind}
            label=${t('orders-' + kind)}
            path=${path + query({ limit: 50, serial: kind === 'allowances' ? params.serial : '' })}
            member=${kind}
            here=${here}
            params=${params}
            version=${version}
            columns=${columns}
            empty=${html`<${Empty} title=${t('no-' + kind)}>${t(kind + '-text')}<//>`}
        />`;
}
