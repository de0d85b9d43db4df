// SPDX-License-Identifier: Apache-2.0
// Charts of bars, drawn as SVG in the colours of the page. The same numbers are a table for those who cannot see them.

import { html } from '../claim/preact.js';
import { t, time } from '../claim/texts.js';
import { number } from './parts.js';

const WIDTH = 600;
const HEIGHT = 140;
const HOUR = 3_600_000;

/**
 * Puts counts into hours without a gap.
 *
 * @param counts lists of `{hour, count}`; several of one hour are added
 * @returns `[{hour, count}]`, the oldest first
 */
export function byHour(counts, hours, now) {
    const last = Math.floor(now / HOUR) * HOUR;
    const sums = new Map();
    counts.forEach(({ hour, count }) => {
        const at = Math.floor(Date.parse(hour) / HOUR) * HOUR;
        sums.set(at, (sums.get(at) ?? 0) + count);
    });
    return Array.from({ length: hours }, (_, i) => last - (hours - 1 - i) * HOUR).map((at) => ({
        hour: new Date(at).toISOString(),
        count: sums.get(at) ?? 0,
    }));
}

/** @param kind a class that has its colour: `good`, `bad`, `plain` */
export function Chart({ title, bars, kind = 'plain' }) {
    const most = Math.max(1, ...bars.map((bar) => bar.count));
    const sum = bars.reduce((total, bar) => total + bar.count, 0);
    const step = WIDTH / bars.length;
    return html`<figure class=${'chart chart-' + kind}>
        <figcaption>${title} <strong>${number(sum)}</strong></figcaption>
        <svg viewBox=${'0 0 ' + WIDTH + ' ' + HEIGHT} preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <line x1="0" x2=${WIDTH} y1=${HEIGHT - 0.5} y2=${HEIGHT - 0.5} />
            ${bars.map((bar, i) => {
                const height = bar.count === 0 ? 0 : Math.max(2, (bar.count / most) * (HEIGHT - 4));
                return html`<rect
                    key=${bar.hour}
                    x=${i * step + step * 0.12}
                    width=${step * 0.76}
                    y=${HEIGHT - height}
                    height=${height}
                    rx="2"
                >
                    <title>${time(bar.hour) + ': ' + number(bar.count)}</title>
                </rect>`;
            })}
        </svg>
        <details>
            <summary>${t('as-table')}</summary>
            <table>
                <thead>
                    <tr>
                        <th scope="col">${t('hour')}</th>
                        <th scope="col">${t('count')}</th>
                    </tr>
                </thead>
                <tbody>
                    ${bars
                        .filter((bar) => bar.count > 0)
                        .map(
                            (bar) =>
                                html`<tr key=${bar.hour}>
                                    <td>${time(bar.hour)}</td>
                                    <td>${number(bar.count)}</td>
                                </tr>`,
                        )}
                </tbody>
            </table>
        </details>
    </figure>`;
}
