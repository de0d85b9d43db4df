// SPDX-License-Identifier: Apache-2.0
// Who may do what: operators with their grants and tokens; and the operator who is here.

import { html, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, post, put, remove } from './api.js';
import { Action, Empty, Facts, Field, Head, List, State, Time } from './parts.js';
import { hasToken, replace } from './session.js';

const ROLES = ['viewer', 'operator', 'manager', 'admin'];

/** The fields of one grant; an operator with more of them is changed as JSON. */
const Fields = ({ operator }) => {
    const grant = operator?.grants?.[0] ?? {};
    const simple = !operator || (operator.grants.length === 1 && grant.role);
    return html`${
            simple
                ? html`<${Field}
                          name="role"
                          label=${t('role')}
                          kind=${ROLES.map((role) => [role, t('role-' + role)])}
                          value=${grant.role ?? 'viewer'}
                      />
                      <${Field} name="fleets" label=${t('fleets')} value=${(grant.fleets ?? []).join(' ')} hint=${t('fleets-hint')} />`
                : html`<${Field}
                      name="grants"
                      kind="area"
                      label=${t('grants')}
                      value=${JSON.stringify(operator.grants, null, 2)}
                      required
                  />`
        } <${Field} name="expiresAt" kind="time" label=${t('expires-at')} value=${operator?.expiresAt} />`;
};

/** Makes what the registry wants of what was typed. */
export function grantsOf({ role, fleets, grants, ...rest }) {
    if (grants !== undefined) {
        return { ...rest, grants: JSON.parse(grants) };
    }
    const named = (fleets ?? '').split(/[\s,]+/).filter(Boolean);
    return { ...rest, grants: [{ role, ...(named.length > 0 ? { fleets: named } : {}) }] };
}

const words = (grant) =>
    (grant.role ? t('role-' + grant.role) : grant.rights.join(', ')) + ': ' + (grant.fleets ? grant.fleets.join(', ') : t('all-fleets'));

export const Grants = ({ of }) =>
    html`<ul class="said">
        ${of.map((grant) => html`<li key=${words(grant)}>${words(grant)}</li>`)}
    </ul>`;

const Overlap = () => html`<${Field} name="overlap" label=${t('overlap')} hint=${t('overlap-hint')} />`;

export function Operators({ params, here, me }) {
    const [version, setVersion] = useState(0);
    const changed = () => setVersion((before) => before + 1);
    return html`<${Head} title=${t('view-operators')}>
            <${Action}
                label=${t('new-operator')}
                main
                run=${(found) => post('/operators', grantsOf(found))}
                done=${changed}
                secret=${(body) => body.token}
            >
                <${Field} name="name" label=${t('name')} required maxlength="64" />
                <${Fields} />
            <//>
        <//>
        <${List}
            label=${t('view-operators')}
            path="/operators?limit=50"
            member="operators"
            here=${here}
            params=${params}
            version=${version}
            columns=${[
                [t('name'), (one) => html`<strong>${one.name}</strong>${one.id === me.id ? ' (' + t('you') + ')' : ''}`],
                [t('state'), (one) => html`<${State} of=${one.active ? 'active' : 'revoked'} />`],
                [t('grants'), (one) => html`<${Grants} of=${one.grants} />`],
                [t('last-used-at'), (one) => html`<${Time} of=${one.lastUsedAt} />`],
                [t('expires-at'), (one) => html`<${Time} of=${one.expiresAt} />`],
                [
                    t('actions'),
                    (one) =>
                        one.active &&
                        one.id !== me.id &&
                        html`<div class="actions small-actions">
                            <${Action}
                                label=${t('change')}
                                title=${one.name}
                                submit=${t('save')}
                                run=${(found) => put(at`/operators/${one.id}`, grantsOf(found))}
                                done=${changed}
                            >
                                <${Fields} operator=${one} />
                            <//>
                            <${Action}
                                label=${t('new-operator-token')}
                                title=${one.name}
                                text=${t('operator-token-text')}
                                run=${(found) => post(at`/operators/${one.id}/token`, found)}
                                secret=${(body) => body.token}
                                done=${changed}
                            >
                                <${Overlap} />
                            <//>
                            <${Action}
                                label=${t('revoke')}
                                title=${one.name}
                                text=${t('revoke-operator-text')}
                                danger
                                confirm=${one.name}
                                run=${() => remove(at`/operators/${one.id}`)}
                                done=${changed}
                            />
                        </div>`,
                ],
            ]}
            empty=${html`<${Empty} title=${t('no-match')} />`}
        />
        <${Sessions} />`;
}

/** Who is signed in at the console. */
function Sessions() {
    const [version, setVersion] = useState(0);
    const changed = () => setVersion((before) => before + 1);
    return html`<h2>${t('sessions')}</h2>
        <p class="hint">${t('sessions-text')}</p>
        <${List}
            label=${t('sessions')}
            path="/console-sessions?limit=50"
            member="sessions"
            params=${{}}
            version=${version}
            columns=${[
                [t('name'), (one) => one.name],
                [t('state'), (one) => html`<${State} of=${one.active ? (one.link ? 'link' : 'active') : 'over'} />`],
                [t('created-at'), (one) => html`<${Time} of=${one.createdAt} />`],
                [t('last-used-at'), (one) => html`<${Time} of=${one.lastUsedAt} />`],
                [t('expires-at'), (one) => html`<${Time} of=${one.expiresAt} />`],
                [
                    t('actions'),
                    (one) =>
                        one.active &&
                        html`<${Action}
                            label=${t('end-sessions')}
                            title=${one.name}
                            text=${t('end-sessions-text')}
                            danger
                            run=${() => remove(at`/console-sessions/${one.operator}`)}
                            done=${changed}
                        />`,
                ],
            ]}
            empty=${html`<${Empty} title=${t('no-match')} />`}
        />`;
}

/** The operator who is signed in. */
export function Me({ me }) {
    return html`<${Head} title=${me.name}>
            ${
                hasToken() &&
                html`<${Action}
                    label=${t('new-own-token')}
                    text=${t('own-token-text')}
                    run=${(found) => post('/me/token', found)}
                    secret=${(body) => body.token}
                    done=${(answer) => answer.body.token && replace(answer.body.token)}
                >
                    <${Overlap} />
                <//>`
            }
        <//>
        <${Facts}
            of=${[
                [t('grants'), html`<${Grants} of=${me.grants} />`],
                [t('created-at'), html`<${Time} of=${me.createdAt} />`],
                [t('expires-at'), me.expiresAt && html`<${Time} of=${me.expiresAt} />`],
            ]}
        />`;
}
