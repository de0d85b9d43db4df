// SPDX-License-Identifier: Apache-2.0
// What the operator may do. It decides which views and actions the console shows; the registry decides whether they work.

const VIEWER = ['approvals:read', 'devices:read', 'fleets:read', 'jobs:read', 'metrics:read', 'serials:read', 'webhooks:read'];
const OPERATOR = [...VIEWER, 'approvals:write', 'devices:write', 'serials:write'];
const MANAGER = [...OPERATOR, 'fleets:write', 'keys:write', 'lots:write', 'webhooks:write'];
/** These concern no fleet. */
const GLOBAL = ['metrics:read', 'operators:write', 'signing:write'];

/** The rights of the roles that can be given for one fleet. An admin has every right. */
export const ROLES = { viewer: VIEWER, operator: OPERATOR, manager: MANAGER };

/** Tells whether an operator has a right in a fleet, or with no fleet named, for all fleets. */
export function may(me, right, fleet = null) {
    return (
        me.rights.includes(right) ||
        (fleet !== null &&
            !GLOBAL.includes(right) &&
            me.grants.some((grant) => (grant.fleets ?? []).includes(fleet) && permits(grant, right)))
    );
}

/** Tells whether an operator has a right in any fleet. */
export const maySomewhere = (me, right) =>
    me.rights.includes(right) || (!GLOBAL.includes(right) && me.grants.some((grant) => permits(grant, right)));

const permits = (grant, right) =>
    grant.role === 'admin' || (ROLES[grant.role] ?? []).includes(right) || (grant.rights ?? []).includes(right);
