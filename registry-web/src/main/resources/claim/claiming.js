// SPDX-License-Identifier: Apache-2.0
// The form that claims a device: scan or type a code, choose an owner, ask the registry.

import { claim } from './api.js';
import { fault, grouped, read } from './code.js';
import { Notice, Slow, bad, general, good, info } from './parts.js';
import { html, useEffect, useRef, useState } from './preact.js';
import { Scanner, isPossible } from './scanner.js';
import { t } from './texts.js';

/**
 * @param code the code so far, which the caller keeps for a reload and for a sign-in
 * @param pages the addresses of this page
 */
export function Claiming({ user, code, onCode, pages, onClaimed, onSignedOut }) {
    const [group, setGroup] = useState('');
    const [scanning, setScanning] = useState(false);
    const [camera, setCamera] = useState(isPossible() ? null : 'camera-insecure');
    const [wrong, setWrong] = useState(null);
    const [notice, setNotice] = useState(null);
    const [busy, setBusy] = useState(false);
    const field = useRef(null);
    const submit = useRef(null);
    const opener = useRef(null);
    const groups = user.groups ?? [];

    useEffect(() => {
        // A group that the user has left.
        if (group !== '' && !groups.includes(group)) {
            setGroup('');
        }
    }, [groups]);

    const typed = (text) => {
        onCode(text);
        setWrong(null);
    };

    const taken = (text, from) => {
        const found = from === 'scan' ? { code: text } : read(text, pages);
        if (found.elsewhere) {
            setWrong(t('scan-elsewhere', { host: found.elsewhere }));
            return null;
        }
        return found.code ?? text;
    };

    const scanned = (text) => {
        setScanning(false);
        onCode(grouped(text));
        setWrong(null);
        setNotice(info(t('scanned')));
        setTimeout(() => submit.current?.focus(), 0);
    };

    const check = (text) => {
        const found = fault(text);
        setWrong(found === null ? null : t('code-' + found));
        return found === null;
    };

    const send = async (event) => {
        event.preventDefault();
        if (busy) {
            return;
        }
        setNotice(null);
        const text = taken(code, 'field');
        if (text === null || !check(text)) {
            field.current.focus();
            return;
        }
        onCode(grouped(text));
        setBusy(true);
        const answer = await claim(text, group);
        setBusy(false);
        if (answer.ok) {
            const name = answer.body?.name || answer.body?.serial || '';
            setNotice(good(t(answer.status === 200 ? 'claimed-before' : 'claimed', { name })));
            onCode('');
            onClaimed(answer.body);
        } else if (answer.status === 401) {
            onSignedOut();
        } else {
            setNotice(refusal(answer, group));
            if (answer.status === 400 || answer.problem === 'claim-refused') {
                field.current.focus();
            }
        }
    };

    return html`<section aria-labelledby="claiming-title">
        <h1 id="claiming-title">${t('claim-title')}</h1>
        ${scanning
            ? html`<${Scanner}
                  pages=${pages}
                  onCode=${scanned}
                  onFault=${(key) => {
                      setScanning(false);
                      setCamera(key);
                      setTimeout(() => field.current?.focus(), 0);
                  }}
                  onStop=${() => {
                      setScanning(false);
                      setTimeout(() => opener.current?.focus(), 0);
                  }}
              />`
            : html`<form onSubmit=${send} novalidate>
                  ${camera !== 'camera-insecure' &&
                  html`<button
                      type="button"
                      class="big"
                      ref=${opener}
                      onClick=${() => {
                          setCamera(null);
                          setNotice(null);
                          setScanning(true);
                      }}
                  >
                      ${t('scan')}
                  </button>`}
                  <div role="status">${camera && html`<p class="hint">${t(camera)}</p>`}</div>
                  <label for="code">${t('code-label')}</label>
                  <input
                      id="code"
                      ref=${field}
                      class="code"
                      value=${code}
                      onInput=${(event) => typed(event.target.value)}
                      maxlength="300"
                      autocomplete="off"
                      autocapitalize="characters"
                      autocorrect="off"
                      spellcheck="false"
                      inputmode="text"
                      enterkeyhint="go"
                      aria-describedby="code-hint code-fault"
                      aria-invalid=${wrong ? 'true' : 'false'}
                  />
                  <p class="hint" id="code-hint">${t('code-hint')}</p>
                  <p class="fault" id="code-fault" role="alert">${wrong ?? ''}</p>
                  ${groups.length > 0 &&
                  html`<label for="to">${t('to-label')}</label>
                      <select id="to" value=${group} onChange=${(event) => setGroup(event.target.value)}>
                          <option value="">${t('to-me')}</option>
                          ${groups.map((each) => html`<option value=${each} key=${each}>${t('to-group', { group: each })}</option>`)}
                      </select>`}
                  <button type="submit" class="big main" ref=${submit} aria-disabled=${busy ? 'true' : 'false'}>
                      ${busy ? t('claiming') : t('claim')}
                  </button>
              </form>`}
        <${Slow} when=${busy} />
        <${Notice} notice=${notice} />
    </section>`;
}

function refusal(answer, group) {
    if (answer.problem === 'claim-refused') {
        return bad(t('refused'));
    }
    if (answer.problem === 'already-claimed') {
        return bad(t('already-claimed'));
    }
    if (answer.status === 403) {
        return bad(group === '' ? t('forbidden') : t('not-in-group', { group }));
    }
    return answer.status === 400 ? bad(t('code-unreadable')) : general(answer);
}
