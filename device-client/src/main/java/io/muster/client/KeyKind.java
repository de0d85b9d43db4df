// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

/** The kind of key that a device makes for itself; see {@link DeviceClient.Builder#deviceKey(KeyKind)}. */
public enum KeyKind {
    /** Elliptic curve P-256, signs ES256; every registry and every resource server supports it. */
    P256,
    /** Edwards curve 25519, signs EdDSA. */
    ED25519
}
