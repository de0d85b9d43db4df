// SPDX-License-Identifier: Apache-2.0
// Asks what would happen to a serial now, and shows rule by rule why.

import { html, useState } from '../claim/preact.js';
import { has as hasText, t } from '../claim/texts.js';
import { at, post } from './api.js';
import { DeviceLink, Fault, Field, Form, State, number, wrong } from './parts.js';

/** Reads evidence that somebody typed: an object, or nothing. */
export function evidenceOf(text) {
    if (text === undefined) {
        return {};
    }
    const found = JSON.parse(text);
    if (found === null || typeof found !== 'object' || Array.isArray(found)) {
        throw new SyntaxError(t('evidence-object'));
    }
    return { evidence: found };
}

export function Explain({ fleet }) {
    const [found, setFound] = useState(null);
    const ask = async ({ serial, evidence }) => {
        try {
            return await post(at`/fleets/${fleet}/explain`, { serial, ...evidenceOf(evidence) });
        } catch (fault) {
            return wrong(t('no-json'), [{ detail: fault.message }]);
        }
    };
    return html`<p class="hint">${t('explain-text')}</p>
        <${Form} send=${ask} done=${(answer) => setFound(answer.body)} submit=${t('explain-do')}>
            <${Field} name="serial" label=${t('serial')} required maxlength="128" />
            <details>
                <summary>${t('evidence')}</summary>
                <${Field} name="evidence" kind="area" label=${t('evidence')} hint=${'{"hmac": "..."}'} />
            </details>
        <//>
        ${found && html`<${Explanation} of=${found} />`}`;
}

/** An explanation: the decision, the rule behind it, and what each verifier said. */
export function Explanation({ of }) {
    return html`<div role="status">
        <p class=${'verdict verdict-' + of.decision}><strong>${of.serial}</strong>: ${t('decision-' + of.decision)}</p>
        ${of.rule && html`<p>${t('rule-number', { rule: of.rule })} ${hasText('rule-' + of.rule) ? t('rule-' + of.rule) : ''}</p>`}
        ${of.reason && html`<p>${of.reason}</p>`}
        ${of.listedAs && html`<p class="warning">${t('listed-as', { serials: of.listedAs.join(', ') })}</p>`}
        <ol class="trail">
            ${of.verifiers.map(
                (one, i) =>
                    html`<li key=${one.verifier + i} class=${one.shadow ? 'shadow' : ''}>
                        <span class="grow"><strong>${one.verifier}</strong>${one.shadow ? ' · ' + t('shadow') : ''}</span>
                        <${State} of=${one.verdict} />
                        <span class="hint">${t('millis', { millis: number(Math.round(one.tookMillis * 10) / 10) })}</span>
                        ${one.reason && html`<p>${one.reason}</p>`}
                    </li>`,
            )}
        </ol>
        ${
            of.decision === 'genuine' &&
            of.registration?.outcome &&
            html`<p>
                ${t('outcome-' + of.registration.outcome)} ${of.registration.reason ?? ''}${' '}
                ${of.registration.deviceId && html`<${DeviceLink} id=${of.registration.deviceId}>${t('device')}<//>`}
            </p>`
        }
    </div>`;
}
