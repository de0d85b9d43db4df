// SPDX-License-Identifier: Apache-2.0
// Keys: those that sign access tokens, and those that factories derive evidence from.

import { html, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, post } from './api.js';
import { useLoad } from './load.js';
import { Action, Code, Empty, Fault, Field, Head, List, Loading, State, Table, Time, number } from './parts.js';

export function SigningKeys() {
    const { answer, body, reload } = useLoad('/signing-keys');
    const rotate = (emergency) => (found) => post('/signing-keys/rotate', { emergency, ...found });
    const reason = html`<${Field} name="reason" label=${t('reason')} maxlength="200" />`;
    return html`<${Head} title=${t('view-signing-keys')}>
            <${Action} label=${t('key-next')} text=${t('key-next-text')} main run=${rotate(false)} done=${reload}>${reason}<//>
            <${Action}
                label=${t('key-emergency')}
                text=${t('key-emergency-text')}
                danger
                confirm=${t('emergency')}
                run=${rotate(true)}
                done=${reload}
                >${reason}<//
            >
        <//>
        <${Fault} answer=${answer} again=${reload} />
        ${
            body === null
                ? !answer && html`<${Loading} />`
                : html`<${Table}
                      label=${t('view-signing-keys')}
                      rows=${body.signingKeys}
                      id=${(key) => key.kid}
                      columns=${[
                          [t('key'), (key) => html`<${Code}>${key.kid}<//>`],
                          [t('algorithm'), (key) => key.algorithm],
                          [t('state'), (key) => html`<${State} of=${key.state} />`],
                          [t('created-at'), (key) => html`<${Time} of=${key.createdAt} />`],
                          [t('not-before'), (key) => html`<${Time} of=${key.notBefore} />`],
                          [t('not-after'), (key) => html`<${Time} of=${key.notAfter} />`],
                          [t('published-until'), (key) => html`<${Time} of=${key.publishedUntil} />`],
                      ]}
                  />`
        }`;
}

export function EnrolmentKeys({ fleet, params, here }) {
    const [version, setVersion] = useState(0);
    const changed = () => setVersion((before) => before + 1);
    const path = at`/fleets/${fleet}/enrolment-keys`;
    return html`<${Head} title=${t('view-enrolment-keys')} above=${fleet}>
            <${Action}
                label=${t('new-enrolment-key')}
                text=${t('enrolment-key-text')}
                main
                run=${(found) => post(path, found)}
                secret=${(body) => body.key}
                done=${changed}
            >
                <${Field} name="id" label=${t('name')} maxlength="64" hint=${t('optional')} />
                <${Field} name="notBefore" kind="time" label=${t('not-before')} />
                <${Field} name="notAfter" kind="time" label=${t('not-after')} />
                <${Field} name="maxUses" kind="number" min="1" label=${t('max-uses')} />
                <${Field} name="key" kind="password" label=${t('import-key')} hint=${t('import-key-hint')} />
            <//>
        <//>
        <${List}
            label=${t('view-enrolment-keys')}
            path=${path + '?limit=50'}
            member="enrolmentKeys"
            here=${here}
            params=${params}
            version=${version}
            columns=${[
                [t('key'), (key) => html`<${Code}>${key.id}<//>`],
                [t('state'), (key) => html`<${State} of=${key.state} />`],
                [t('uses'), (key) => number(key.uses) + (key.maxUses ? ' / ' + number(key.maxUses) : '')],
                [t('not-before'), (key) => html`<${Time} of=${key.notBefore} />`],
                [t('not-after'), (key) => html`<${Time} of=${key.notAfter} />`],
                [t('created-at'), (key) => html`<${Time} of=${key.createdAt} />`],
                [
                    t('actions'),
                    (key) =>
                        key.state !== 'revoked' &&
                        html`<${Action}
                            label=${t('revoke')}
                            title=${t('revoke-key', { key: key.id })}
                            text=${t('revoke-key-text')}
                            danger
                            confirm=${key.id}
                            run=${() => post(path + at`/${key.id}/revoke`)}
                            done=${changed}
                        />`,
                ],
            ]}
            empty=${html`<${Empty} title=${t('no-enrolment-keys')}>${t('no-enrolment-keys-text')}<//>`}
        />`;
}
