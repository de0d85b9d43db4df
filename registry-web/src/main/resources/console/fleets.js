// SPDX-License-Identifier: Apache-2.0
// All fleets that the operator sees.

import { html } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, put } from './api.js';
import { Action, Fault, Field, Head, Loading, State, Table } from './parts.js';
import { inFleet } from './route.js';

const list = (text) => (text ?? '').split(/[\s,]+/).filter(Boolean);

export function Fleets({ fleets, readFleets, go, may }) {
    const create = (found) =>
        put(at`/fleets/${found.name}`, { verifiers: list(found.verifiers), required: found.required ?? 1 }, { fresh: true });
    return html`<${Head} title=${t('view-fleets')}>
            ${
                may('fleets:write') &&
                html`<${Action}
                    label=${t('new-fleet')}
                    main
                    run=${create}
                    done=${(made) => {
                        readFleets();
                        go(inFleet(made.body.name, 'rules'));
                    }}
                >
                    <${Field} name="name" label=${t('name')} required maxlength="64" pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*" />
                    <${Field} name="verifiers" label=${t('verifiers')} value="database" hint=${t('verifiers-hint')} required />
                    <${Field} name="required" kind="number" min="1" value="1" label=${t('required')} hint=${t('required-hint')} />
                <//>`
            }
        <//>
        <${Fault} answer=${fleets} again=${readFleets} />
        ${
            fleets === null
                ? html`<${Loading} />`
                : html`<${Table}
                      label=${t('view-fleets')}
                      rows=${fleets.body?.fleets ?? []}
                      id=${(one) => one.name}
                      columns=${[
                          [t('fleet'), (one) => html`<a href=${inFleet(one.name, 'rules')}>${one.name}</a>`],
                          [t('verifiers'), (one) => one.verifiers.join(' → ')],
                          [t('required'), (one) => one.required],
                          [t('register-again'), (one) => one.registerAgain],
                          [t('issuer'), (one) => one.issuer],
                          [t('state'), (one) => html`<${State} of=${one.archived ? 'archived' : 'open'} />`],
                          [
                              t('view-devices'),
                              (one) => may('devices:read', one.name) && html`<a href=${inFleet(one.name, 'devices')}>${t('show')}</a>`,
                          ],
                      ]}
                  />`
        }`;
}
