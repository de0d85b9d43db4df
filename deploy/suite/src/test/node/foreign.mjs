// Clients that know nothing of Muster: oauth4webapi and openid-client get tokens in every way there is, and use them.
//
//   node foreign.mjs <issuer> <serial> <serial> <serial>
//
// The serials are expected by the registry, and new. Prints a line for each way; ends with 1 at the first that fails.

import assert from 'node:assert/strict'
import { createPrivateKey, sign, webcrypto } from 'node:crypto'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'

globalThis.crypto ??= webcrypto
const [issuer, ...serials] = process.argv.slice(2)
const record = new URL(`${issuer}/devices/me`)
const insecure = { [oauth.allowInsecureRequests]: true }

// The only part that is Muster's own: a registration by HTTP.

function encoded(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

async function proofOf(keys, alg, serial) {
  const claims = { serial, aud: issuer, iat: Math.floor(Date.now() / 1000) }
  const input = `${encoded({ alg, typ: 'muster-proof+jwt' })}.${encoded(claims)}`
  const jwk = await crypto.subtle.exportKey('jwk', keys.privateKey)
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  const signature = sign(alg === 'ES256' ? 'sha256' : null, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

async function register(serial, keys, alg) {
  const body = { serial }
  if (keys) {
    const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', keys.publicKey)
    body.publicKey = { kty, crv, x, y }
    body.proof = await proofOf(keys, alg, serial)
  }
  const reply = await fetch(`${issuer}/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  assert.equal(reply.status, 200, await reply.clone().text())
  return reply.json()
}

const es256 = await oauth.generateKeyPair('ES256', { extractable: true })
const ed25519 = await oauth.generateKeyPair('Ed25519', { extractable: true })
const [withSecret, withEs256, withEd25519] = [
  await register(serials[0]),
  await register(serials[1], es256, 'ES256'),
  await register(serials[2], ed25519, 'EdDSA'),
]

// These libraries call the algorithm Ed25519 since RFC 9864; the name that most others have is EdDSA (RFC 8037).
const eddsa = {
  [oauth.modifyAssertion](header) {
    header.alg = 'EdDSA'
  },
}

/** Ways to authenticate: the device, and what each library calls the way. */
function ways(library) {
  return {
    client_secret_basic: [withSecret, library.ClientSecretBasic(withSecret.secret)],
    client_secret_post: [withSecret, library.ClientSecretPost(withSecret.secret)],
    'private_key_jwt with ES256': [withEs256, library.PrivateKeyJwt(es256.privateKey)],
    'private_key_jwt with EdDSA': [withEd25519, library.PrivateKeyJwt(ed25519.privateKey, eddsa)],
  }
}

async function assertIsOf(device, reply) {
  assert.equal(reply.status, 200, await reply.clone().text())
  assert.equal((await reply.json()).deviceId, device.deviceId)
}

async function withOauth4webapi() {
  const address = new URL(issuer)
  const metadata = await oauth.discoveryRequest(address, { algorithm: 'oauth2', ...insecure })
  const as = await oauth.processDiscoveryResponse(address, metadata)
  for (const [way, [device, authentication]] of Object.entries(ways(oauth))) {
    const client = { client_id: device.key }
    for (const bound of [false, true]) {
      const DPoP = bound ? oauth.DPoP(client, await oauth.generateKeyPair('ES256')) : undefined
      const reply = await oauth.clientCredentialsGrantRequest(as, client, authentication, new URLSearchParams(), {
        DPoP,
        ...insecure,
      })
      const token = await oauth.processClientCredentialsResponse(as, client, reply)
      assert.equal(token.token_type, bound ? 'dpop' : 'bearer')
      await assertIsOf(
        device,
        await oauth.protectedResourceRequest(token.access_token, 'GET', record, undefined, undefined, {
          DPoP,
          ...insecure,
        }),
      )
      const revoked = await oauth.revocationRequest(as, client, authentication, token.access_token, insecure)
      await oauth.processRevocationResponse(revoked)
      await assert.rejects(
        oauth.protectedResourceRequest(token.access_token, 'GET', record, undefined, undefined, { DPoP, ...insecure }),
        (e) => e.status === 401,
      )
      console.log(`oauth4webapi ${way}${bound ? ' and DPoP' : ''}`)
    }
  }
}

async function withOpenidClient() {
  for (const [way, [device, authentication]] of Object.entries(ways(openid))) {
    const config = await openid.discovery(new URL(issuer), device.key, undefined, authentication, {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    })
    for (const bound of [false, true]) {
      const DPoP = bound ? openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256')) : undefined
      const token = await openid.clientCredentialsGrant(config, undefined, { DPoP })
      assert.equal(token.token_type, bound ? 'dpop' : 'bearer')
      await assertIsOf(
        device,
        await openid.fetchProtectedResource(config, token.access_token, record, 'GET', undefined, undefined, { DPoP }),
      )
      await openid.tokenRevocation(config, token.access_token)
      console.log(`openid-client ${way}${bound ? ' and DPoP' : ''}`)
    }
  }
}

await withOauth4webapi()
await withOpenidClient()
