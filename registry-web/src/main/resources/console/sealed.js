// SPDX-License-Identifier: Apache-2.0
// The sealed record: its seals, its export, and the check of one record in this browser.

import { html, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, download, get, post } from './api.js';
import { useLoad } from './load.js';
import { Action, Code, Dialog, Empty, Facts, Fault, Field, Head, List, Table, Time, number, saveText } from './parts.js';
import { check } from './seal.js';

/** A button that fetches the receipt of a record and checks it here. */
export function VerifyRecord({ id }) {
    const [found, setFound] = useState(null);
    const verify = async () => {
        const answer = await get(at`/audit/records/${id}/receipt`);
        if (!answer.ok) {
            setFound({ answer });
            return;
        }
        const keys = await get('//.well-known/seal-keys.json');
        setFound({
            answer: keys,
            receipt: answer.body,
            verdict: keys.ok ? await check(answer.body, keys.body.keys).catch(() => 'impossible') : null,
        });
    };
    const seal = found?.receipt?.seal;
    return html`<button type="button" class="small" onClick=${verify}>${t('verify')}</button> ${
            found &&
            html`<${Dialog} title=${t('verify-title')} onClose=${() => setFound(null)}>
                ${found.answer.status === 404 ? html`<p>${t('not-sealed-yet')}</p>` : html`<${Fault} answer=${found.answer} />`}
                ${
                    found.verdict &&
                    html`<p class=${'verdict verdict-' + found.verdict} role="status">${t('verdict-' + found.verdict)}</p>
                        <${Facts}
                            of=${[
                                [t('record'), html`<${Code}>${found.receipt.record.id}<//>`],
                                [t('seal'), number(seal.number)],
                                [t('sealed-at'), html`<${Time} of=${seal.at} />`],
                                [
                                    t('position'),
                                    t('position-of', { position: number(found.receipt.position + 1), records: number(seal.records) }),
                                ],
                                [t('root'), html`<${Code}>${seal.root}<//>`],
                                [t('key'), html`<${Code}>${seal.kid}<//>`],
                            ]}
                        />`
                }
                <div class="actions">
                    ${
                        found.receipt &&
                        html`<button
                            type="button"
                            onClick=${() => saveText(JSON.stringify(found.receipt) + '\n', 'receipt-' + id + '.json', 'application/json')}
                        >
                            ${t('save-receipt')}
                        </button>`
                    }
                    <button type="button" class="main" onClick=${() => setFound(null)}>${t('close')}</button>
                </div>
            <//>`
        }`;
}

export function Sealed({ params, here, may }) {
    const [answer, setAnswer] = useState(null);
    const { body: keys, reload } = useLoad('//.well-known/seal-keys.json');
    const [version, setVersion] = useState(0);
    return html`<${Head} title=${t('view-record')}>
            <button type="button" onClick=${async () => setAnswer(await download('/audit/export', 'record.ndjson', { accept: '*/*' }))}>
                ${t('export-record')}
            </button>
            <button type="button" onClick=${async () => setAnswer(await download('//.well-known/seal-keys.json', 'keys.json'))}>
                ${t('export-keys')}
            </button>
            ${
                may('signing:write') &&
                html`<${Action}
                    label=${t('replace-key')}
                    text=${t('replace-seal-key-text')}
                    danger
                    run=${(found) => post('/audit/keys/replace', found)}
                    done=${() => {
                        reload();
                        setVersion((before) => before + 1);
                    }}
                >
                    <${Field} name="reason" label=${t('reason')} maxlength="200" />
                <//>`
            }
        <//>
        <p>${t('record-text')}</p>
        <pre tabindex="0">java -jar muster-command.jar audit verify record.ndjson --keys keys.json</pre>
        <${Fault} answer=${answer} />
        <h2>${t('seals')}</h2>
        <${List}
            label=${t('seals')}
            path="/audit/seals?limit=25"
            member="seals"
            here=${here}
            params=${params}
            version=${version}
            id=${(seal) => seal.number}
            columns=${[
                [t('seal'), (seal) => number(seal.number)],
                [t('sealed-at'), (seal) => html`<${Time} of=${seal.at} />`],
                [t('records'), (seal) => number(seal.records)],
                [t('root'), (seal) => html`<${Code}>${seal.root}<//>`],
                [t('key'), (seal) => html`<${Code}>${seal.kid}<//>`],
            ]}
            empty=${html`<${Empty} title=${t('no-seals')} />`}
        />
        ${
            keys &&
            html`<h2>${t('keys-of-seals')}</h2>
                <${Table}
                    label=${t('keys-of-seals')}
                    rows=${keys.keys}
                    id=${(key) => key.kid}
                    columns=${[
                        [t('key'), (key) => html`<${Code}>${key.kid}<//>`],
                        [t('created-at'), (key) => html`<${Time} of=${key.createdAt} />`],
                        [t('replaced-at'), (key) => html`<${Time} of=${key.replacedAt} />`],
                    ]}
                />`
        }`;
}
