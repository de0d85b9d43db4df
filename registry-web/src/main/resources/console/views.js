// SPDX-License-Identifier: Apache-2.0
// All views: what the menu shows, and which view an address means.

import { html } from '../claim/preact.js';
import { t } from '../claim/texts.js';
import { Approvals } from './approvals.js';
import { Brokers } from './brokers.js';
import { Claims } from './claims.js';
import { Device } from './device.js';
import { Devices } from './devices.js';
import { Events } from './events.js';
import { Fleet } from './fleet.js';
import { Fleets } from './fleets.js';
import { Job, Jobs } from './jobs.js';
import { EnrolmentKeys, SigningKeys } from './signing.js';
import { Lot, Lots } from './lots.js';
import { Me, Operators } from './operators.js';
import { Orders } from './orders.js';
import { Overview } from './overview.js';
import { Empty, Head } from './parts.js';
import { may, maySomewhere } from './rights.js';
import { Sealed } from './sealed.js';
import { Serials } from './serials.js';
import { Webhook, Webhooks } from './webhooks.js';

/** The menu. An entry is shown to those who have its right: in the fleet that is chosen (`fleet`), for all fleets (`everywhere`), or in any. */
export const MENU = [
    { title: '', entries: [{ name: 'overview' }, { name: 'events', right: 'devices:read' }] },
    {
        title: 'fleet',
        entries: [
            { name: 'devices', right: 'devices:read', fleet: true },
            { name: 'approvals', right: 'approvals:read', fleet: true },
            { name: 'serials', right: 'serials:read', fleet: true },
            { name: 'lots', right: 'serials:read', fleet: true },
            { name: 'jobs', right: 'jobs:read', fleet: true },
            { name: 'rules', right: 'fleets:read', fleet: true },
            { name: 'orders', right: 'devices:read', fleet: true },
            { name: 'claims', right: 'serials:write', fleet: true },
            { name: 'webhooks', right: 'webhooks:read', fleet: true },
            { name: 'enrolment-keys', right: 'keys:write', fleet: true },
        ],
    },
    {
        title: 'registry',
        entries: [
            { name: 'fleets', right: 'fleets:read' },
            { name: 'operators', right: 'operators:write' },
            { name: 'record', right: 'devices:read', everywhere: true },
            { name: 'signing-keys', right: 'signing:write' },
            { name: 'brokers', right: 'metrics:read' },
        ],
    },
];

const OF_REGISTRY = {
    overview: Overview,
    events: Events,
    fleets: Fleets,
    operators: Operators,
    record: Sealed,
    'signing-keys': SigningKeys,
    brokers: Brokers,
    me: Me,
};

/** Each has the view of all, and that of one. */
const OF_FLEET = {
    devices: [Devices],
    approvals: [Approvals],
    serials: [Serials],
    lots: [Lots, Lot],
    jobs: [Jobs, Job],
    rules: [Fleet],
    orders: [Orders],
    claims: [Claims],
    webhooks: [Webhooks, Webhook],
    'enrolment-keys': [EnrolmentKeys],
};

/** Tells whether an entry of the menu is for this operator, in this fleet. */
export const isFor = (me, { right, fleet: ofFleet, everywhere }, fleet) =>
    ofFleet ? may(me, right, fleet) : !right || (everywhere ? may(me, right) : maySomewhere(me, right));

/** In place of a view whose address somebody opens without the right to see it. */
export const NoRight = () => html`<${Head} title=${t('no-right')} /><${Empty} title=${t('no-right-why')} />`;

const NotFound = () => html`<${Head} title=${t('not-found')} /><${Empty} title=${t('no-view')} />`;

/** An address may have any word, such as `constructor`. */
const own = (views, name) => (Object.hasOwn(views, name) ? views[name] : undefined);

/** Returns the view of an address, its name in the menu, and what is behind it in the address. */
export function viewOf(path) {
    const [first = 'overview', second, third, ...rest] = path;
    if (first === 'devices' && second) {
        return { view: Device, name: 'devices', args: [second] };
    }
    if (first === 'fleets' && second) {
        const name = third ?? 'rules';
        const [ofAll, ofOne] = own(OF_FLEET, name) ?? [];
        return { view: (rest.length > 0 ? ofOne : ofAll) ?? NotFound, name, args: rest };
    }
    return { view: own(OF_REGISTRY, first) ?? NotFound, name: first, args: path.slice(1) };
}
