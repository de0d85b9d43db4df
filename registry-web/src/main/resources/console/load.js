// SPDX-License-Identifier: Apache-2.0
// Reading for views. An answer that is late for an older question is dropped.

import { useEffect, useRef, useState } from '../claim/preact.js';
import { get } from './api.js';

/** How long views refresh after the last key or click. A page that nobody uses must not keep its session alive. */
const REST_AFTER = 15 * 60_000;
let touched = Date.now();
['keydown', 'pointerdown'].forEach((type) => globalThis.addEventListener?.(type, () => (touched = Date.now()), true));

const isUsed = () => !document.hidden && Date.now() - touched < REST_AFTER;

/**
 * Reads an address; null reads nothing.
 *
 * @param every milliseconds until it is read again, until the function `until` says of an answer that it is the last
 * @returns `{answer, body, busy, reload}`. While a new answer is awaited, the one before stays
 */
export function useLoad(path, { every = 0, until = () => false, options } = {}) {
    const [state, setState] = useState({ answer: null, of: null, busy: path !== null });
    const [turn, setTurn] = useState(0);
    const latest = useRef(path);
    latest.current = path;
    useEffect(() => {
        if (path === null) {
            setState({ answer: null, of: null, busy: false });
            return undefined;
        }
        const stopper = new AbortController();
        let timer = 0;
        setState((before) => ({ ...before, busy: true }));
        get(path, { ...options, signal: stopper.signal }).then((answer) => {
            if (stopper.signal.aborted) {
                return;
            }
            setState({ answer, of: path, busy: false });
            if (every > 0 && !until(answer)) {
                const again = (milliseconds) => {
                    timer = setTimeout(() => (isUsed() ? setTurn((before) => before + 1) : again(1000)), milliseconds);
                };
                again(answer.ok ? every : every * 5);
            }
        });
        return () => {
            stopper.abort();
            clearTimeout(timer);
        };
    }, [path, turn]);
    const answer = state.of === path ? state.answer : null;
    return { answer, body: answer?.ok ? answer.body : null, busy: state.busy, reload: () => setTurn((before) => before + 1) };
}

/** Has a function called some time after the last change of a value: for searching while somebody types. */
export function useLater(value, then, milliseconds = 250) {
    const first = useRef(true);
    useEffect(() => {
        if (first.current) {
            first.current = false;
            return undefined;
        }
        const timer = setTimeout(() => then(value), milliseconds);
        return () => clearTimeout(timer);
    }, [value]);
}
