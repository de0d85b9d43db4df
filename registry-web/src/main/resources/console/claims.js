// SPDX-License-Identifier: Apache-2.0
// Claim codes for labels, and whose a serial is.

import { html, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, download, get, put, remove } from './api.js';
import { Action, Facts, Fault, Field, Form, Head, Time, wrong } from './parts.js';

const LABELS = ['a', 'b'];

export function Claims({ fleet, may }) {
    const make = ({ lot, serials, label, form }) => {
        const named = (serials ?? '').split(/\s+/).filter(Boolean);
        if ((lot === undefined) === (named.length === 0)) {
            return wrong(t('lot-or-serials'));
        }
        const sheets = form === 'html';
        return download(at`/fleets/${fleet}/claim-codes`, sheets ? 'labels.html' : 'claim-codes.csv', {
            method: 'POST',
            accept: sheets ? 'text/html' : 'text/csv',
            body: { ...(lot ? { lot } : { serials: named }), ...(sheets ? { label } : {}) },
        });
    };
    return html`<${Head} title=${t('view-claims')} above=${fleet} />
        <div class="columns">
            <section class="card" aria-labelledby="labels-title">
                <h2 id="labels-title">${t('labels')}</h2>
                <p>${t('labels-text')}</p>
                <p class="warning">${t('labels-warning')}</p>
                <${Form} send=${make} submit=${t('make-labels')}>
                    <${Field} name="lot" label=${t('lot')} />
                    <${Field} name="serials" kind="area" label=${t('serials-lines')} hint=${t('lot-or-serials')} />
                    <${Field}
                        name="form"
                        label=${t('labels-as')}
                        kind=${[
                            ['html', t('labels-sheets')],
                            ['csv', t('labels-list')],
                        ]}
                    />
                    <${Field} name="label" label=${t('label-size')} kind=${LABELS.map((size) => [size, t('label-' + size)])} />
                <//>
            </section>
            ${may('devices:read', fleet) && html`<${SerialOwner} fleet=${fleet} write=${may('devices:write', fleet)} />`}
        </div>`;
}

/** The owner of a serial, which may be there before the device is. */
function SerialOwner({ fleet, write }) {
    const [serial, setSerial] = useState(null);
    const [answer, setAnswer] = useState(null);
    const path = (of) => at`/fleets/${fleet}/serials/${of}/owner`;
    const look = async (of) => {
        const got = await get(path(of));
        setSerial(of);
        setAnswer(got);
        // Nobody owns it: that is an answer too.
        return got.status === 404 ? { ...got, ok: true } : got;
    };
    const owner = answer?.body;
    return html`<section class="card" aria-labelledby="serial-owner-title">
        <h2 id="serial-owner-title">${t('owner-of-serial')}</h2>
        <${Form} send=${(found) => look(found.serial)} submit=${t('look-up')}>
            <${Field} name="serial" label=${t('serial')} required maxlength="128" />
        <//>
        ${
            serial &&
            html`<div role="status">
                ${
                    owner
                        ? html`<${Facts}
                              of=${[
                                  [t('serial'), owner.serial],
                                  [t('user'), owner.ownerName ?? owner.provider + ':' + owner.subject],
                                  [t('group'), owner.group],
                                  [t('claimed-at'), html`<${Time} of=${owner.claimedAt} />`],
                              ]}
                          />`
                        : answer.status === 404
                          ? html`<p>${t('no-owner')}</p>`
                          : html`<${Fault} answer=${answer} />`
                }
            </div>`
        }
        ${
            serial &&
            write &&
            html`<div class="actions">
                <${Action}
                    label=${owner ? t('owner-change') : t('owner-set')}
                    text=${t('owner-text')}
                    run=${(found) => put(path(serial), found)}
                    done=${() => look(serial)}
                >
                    <${Field} name="provider" label=${t('provider')} required />
                    <${Field} name="subject" label=${t('subject')} required />
                    <${Field} name="group" label=${t('group')} />
                <//>
                ${owner && html`<${Action} label=${t('owner-end')} text=${t('owner-end-text')} danger run=${() => remove(path(serial))} done=${() => look(serial)} />`}
            </div>`
        }
    </section>`;
}
