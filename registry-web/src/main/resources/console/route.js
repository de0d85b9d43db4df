// SPDX-License-Identifier: Apache-2.0
// Addresses of views: everything that a view shows is in the fragment, so that it can be sent to a colleague.

/** Reads a fragment such as `#/fleets/default/devices?state=active` into `{path: [...], params: {...}}`. */
export function parse(hash) {
    const [path, search] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
    return {
        path: path.split('/').filter(Boolean).map(decoded),
        params: Object.fromEntries(new URLSearchParams(search ?? '')),
    };
}

/** Makes a fragment. Empty parameters are left out. */
export function link(path, params = {}) {
    const kept = Object.entries(params).filter(([, value]) => value !== undefined && value !== null && value !== '');
    return '#/' + path.map(encodeURIComponent).join('/') + (kept.length === 0 ? '' : '?' + new URLSearchParams(kept));
}

/** A link to a view of a fleet. */
export const inFleet = (fleet, view, params) => link(['fleets', fleet, ...[view].flat()], params);

export const toDevice = (id) => link(['devices', id]);

function decoded(part) {
    try {
        return decodeURIComponent(part);
    } catch {
        return part;
    }
}
