// SPDX-License-Identifier: Apache-2.0
// The texts of the page, one file for each language.

const REMEMBERED = 'muster-claim-language';
let texts = {};
let fallback = {};
let language = 'en';
let directory = new URL('texts/', import.meta.url);

/**
 * Loads the texts: the language that was chosen here before, else the first that the browser wants, else English.
 *
 * @param from the directory with a file for each language; the console has one of its own
 */
export async function load(languages, from = directory) {
    directory = from;
    fallback = await file('en');
    await choose(preferred(languages));
}

/** Changes the language and remembers it. */
export async function change(to) {
    try {
        localStorage.setItem(REMEMBERED, to);
    } catch {
        // The browser remembers nothing; the page works all the same.
    }
    await choose(to);
}

async function choose(to) {
    texts = to === 'en' ? fallback : await file(to);
    language = to;
    document.documentElement.lang = to;
}

async function file(name) {
    try {
        const answer = await fetch(new URL(name + '.json', directory), { credentials: 'omit' });
        return answer.ok ? await answer.json() : {};
    } catch {
        return {};
    }
}

function preferred(languages) {
    let remembered = null;
    try {
        remembered = localStorage.getItem(REMEMBERED);
    } catch {
        // As above.
    }
    const wanted = [remembered, ...(navigator.languages ?? [])].filter(Boolean).map((tag) => tag.toLowerCase());
    for (const tag of wanted) {
        const found = languages.find((known) => known === tag) ?? languages.find((known) => known === tag.split('-')[0]);
        if (found) {
            return found;
        }
    }
    return 'en';
}

/** The language in use. */
export const current = () => language;

/** Returns a text with its values: `{name}` is replaced. A text that is missing is its English one. */
export function t(key, values = {}) {
    const text = texts[key] ?? fallback[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Tells whether there is such a text. */
export const has = (key) => key in texts || key in fallback;

/** The name of a language in itself. */
export function languageName(tag) {
    try {
        const name = new Intl.DisplayNames([tag], { type: 'language' }).of(tag);
        return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
    } catch {
        return tag;
    }
}

/** The language in the user's own spelling of dates, where the browser has one. */
export const locale = () => (navigator.languages ?? []).find((tag) => tag.toLowerCase().split('-')[0] === language) ?? language;

/** A time for people. */
export function time(iso) {
    const date = new Date(iso);
    return Number.isNaN(date.getTime())
        ? String(iso)
        : new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' }).format(date);
}

/** A number of seconds for people, never too short. */
export function wait(seconds) {
    const minutes = seconds > 90;
    return new Intl.NumberFormat(locale(), {
        style: 'unit',
        unit: minutes ? 'minute' : 'second',
        unitDisplay: 'long',
    }).format(minutes ? Math.ceil(seconds / 60) : seconds);
}
