// SPDX-License-Identifier: Apache-2.0
// Small parts that several views use.

import { html, useEffect, useLayoutEffect, useRef, useState } from './preact.js';
import { t, wait } from './texts.js';

/**
 * What happened, in words. It is always in the document, because screen readers announce what changes in it.
 *
 * @param notice `{kind: 'good'|'bad'|'info', text}` or null
 */
export function Notice({ notice, id }) {
    return html`<div class="notices" role="status" aria-live="polite" id=${id}>
        ${notice && html`<p class=${'notice notice-' + notice.kind} key=${notice.text}>${notice.text}</p>`}
    </div>`;
}

/** A dialog of the browser, which keeps the focus inside and gives it back. */
export function Dialog({ title, onClose, children }) {
    const element = useRef(null);
    const open = useRef(false);
    useLayoutEffect(() => {
        const dialog = element.current;
        dialog.showModal();
        open.current = true;
        return () => {
            open.current = false;
            dialog.close();
        };
    }, []);
    const close = (event) => {
        event.preventDefault();
        if (open.current && event.target === element.current) {
            onClose();
        }
    };
    return html`<dialog ref=${element} aria-labelledby="dialog-title" onCancel=${close} onClose=${close}>
        <h2 id="dialog-title">${title}</h2>
        ${children}
    </dialog>`;
}

/** Tells after four seconds that something still goes on. */
export function Slow({ when }) {
    const [slow, setSlow] = useState(false);
    useEffect(() => {
        setSlow(false);
        const timer = when ? setTimeout(() => setSlow(true), 4000) : 0;
        return () => clearTimeout(timer);
    }, [when]);
    return html`<p class="slow" role="status">${when && slow ? t('slow') : ''}</p>`;
}

/** Returns the words for an answer that is the same everywhere: no answer, too many, an error. */
export function general(answer) {
    if (answer.status === 429) {
        return bad(answer.retryAfter ? t('too-many-wait', { wait: wait(answer.retryAfter) }) : t('too-many'));
    }
    if (answer.status === 0) {
        return bad(t('no-answer'));
    }
    return bad(answer.status === 503 ? t('unavailable') : t('failed'));
}

export const good = (text) => ({ kind: 'good', text });
export const bad = (text) => ({ kind: 'bad', text });
export const info = (text) => ({ kind: 'info', text });
