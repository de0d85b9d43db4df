// SPDX-License-Identifier: Apache-2.0
// Keys: two letters go to a view, a slash searches, a question mark shows them all.

import { html, useEffect, useState } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { Dialog } from './parts.js';
import { inFleet, link } from './route.js';

/** The second letter, after `g`, and the view. */
const GO = { o: 'overview', d: 'devices', a: 'approvals', s: 'serials', l: 'lots', j: 'jobs', e: 'events', f: 'fleets' };
const OF_FLEET = ['devices', 'approvals', 'serials', 'lots', 'jobs'];

/** Listens for keys wherever nothing is typed. */
export function useKeys({ go, fleet }) {
    const [help, setHelp] = useState(false);
    useEffect(() => {
        let before = '';
        let timer = 0;
        const pressed = (event) => {
            const target = event.target;
            const typing = target.closest?.('input, textarea, select, [contenteditable], dialog');
            if (typing || event.ctrlKey || event.metaKey || event.altKey) {
                return;
            }
            if (before === 'g' && GO[event.key]) {
                event.preventDefault();
                const view = GO[event.key];
                go(OF_FLEET.includes(view) ? inFleet(fleet, view) : link([view]));
            } else if (event.key === '/') {
                event.preventDefault();
                const field = document.querySelector('main input[type="search"]');
                if (field) {
                    field.focus();
                } else {
                    go(inFleet(fleet, 'devices', { find: '1' }));
                }
            } else if (event.key === '?') {
                event.preventDefault();
                setHelp(true);
            }
            before = event.key;
            clearTimeout(timer);
            timer = setTimeout(() => {
                before = '';
            }, 1500);
        };
        addEventListener('keydown', pressed);
        return () => removeEventListener('keydown', pressed);
    }, [fleet]);
    return { help, setHelp };
}

/** Shows all keys. */
export const Keys = ({ close }) =>
    html`<${Dialog} title=${t('keys')} onClose=${close}>
        <dl class="keys">
            <div>
                <dt><kbd>/</kbd></dt>
                <dd>${t('key-search')}</dd>
            </div>
            ${Object.entries(GO).map(
                ([key, view]) =>
                    html`<div key=${key}>
                        <dt><kbd>g</kbd> <kbd>${key}</kbd></dt>
                        <dd>${t('view-' + view)}</dd>
                    </div>`,
            )}
            <div>
                <dt><kbd>?</kbd></dt>
                <dd>${t('key-help')}</dd>
            </div>
        </dl>
        <div class="actions"><button type="button" class="main" onClick=${close}>${t('close')}</button></div>
    <//>`;
