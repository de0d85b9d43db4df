// SPDX-License-Identifier: Apache-2.0
// Lots: how many serials of a lot may register, and when.

import { html, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, put } from './api.js';
import { useLoad } from './load.js';
import { Action, Empty, Facts, Fault, Field, Form, Head, List, Loading, State, Time, notify, number } from './parts.js';
import { inFleet } from './route.js';

/** Whether a lot is open now, as far as its own times and its pause say. */
export function stateOf(lot, now = Date.now()) {
    if (lot.paused) {
        return 'paused';
    }
    if (lot.notBefore && Date.parse(lot.notBefore) > now) {
        return 'early';
    }
    return lot.notAfter && Date.parse(lot.notAfter) <= now ? 'over' : 'open';
}

/** The address of a lot. A slash in its name stays one. */
const pathOf = (fleet, lot) => at`/fleets/${fleet}/lots/` + lot.split('/').map(encodeURIComponent).join('/');

const Fields = ({ lot = {} }) => html`
    <${Field} name="expected" kind="number" min="0" label=${t('expected')} value=${lot.expected} hint=${t('expected-hint')} />
    <${Field} name="notBefore" kind="time" label=${t('not-before')} value=${lot.notBefore} />
    <${Field} name="notAfter" kind="time" label=${t('not-after')} value=${lot.notAfter} />
    <${Field} name="paused" kind="check" label=${t('paused')} value=${lot.paused} />
`;

export function Lots({ fleet, params, here, go, may }) {
    const create = ({ lot, ...found }) => put(pathOf(fleet, lot), found);
    return html`<${Head} title=${t('view-lots')} above=${fleet}>
            ${
                may('lots:write', fleet) &&
                html`<${Action} label=${t('new-lot')} main run=${create} done=${(answer) => go(inFleet(fleet, ['lots', answer.body.lot]))}>
                    <${Field} name="lot" label=${t('name')} required maxlength="128" />
                    <${Fields} />
                <//>`
            }
        <//>
        <${List}
            label=${t('view-lots')}
            path=${at`/fleets/${fleet}/lots?limit=50`}
            member="lots"
            here=${here}
            params=${params}
            id=${(lot) => lot.lot}
            columns=${[
                [t('lot'), (lot) => html`<a href=${inFleet(fleet, ['lots', lot.lot])}>${lot.lot}</a>`],
                [t('state'), (lot) => html`<${State} of=${stateOf(lot)} />`],
                [t('imported'), (lot) => number(lot.imported)],
                [t('expected'), (lot) => number(lot.expected)],
                [t('not-before'), (lot) => html`<${Time} of=${lot.notBefore} />`],
                [t('not-after'), (lot) => html`<${Time} of=${lot.notAfter} />`],
            ]}
            empty=${html`<${Empty} title=${t('no-lots')}>${t('no-lots-text')}<//>`}
        />`;
}

export function Lot({ fleet, args, may }) {
    const name = args.join('/');
    const path = pathOf(fleet, name);
    const { answer, body: lot, reload } = useLoad(path);
    const [turn, setTurn] = useState(0);
    if (lot === null) {
        return html`<${Head} title=${name} />${answer ? html`<${Fault} answer=${answer} again=${reload} />` : html`<${Loading} />`}`;
    }
    const changed = () => {
        reload();
        setTurn((before) => before + 1);
    };
    const counted = lot.counted ? t('counted', { count: number(lot.counted) }) : '';
    const total = lot.expected ?? lot.imported;
    return html`<${Head} title=${name} above=${html`<a href=${inFleet(fleet, 'lots')}>${t('view-lots')}</a>`}>
            <${State} of=${stateOf(lot)} />
        <//>
        <div class="columns">
            <section class="card" aria-labelledby="counts-title">
                <h2 id="counts-title">${t('counts')}</h2>
                <label class="meter">
                    <span>${t('registered-of', { registered: number(lot.registered), total: number(total) })}</span>
                    <progress max=${Math.max(1, total ?? 1)} value=${lot.registered ?? 0}></progress>
                </label>
                <${Facts}
                    of=${[
                        [t('imported'), number(lot.imported)],
                        [t('expected'), number(lot.expected)],
                        [t('state-registered'), number(lot.registered)],
                        [t('state-blocked'), number(lot.blocked)],
                    ]}
                />
                <p class="hint">${counted}</p>
                <p>
                    <a href=${inFleet(fleet, 'serials', { lot: name })}>${t('view-serials')}</a> ·${' '}
                    <a href=${inFleet(fleet, 'devices', { filter: 'lot eq ' + JSON.stringify(name) })}>${t('view-devices')}</a>
                </p>
            </section>
            ${
                may('lots:write', fleet) &&
                html`<section class="card" aria-labelledby="limits-title">
                    <h2 id="limits-title">${t('limits')}</h2>
                    <${Form}
                        key=${turn}
                        send=${(found) => put(path, found, { etag: answer.etag })}
                        submit=${t('save')}
                        done=${() => {
                            notify(t('saved'));
                            changed();
                        }}
                    >
                        <${Fields} lot=${lot} />
                    <//>
                </section>`
            }
        </div>`;
}
