// SPDX-License-Identifier: Apache-2.0
// Jobs: how far they are, what failed, and how to stop one.

import { html, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { at, download, post } from './api.js';
import { isOver } from './bulk.js';
import { useLoad } from './load.js';
import { Action, Code, Empty, Facts, Fault, Head, List, Loading, State, Time, number, word } from './parts.js';
import { inFleet } from './route.js';

const STATES = ['waiting', 'running', 'done', 'failed', 'cancelled'];

/** The right to make a job, which is also that to cancel it and to read what failed. */
const rightFor = (job) => (job.action.startsWith('import') ? 'serials:write' : 'devices:write');

const Progress = ({ job }) =>
    job.total === undefined && !isOver(job)
        ? html`<progress aria-label=${t('progress')}></progress>`
        : html`<progress aria-label=${t('progress')} max=${Math.max(1, job.total ?? job.done)} value=${job.done}></progress>`;

export function Jobs({ fleet, params, here, go }) {
    return html`<${Head} title=${t('view-jobs')} above=${fleet} />
        <div class="filters">
            <label>
                <span>${t('state')}</span>
                <select value=${params.state ?? ''} onChange=${(event) => go(here({ state: event.target.value }))}>
                    <option value="">${t('any')}</option>
                    ${STATES.map((each) => html`<option value=${each} key=${each}>${t('state-' + each)}</option>`)}
                </select>
            </label>
        </div>
        <${List}
            label=${t('view-jobs')}
            path=${at`/fleets/${fleet}/jobs?limit=25` + (params.state ? '&state=' + params.state : '')}
            member="jobs"
            here=${here}
            params=${params}
            every=${5000}
            columns=${[
                [
                    t('job'),
                    (job) =>
                        html`<a href=${inFleet(fleet, ['jobs', job.id])}>${word('job', job.action)}</a
                            >${job.dryRun ? ' · ' + t('dry-run-short') : ''}`,
                ],
                [t('state'), (job) => html`<${State} of=${job.state} />`],
                [t('progress'), (job) => html`<${Progress} job=${job} />`],
                [t('rows-done'), (job) => number(job.done)],
                [t('rows-failed'), (job) => number(job.failed)],
                [t('who'), (job) => job.operator],
                [t('created-at'), (job) => html`<${Time} of=${job.createdAt} />`],
            ]}
            empty=${html`<${Empty} title=${t('no-jobs')}>${t('no-jobs-text')}<//>`}
        />`;
}

export function Job({ fleet, args: [id], may }) {
    const path = at`/fleets/${fleet}/jobs/${id}`;
    const { answer, body: job, reload } = useLoad(path, { every: 1000, until: (got) => got.ok && isOver(got.body) });
    const [fault, setFault] = useState(null);
    if (job === null) {
        return html`<${Head} title=${t('job')} />${answer ? html`<${Fault} answer=${answer} again=${reload} />` : html`<${Loading} />`}`;
    }
    const own = may(rightFor(job), fleet);
    const ending = job.format === 'csv' ? 'csv' : 'ndjson';
    const accept = '*/*';
    const isImport = job.action.startsWith('import');
    return html`<${Head}
            title=${word('job', job.action) + (job.dryRun ? ' · ' + t('dry-run-short') : '')}
            above=${html`<a href=${inFleet(fleet, 'jobs')}>${t('view-jobs')}</a>`}
        >
            <${State} of=${job.state} />
            ${own && !isOver(job) && html`<${Action} label=${t('job-cancel')} text=${t('job-cancel-text')} danger run=${() => post(path + '/cancel')} done=${reload} />`}
        <//>
        <section class="card" aria-label=${t('progress')}>
            <p class="big-number" role="status">
                ${job.total === undefined ? t('job-done', { done: number(job.done) }) : t('job-done-of', { done: number(job.done), total: number(job.total) })}
            </p>
            <${Progress} job=${job} />
            ${job.failed > 0 && html`<p class="bad">${t('job-failed-rows', { failed: number(job.failed) })}</p>`}
            ${job.error && html`<p class="bad">${job.error}</p>`}
            ${isOver(job) && job.failed === 0 && job.state === 'done' && html`<p class="good">${t('job-all-good')}</p>`}
            <${Fault} answer=${fault} />
            <div class="actions">
                ${
                    own &&
                    job.failed > 0 &&
                    html`<button
                        type="button"
                        class="main"
                        onClick=${async () => setFault(await download(path + '/failures', 'failed-rows.' + ending, { accept }))}
                    >
                        ${t('job-failures')}
                    </button>`
                }
                ${
                    job.done > 0 &&
                    html`<button
                        type="button"
                        onClick=${async () => setFault(await download(path + '/results', 'results.ndjson', { accept }))}
                    >
                        ${t('job-results')}
                    </button>`
                }
                ${isImport && isOver(job) && html`<a class="button" href=${inFleet(fleet, 'serials')}>${job.failed > 0 ? t('send-corrected') : t('view-serials')}</a>`}
            </div>
            ${isImport && job.failed > 0 && html`<p class="hint">${t('job-failures-hint')}</p>`}
        </section>
        <${Facts}
            of=${[
                [t('who'), job.operator],
                [t('filter'), job.filter && html`<${Code}>${job.filter}<//>`],
                [t('bulk-devices'), job.all && t('bulk-every', { fleet })],
                [t('reason'), job.reason],
                [t('created-at'), html`<${Time} of=${job.createdAt} />`],
                [t('started-at'), job.startedAt && html`<${Time} of=${job.startedAt} />`],
                [t('ended-at'), job.endedAt && html`<${Time} of=${job.endedAt} />`],
                [t('rate'), job.rate && t('per-second', { count: number(Math.round(job.rate)) })],
            ]}
        />`;
}
