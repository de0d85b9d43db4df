// SPDX-License-Identifier: Apache-2.0
// The first look: what needs a person, what happened in the last day, and what to do first where there is nothing.

import { html, useEffect, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, get, query } from './api.js';
import { Chart, byHour } from './chart.js';
import { columns } from './events.js';
import { useLoad } from './load.js';
import { DeviceLink, Empty, Fault, Head, Loading, State, Table, Time, number } from './parts.js';
import { maySomewhere } from './rights.js';
import { inFleet, link } from './route.js';
import { stateOf } from './webhooks.js';

const DAY = 24;
/** More fleets than this are not asked one by one. */
const MOST_FLEETS = 20;

export function Overview({ me, fleets, fleet, may }) {
    const all = fleets?.body?.fleets ?? [];
    if (fleets === null) {
        return html`<${Head} title=${t('view-overview')} /><${Loading} />`;
    }
    const reads = maySomewhere(me, 'devices:read');
    return html`<${Head} title=${t('view-overview')} />
        <${Fault} answer=${fleets} />
        <${Needs} fleets=${all.slice(0, MOST_FLEETS)} may=${may} />
        ${reads && html`<${Charts} />`} ${reads && may('devices:read', fleet) && html`<${Newest} fleet=${fleet} may=${may} />`}
        ${reads && html`<${Happened} may=${may} />`}`;
}

/** Cards about what waits for a person, each with its link. Nothing is shown that is zero. */
function Needs({ fleets, may }) {
    const [found, setFound] = useState(null);
    const names = fleets.map((one) => one.name).join(' ');
    useEffect(() => {
        let over = false;
        Promise.all(fleets.map((one) => cardsOf(one.name, may))).then((all) => !over && setFound(all.flat()));
        return () => {
            over = true;
        };
    }, [names]);
    const cards = found?.filter((one) => one.count);
    const failed = found?.find((one) => one.failed)?.failed;
    return html`<section aria-labelledby="needs-title">
        <h2 id="needs-title">${t('needs-title')}</h2>
        ${found === null && html`<${Loading} />`}
        <${Fault} answer=${failed} />
        ${cards?.length === 0 && !failed && html`<p class="good calm">${t('needs-nothing')}</p>`}
        ${
            cards?.length > 0 &&
            html`<ul class="needs">
                ${cards.map(
                    (card) =>
                        html`<li key=${card.href}>
                            <a class=${'card need need-' + card.kind} href=${card.href}
                                ><strong>${card.count}</strong><span>${t('need-' + card.kind)}</span><small>${card.fleet}</small></a
                            >
                        </li>`,
                )}
            </ul>`
        }
    </section>`;
}

async function cardsOf(fleet, may) {
    const ask = async (right, path, make) => {
        const answer = may(right, fleet) ? await get(at`/fleets/${fleet}/` + path) : null;
        return answer === null ? [] : answer.ok ? make(answer.body) : [{ failed: answer }];
    };
    const card = (count, kind, href, more) => (count > 0 ? [{ count: number(count) + (more ? '+' : ''), kind, fleet, href }] : []);
    const all = await Promise.all([
        ask('approvals:read', 'approvals?limit=200', (body) =>
            card(body.approvals.length, 'approvals', inFleet(fleet, 'approvals'), body.next),
        ),
        ask('jobs:read', 'jobs?state=failed&limit=50', (body) =>
            card(body.jobs.length, 'jobs', inFleet(fleet, 'jobs', { state: 'failed' }), body.next),
        ),
        ask('webhooks:read', 'webhooks', (body) =>
            card(
                body.webhooks.filter((one) => ['gone', 'full', 'failing'].includes(stateOf(one))).length,
                'webhooks',
                inFleet(fleet, 'webhooks'),
            ),
        ),
    ]);
    return all.flat();
}

/** The last day in hours, where the registry counts. */
function Charts() {
    const [from] = useState(() => new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - (DAY - 1) * 3_600_000).toISOString());
    const { body } = useLoad('/statistics' + query({ from, limit: 1000 }), { every: 60_000 });
    if (body === null) {
        return null;
    }
    const of = (...kinds) =>
        byHour(
            body.statistics.filter((one) => kinds.some((kind) => one.kind === kind || (kind.endsWith('-') && one.kind.startsWith(kind)))),
            DAY,
            Date.now(),
        );
    return html`<section aria-labelledby="charts-title">
        <h2 id="charts-title">${t('last-day')}</h2>
        <div class="charts">
            <${Chart} title=${t('chart-registered')} kind="good" bars=${of('new', 'again')} />
            <${Chart} title=${t('chart-refused')} kind="bad" bars=${of('refused-')} />
            <${Chart} title=${t('chart-tokens')} bars=${of('token')} />
        </div>
    </section>`;
}

function Newest({ fleet, may }) {
    const { answer, body } = useLoad('/devices' + query({ fleet, sort: '-createdAt', limit: 5 }), { every: 10_000 });
    if (body === null) {
        return html`<${Fault} answer=${answer} />`;
    }
    if (body.devices.length === 0) {
        return html`<${FirstSteps} fleet=${fleet} may=${may} />`;
    }
    return html`<section>
        <h2>${t('newest-title', { fleet })}</h2>
        <${Table}
            label=${t('newest-title', { fleet })}
            rows=${body.devices}
            id=${(device) => device.deviceId}
            columns=${[
                [t('serial'), (device) => html`<${DeviceLink} id=${device.deviceId}>${device.serial}<//>`],
                [t('name'), (device) => (device.name === device.serial ? '' : device.name)],
                [t('state'), (device) => html`<${State} of=${device.state} />`],
                [t('registered-at'), (device) => html`<${Time} of=${device.createdAt} />`],
            ]}
        />
        <p><a href=${inFleet(fleet, 'devices', { sort: '-createdAt' })}>${t('show-all')}</a></p>
    </section>`;
}

/** What to do where no device has registered yet. */
const FirstSteps = ({ fleet, may }) =>
    html`<section class="card" aria-labelledby="steps-title">
        <h2 id="steps-title">${t('steps-title')}</h2>
        <ol>
            <li>${t('step-rules')} <a href=${inFleet(fleet, 'rules')}>${t('view-rules')}</a></li>
            ${may('serials:read', fleet) && html`<li>${t('step-serials')} <a href=${inFleet(fleet, 'serials')}>${t('view-serials')}</a></li>`}
            <li>
                ${t('step-register')}
                <pre tabindex="0">
${'curl -H \'Content-Type: application/json\' -d \'{"serial": "SN-0001"}\' \\\n  ' + new URL('../fleets/' + encodeURIComponent(fleet) + '/register', import.meta.url).href}</pre>
            </li>
            <li>${t('step-explain')} <a href=${inFleet(fleet, 'rules')}>${t('explain')}</a></li>
        </ol>
    </section>`;

function Happened({ may }) {
    const { answer, body } = useLoad('/events?limit=8', { every: 10_000 });
    if (body === null) {
        return html`<${Fault} answer=${answer} />`;
    }
    return html`<section>
        <h2>${t('happened-title')}</h2>
        ${
            body.events.length === 0
                ? html`<${Empty} title=${t('no-events')} />`
                : html`<${Table} label=${t('happened-title')} rows=${body.events} columns=${columns(may).slice(0, 6)} />`
        }
        <p><a href=${link(['events'])}>${t('show-all')}</a></p>
    </section>`;
}
