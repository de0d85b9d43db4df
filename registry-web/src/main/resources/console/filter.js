// SPDX-License-Identifier: Apache-2.0
// Filters in the grammar of SCIM, made of what a person chose. Texts of strangers get into them as quoted texts alone.

/** Writes a text as a filter needs it. */
export const quoted = (text) => JSON.stringify(String(text));

/** One comparison, or nothing if there is no value. */
export const compare = (attribute, operator, value) =>
    value === undefined || value === null || value === '' ? '' : attribute + ' ' + operator + ' ' + quoted(value);

/** Joins filters, so that all of them must hold. Those that are empty do not count. */
export function all(...filters) {
    const kept = filters.map((filter) => (filter ?? '').trim()).filter(Boolean);
    return kept.length < 2 ? (kept[0] ?? '') : kept.map((filter) => (/\bor\b/i.test(filter) ? '(' + filter + ')' : filter)).join(' and ');
}

/** The nearest filter to what `q` finds, for actions, which take a filter alone. */
export const likeSearch = (text) => 'serial sw ' + quoted(text) + ' or name sw ' + quoted(text);
