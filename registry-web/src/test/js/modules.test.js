// SPDX-License-Identifier: Apache-2.0
// The modules of the console without a browser. ConsoleModulesIT runs this with the node of Playwright, beside a copy of the files.

import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { address, at, query } from './console/api.js';
import { brokersOf } from './console/brokers.js';
import { byHour } from './console/chart.js';
import { difference } from './console/device.js';
import { evidenceOf } from './console/explain.js';
import { all, compare, likeSearch, quoted } from './console/filter.js';
import { moved } from './console/fleet.js';
import { stateOf } from './console/lots.js';
import { grantsOf } from './console/operators.js';
import { fromLines, lines } from './console/parts.js';
import { ROLES, may, maySomewhere } from './console/rights.js';
import { inFleet, link, parse } from './console/route.js';
import { canonical, check } from './console/seal.js';
import { MENU, viewOf } from './console/views.js';

test('an address is read as it was made, whatever is in it', () => {
    for (const text of ['SN-1', 'a/b', 'ü ?&=#%', '%2F', '"><script>']) {
        const address = link(['fleets', text, 'lots'], { filter: text, empty: '' });

        assert.deepEqual(parse(address), { path: ['fleets', text, 'lots'], params: { filter: text } });
        assert.match(address, /^#\/fleets\/[^/]+\/lots\?filter=/);
    }
    assert.deepEqual(parse('#/a/%E0%'), { path: ['a', '%E0%'], params: {} });
    assert.deepEqual(parse(''), { path: [], params: {} });
    assert.equal(inFleet('f', ['jobs', '1']), '#/fleets/f/jobs/1');
});

test('values in requests are encoded', () => {
    assert.equal(at`/fleets/${'a/../b'}/x`, '/fleets/a%2F..%2Fb/x');
    assert.equal(query({ a: '', b: null, c: undefined }), '');
    assert.equal(query({ filter: 'a eq "b&c"', limit: 0 }), '?filter=a+eq+%22b%26c%22&limit=0');
});

test('no name leads a request to another address', () => {
    for (const lot of ['..', '.', '../../boilers/lots/B1', 'a/%2E%2e/b', 'a/..']) {
        assert.throws(() => address('/fleets/evil/lots/' + lot), lot);
    }
    assert.ok(address('/fleets/pumps/lots/2026/a..b').href.endsWith('/api/v1/fleets/pumps/lots/2026/a..b'));
    assert.ok(address('/devices?q=../a').href.endsWith('/api/v1/devices?q=../a'));
});

test('an address with a word of the language is no view', () => {
    assert.equal(viewOf(['constructor']).view, viewOf(['no-such-view']).view);
    assert.equal(viewOf(['fleets', 'a', '__proto__']).view, viewOf(['no-such-view']).view);
});

test('texts of strangers stay texts in a filter', () => {
    assert.equal(quoted('a" or state pr or "'), '"a\\" or state pr or \\""');
    assert.equal(compare('lot', 'eq', ''), '');
    assert.equal(all('', undefined, ' a eq 1 '), 'a eq 1');
    assert.equal(all('a eq 1 or b eq 2', 'c eq 3'), '(a eq 1 or b eq 2) and c eq 3');
    assert.equal(likeSearch('SN'), 'serial sw "SN" or name sw "SN"');
});

test('a grant for one fleet shows that fleet and nothing of the registry', () => {
    const viewer = { rights: [], grants: [{ role: 'viewer', fleets: ['a'] }] };
    const admin = { rights: ['devices:write', 'operators:write'], grants: [{ role: 'admin' }] };
    const program = { rights: [], grants: [{ rights: ['devices:write', 'operators:write'], fleets: ['a'] }] };

    assert.ok(may(viewer, 'devices:read', 'a'));
    assert.ok(!may(viewer, 'devices:read', 'b'));
    assert.ok(!may(viewer, 'devices:read'));
    assert.ok(!may(viewer, 'devices:write', 'a'));
    assert.ok(maySomewhere(viewer, 'devices:read'));
    assert.ok(!maySomewhere(viewer, 'metrics:read'));
    assert.ok(may(admin, 'devices:write', 'any'));
    assert.ok(may(program, 'devices:write', 'a'));
    assert.ok(!maySomewhere(program, 'operators:write'));
});

test('roles have the rights of the registry', () => {
    const [head, ...rows] = readFileSync(new URL('operator-rights.csv', import.meta.url), 'utf8')
        .trim()
        .split('\n');
    const columns = head.split(',');
    for (const row of rows) {
        const cells = row.split(',');
        const [right, scope] = [cells[1], cells[2]];
        if (right === '-' || right === 'metrics:read') {
            continue;
        }
        for (const role of ['viewer', 'operator', 'manager']) {
            const has = cells[columns.indexOf(role)] === 'yes';
            assert.equal(ROLES[role].includes(right), has, role + ' ' + right + ' ' + scope);
        }
    }
});

test('only what was changed is sent', () => {
    assert.equal(difference({ a: '1', b: 2 }, { a: '1', b: '2' }), null);
    assert.deepEqual(difference({ a: '1', b: '2' }, { b: '3', c: '4' }), { a: null, b: '3', c: '4' });
    assert.deepEqual(fromLines(lines({ room: '12', 'a b': 'x = y' })), { room: '12', 'a b': 'x = y' });
    assert.deepEqual(fromLines('  a=1\n\n b \n'), { a: '1', b: '' });
});

test('verifiers are moved', () => {
    assert.deepEqual(moved(['a', 'b', 'c'], 0, 2), ['b', 'c', 'a']);
    assert.deepEqual(moved(['a', 'b', 'c'], 2, 1), ['a', 'c', 'b']);
});

test('evidence is an object or nothing', () => {
    assert.deepEqual(evidenceOf(undefined), {});
    assert.deepEqual(evidenceOf('{"hmac":"x"}'), { evidence: { hmac: 'x' } });
    for (const text of ['[]', '1', 'null', '{']) {
        assert.throws(() => evidenceOf(text), SyntaxError, text);
    }
});

test('grants are made of what was typed', () => {
    assert.deepEqual(grantsOf({ name: 'ann', role: 'viewer' }), { name: 'ann', grants: [{ role: 'viewer' }] });
    assert.deepEqual(grantsOf({ role: 'operator', fleets: 'a, b c' }).grants, [{ role: 'operator', fleets: ['a', 'b', 'c'] }]);
});

test('a lot is open from its first moment to before its last', () => {
    const now = Date.parse('2026-12-01T00:00:00Z');
    assert.equal(stateOf({ paused: true }, now), 'paused');
    assert.equal(stateOf({ notBefore: '2026-12-01T00:00:00Z' }, now), 'open');
    assert.equal(stateOf({ notBefore: '2026-12-01T00:00:01Z' }, now), 'early');
    assert.equal(stateOf({ notAfter: '2026-12-01T00:00:00Z' }, now), 'over');
});

test('hours without a count are there, and counts of one hour are added', () => {
    const counts = [
        { hour: '2026-12-01T02:00:00Z', count: 2 },
        { hour: '2026-12-01T02:00:00Z', count: 3 },
        { hour: '2026-11-29T02:00:00Z', count: 9 },
    ];
    assert.deepEqual(
        byHour(counts, 3, Date.parse('2026-12-01T03:59:00Z')).map((bar) => bar.count),
        [0, 5, 0],
    );
});

test('brokers are read out of the measurements', () => {
    const text = `# TYPE muster_broker_disconnect_seconds histogram
muster_broker_disconnect_seconds_bucket{broker="b",le="0.1"} 3
muster_broker_disconnect_seconds_count{broker="b"} 4
muster_broker_disconnect_seconds_sum{broker="b"} 2.0
muster_broker_repaired_total{broker="a"} 1.0
muster_other{broker="c"} 1
`;
    assert.deepEqual(brokersOf(text), [
        { broker: 'a', repaired_total: 1 },
        { broker: 'b', disconnect_seconds_count: 4, disconnect_seconds_sum: 2 },
    ]);
});

test('every entry of the menu has its view', () => {
    const lost = viewOf(['nowhere']).view;
    for (const entry of MENU.flatMap((group) => group.entries)) {
        const found = viewOf(entry.fleet ? ['fleets', 'f', entry.name] : [entry.name]);

        assert.notEqual(found.view, lost, entry.name);
        assert.equal(found.name, entry.name);
    }
    assert.equal(viewOf(['fleets', 'f', 'devices', 'x']).view, lost);
    assert.deepEqual(viewOf(['fleets', 'f', 'lots', 'a/b']).args, ['a/b']);
});

const sha = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

/** The tree of RFC 6962 by its definition, not by the way of the console. */
function treeOf(leaves) {
    if (leaves.length === 1) {
        return { root: leaves[0], paths: [[]] };
    }
    let split = 1;
    while (split * 2 < leaves.length) {
        split *= 2;
    }
    const [left, right] = [treeOf(leaves.slice(0, split)), treeOf(leaves.slice(split))];
    return {
        root: sha(Buffer.of(1), left.root, right.root),
        paths: [...left.paths.map((path) => [...path, right.root]), ...right.paths.map((path) => [...path, left.root])],
    };
}

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'k' }];

function receiptsOf(count) {
    const records = Array.from({ length: count }, (_, i) => ({
        record: { type: 'refused', id: 'r' + i, at: '2026-12-01T00:00:00Z' },
        personal: { who: '192.0.2.1', detail: 'no "verifier" ü' },
        salt: '0a'.repeat(16),
    }));
    const leaves = records.map(({ record, personal, salt }) => {
        const digest = sha(Buffer.from(salt, 'hex'), canonical(personal));
        return sha(Buffer.of(0), canonical({ ...record, personal: digest.toString('hex') }));
    });
    const { root, paths } = treeOf(leaves);
    const seal = { version: 1, number: 7, records: count, root: root.toString('hex'), kid: 'k' };
    seal.signature = sign(null, Buffer.from(canonical(seal)), privateKey).toString('base64url');
    return records.map((one, position) => ({ ...one, position, seal, path: paths[position].map((hash) => hash.toString('hex')) }));
}

test('a receipt is intact wherever its record is in the seal', async () => {
    for (let count = 1; count <= 9; count++) {
        for (const receipt of receiptsOf(count)) {
            assert.equal(await check(receipt, keys), 'intact', receipt.position + ' of ' + count);
        }
    }
});

test('whatever was changed in a receipt is found', async () => {
    const [receipt] = receiptsOf(3).slice(1);
    const changed = [
        { ...receipt, record: { ...receipt.record, type: 'registered' } },
        { ...receipt, personal: { ...receipt.personal, who: '192.0.2.2' } },
        { ...receipt, position: 0 },
        { ...receipt, path: receipt.path.slice(1) },
        { ...receipt, path: [...receipt.path, receipt.path[0]] },
    ];
    for (const one of changed) {
        assert.equal(await check(one, keys), 'changed');
    }
    assert.equal(await check({ ...receipt, seal: { ...receipt.seal, number: 8 } }, keys), 'forged');
    assert.equal(await check(receipt, []), 'unknown-key');
    const { personal, salt, ...rest } = receipt;
    const personalDigest = sha(Buffer.from(salt, 'hex'), canonical(personal)).toString('hex');
    assert.equal(await check({ ...rest, personalDigest }, keys), 'intact');
});

const texts = (language) => JSON.parse(readFileSync(new URL('console/texts/' + language + '.json', import.meta.url), 'utf8'));

test('every text that is used is there, and both languages have the same ones', () => {
    const [english, german] = [texts('en'), texts('de')];
    assert.deepEqual(Object.keys(german), Object.keys(english));
    assert.deepEqual(Object.keys(english), Object.keys(english).sort());
    for (const [name, text] of Object.entries(english)) {
        const places = (of) => (of.match(/\{\w+\}/g) ?? []).sort();
        assert.deepEqual(places(german[name]), places(text), name);
    }
    const directory = new URL('console/', import.meta.url);
    for (const file of readdirSync(directory).filter((name) => name.endsWith('.js'))) {
        const source = readFileSync(new URL(file, directory), 'utf8');
        for (const [, name] of source.matchAll(/\bt\('([a-z0-9-]+)'[,)]/g)) {
            assert.ok(name in english, file + ': ' + name);
        }
        assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|eval\(|new Function/, file);
    }
});

test('files are formatted as the rest of the project is', () => {
    for (const directory of ['console/', 'claim/']) {
        const place = new URL(directory, import.meta.url);
        for (const file of readdirSync(place).filter((name) => /\.(js|css|html)$/.test(name))) {
            const source = readFileSync(new URL(file, place), 'utf8');
            assert.ok(source.endsWith('\n') && !source.endsWith('\n\n'), file + ' ends with one line break');
            source.split('\n').forEach((line, i) => {
                const where = file + ':' + (i + 1);
                assert.doesNotMatch(line, /\t|\s$/, where + ' has a tab, or blanks at its end');
                assert.ok(/^ *\*/.test(line) || /^ */.exec(line)[0].length % 2 === 0, where + ' is indented by an odd number');
                assert.ok(line.length <= (file.endsWith('.css') ? 400 : 200), where + ' is too long');
            });
        }
    }
});
