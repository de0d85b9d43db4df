// SPDX-License-Identifier: Apache-2.0
// Brokers, from the measurements of the node that answers: how soon each ends the connection of a device that must not have one.

import { html } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { useLoad } from './load.js';
import { Empty, Fault, Head, Loading, Table, number } from './parts.js';

/** Reads the measurements of brokers out of the text format of Prometheus. */
export function brokersOf(text) {
    const found = new Map();
    for (const [, name, labels, value] of text.matchAll(/^(muster_broker_\w+)\{([^}]*)\}\s+(\S+)/gm)) {
        const broker = /broker="([^"]*)"/.exec(labels)?.[1];
        if (broker !== undefined && !name.endsWith('_bucket')) {
            const one = found.get(broker) ?? { broker };
            one[name.replace('muster_broker_', '')] = Number(value);
            found.set(broker, one);
        }
    }
    return [...found.values()].sort((a, b) => (a.broker < b.broker ? -1 : 1));
}

const seconds = (value) => (Number.isFinite(value) ? t('seconds', { seconds: number(Math.round(value * 1000) / 1000) }) : '');

export function Brokers() {
    const { answer, body, reload } = useLoad('//metrics', { every: 5000, options: { accept: 'text/plain, application/problem+json' } });
    const rows = typeof body === 'string' ? brokersOf(body) : [];
    return html`<${Head} title=${t('view-brokers')} />
        <p>${t('brokers-text')}</p>
        <${Fault} answer=${answer} again=${reload} />
        ${body === null && !answer && html`<${Loading} />`}
        ${body !== null && rows.length === 0 && html`<${Empty} title=${t('no-brokers')}>${t('no-brokers-text')}<//>`}
        ${
            rows.length > 0 &&
            html`<${Table}
                label=${t('view-brokers')}
                rows=${rows}
                id=${(row) => row.broker}
                columns=${[
                    [t('broker'), (row) => row.broker],
                    [t('disconnected'), (row) => number(row.disconnect_seconds_count)],
                    [
                        t('disconnect-mean'),
                        (row) => row.disconnect_seconds_count > 0 && seconds(row.disconnect_seconds_sum / row.disconnect_seconds_count),
                    ],
                    [t('disconnect-longest'), (row) => seconds(row.disconnect_seconds_max)],
                    [t('repaired'), (row) => number(row.repaired_total)],
                ]}
            />`
        }`;
}
