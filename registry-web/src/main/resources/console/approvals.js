// SPDX-License-Identifier: Apache-2.0
// Devices that wait for a person. Where two claim one serial, they are shown side by side.

import { html, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, post, query, remove } from './api.js';
import { useLoad } from './load.js';
import { Action, Code, Dialog, DeviceLink, Empty, Facts, Field, Head, List, State, Time, fromLines, number, wrong } from './parts.js';
import { inFleet } from './route.js';

const STATES = ['waiting', 'approved', 'rejected', 'used'];

const Reason = () =>
    html`<${Field} name="reason" label=${t('reason')} maxlength="200" />
        <${Field} name="notAfter" kind="time" label=${t('decision-until')} />`;

export function Approvals({ fleet, params, here, go, may }) {
    const [picked, setPicked] = useState(new Set());
    const [version, setVersion] = useState(0);
    const [pair, setPair] = useState(null);
    const write = may('approvals:write', fleet);
    const changed = () => {
        setPicked(new Set());
        setPair(null);
        setVersion((before) => before + 1);
    };
    const set = (more) => go(here({ ...params, cursor: '', ...more }));
    const state = params.state ?? 'waiting';
    const waiting = state === 'waiting';
    const of = params.origin || params.lot ? { origin: params.origin, lot: params.lot } : { all: true };
    const which = picked.size > 0 ? { ids: [...picked] } : of;
    const decide = (what) => (found) => post(at`/fleets/${fleet}/approvals/${what}`, { ...which, ...found }).then(decided);
    const label = picked.size > 0 ? t('picked', { count: picked.size }) : of.all ? t('every-waiting') : t('every-match');
    return html`<${Head} title=${t('view-approvals')} above=${fleet}>${write && html`<${InAdvance} fleet=${fleet} done=${changed} />`}<//>
        <div class="filters">
            <label>
                <span>${t('state')}</span>
                <select value=${state} onChange=${(event) => set({ state: event.target.value })}>
                    ${STATES.map((each) => html`<option value=${each} key=${each}>${t('state-' + each)}</option>`)}
                </select>
            </label>
            <label>
                <span>${t('origin')}</span>
                <input
                    type="search"
                    value=${params.origin ?? ''}
                    maxlength="64"
                    onChange=${(event) => set({ origin: event.target.value.trim(), lot: '' })}
                />
            </label>
            <label>
                <span>${t('lot')}</span>
                <input
                    type="search"
                    value=${params.lot ?? ''}
                    maxlength="128"
                    onChange=${(event) => set({ lot: event.target.value.trim(), origin: '' })}
                />
            </label>
        </div>
        <${List}
            label=${t('view-approvals')}
            path=${at`/fleets/${fleet}/approvals` + query({ state, origin: params.origin, lot: params.lot, limit: 50 })}
            member="approvals"
            here=${here}
            params=${params}
            version=${version}
            every=${waiting ? 5000 : 0}
            picked=${picked}
            pick=${write && waiting ? setPicked : undefined}
            columns=${[
                [t('serial'), (one) => html`<${DeviceLink} id=${one.deviceId}>${one.serial}<//>`],
                [t('binding'), (one) => (one.binding ? html`<code title=${one.binding}>${one.binding.slice(0, 12)}…</code>` : t('no-key'))],
                [t('origin'), (one) => html`<a href=${here({ ...params, origin: one.origin, lot: '' })}>${one.origin}</a>`],
                [t('lot'), (one) => one.lot && html`<a href=${here({ ...params, lot: one.lot, origin: '' })}>${one.lot}</a>`],
                [t('said'), (one) => html`<${Said} of=${one.verifiers} />`],
                [t('tries'), (one) => number(one.tries)],
                [t('last-seen'), (one) => html`<${Time} of=${one.lastSeen} />`],
                [
                    t('decision'),
                    (one) =>
                        one.neighbours?.sameSerial > 0
                            ? html`<button type="button" class="small danger" onClick=${() => setPair(one.serial)}>
                                  ${t('contested')}
                              </button>`
                            : html`<${Decide} fleet=${fleet} one=${one} write=${write} changed=${changed} small />`,
                ],
            ]}
            tools=${(rows) =>
                write &&
                waiting &&
                rows.length > 0 &&
                html`<div class="bulk">
                    <strong>${label}</strong>
                    <${Action}
                        label=${t('approve')}
                        title=${t('approve') + ': ' + label}
                        main
                        run=${decide('approve')}
                        done=${changed}
                        confirm=${picked.size === 0 ? fleet : null}
                    >
                        <${Reason} />
                    <//>
                    <${Action}
                        label=${t('reject')}
                        title=${t('reject') + ': ' + label}
                        danger
                        run=${decide('reject')}
                        done=${changed}
                        confirm=${picked.size === 0 ? fleet : null}
                    >
                        <${Reason} />
                    <//>
                </div>`}
            empty=${
                waiting
                    ? html`<${Empty} title=${t('nothing-waits')}
                          >${t('nothing-waits-text')} <a href=${inFleet(fleet, 'rules')}>${t('view-rules')}</a><//
                      >`
                    : html`<${Empty} title=${t('no-match')} />`
            }
        />
        ${pair && html`<${Pair} fleet=${fleet} serial=${pair} write=${write} changed=${changed} close=${() => setPair(null)} />`}`;
}

/** Entries that another one contests were not decided, and some may be left: that is no failure, but has to be said. */
const decided = (answer) => {
    if (answer.ok && (answer.body.contested?.length > 0 || answer.body.more)) {
        const faults = [
            answer.body.contested?.length > 0 && { detail: t('contested-left', { count: answer.body.contested.length }) },
            answer.body.more && { detail: t('more-left') },
        ].filter(Boolean);
        return wrong(t('decided', { count: answer.body.changed }), faults);
    }
    return answer;
};

const Said = ({ of }) =>
    html`<ul class="said">
        ${of.map((one) => html`<li key=${one.verifier}>${one.verifier} <${State} of=${one.verdict} /></li>`)}
    </ul>`;

function Decide({ fleet, one, write, changed, small }) {
    if (!write || one.state === 'used') {
        return html`<${State} of=${one.state} />`;
    }
    const path = at`/fleets/${fleet}/approvals/${one.id}`;
    return html`<div class=${small ? 'actions small-actions' : 'actions'}>
        ${
            one.state !== 'approved' &&
            html`<${Action}
                label=${t('approve')}
                title=${t('approve-serial', { serial: one.serial })}
                main
                run=${(found) => post(path + '/approve', found)}
                done=${changed}
            >
                <${Reason} />
            <//>`
        }
        ${
            one.state !== 'rejected' &&
            html`<${Action}
                label=${t('reject')}
                title=${t('reject-serial', { serial: one.serial })}
                danger
                run=${(found) => post(path + '/reject', found)}
                done=${changed}
            >
                <${Reason} />
            <//>`
        }
        ${one.state !== 'waiting' && html`<${Action} label=${t('remove')} text=${t('remove-entry-text')} run=${() => remove(path)} done=${changed} />`}
    </div>`;
}

/** All entries of one serial beside each other: two devices say that they are one. */
function Pair({ fleet, serial, write, changed, close }) {
    const { body, reload } = useLoad(at`/fleets/${fleet}/approvals` + query({ serial, limit: 20 }));
    const over = () => {
        reload();
        changed();
    };
    return html`<${Dialog} title=${t('pair-title', { serial })} onClose=${close}>
        <p>${t('pair-text')}</p>
        <div class="pair">
            ${(body?.approvals ?? []).map(
                (one) =>
                    html`<article class="card" key=${one.id} aria-label=${one.binding ?? t('no-key')}>
                        <p><${State} of=${one.state} /></p>
                        <${Facts}
                            of=${[
                                [t('binding'), one.binding ? html`<${Code}>${one.binding}<//>` : t('no-key')],
                                [t('origin'), one.origin],
                                [t('first-seen'), html`<${Time} of=${one.firstSeen} />`],
                                [t('last-seen'), html`<${Time} of=${one.lastSeen} />`],
                                [t('tries'), number(one.tries)],
                                [t('said'), html`<${Said} of=${one.verifiers} />`],
                                [t('same-origin'), number(one.neighbours?.sameOrigin)],
                                [t('device'), one.deviceId && html`<${DeviceLink} id=${one.deviceId} />`],
                            ]}
                        />
                        <${Decide} fleet=${fleet} one=${one} write=${write} changed=${over} />
                    </article>`,
            )}
        </div>
        <div class="actions"><button type="button" onClick=${close}>${t('close')}</button></div>
    <//>`;
}

function InAdvance({ fleet, done }) {
    const run = (found) => {
        const serials = [];
        const bindings = {};
        Object.entries(fromLines(found.serials)).forEach(([serial, binding]) =>
            binding ? (bindings[serial] = binding) : serials.push(serial),
        );
        const { serials: _, ...rest } = found;
        return post(at`/fleets/${fleet}/approvals`, {
            ...rest,
            ...(serials.length > 0 ? { serials } : {}),
            ...(Object.keys(bindings).length > 0 ? { bindings } : {}),
        });
    };
    return html`<${Action} label=${t('approve-in-advance')} run=${run} done=${done}>
        <${Field} name="serials" kind="area" label=${t('serials-lines')} hint=${t('bindings-hint')} required />
        <${Reason} />
    <//>`;
}
