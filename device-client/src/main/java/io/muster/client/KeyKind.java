package io.muster.client;

/** What kind of key a device makes for itself; see {@link DeviceClient.Builder#deviceKey(KeyKind)}. */
public enum KeyKind {
    /** Elliptic curve P-256, signs ES256: the kind that every registry and every resource server knows. */
    P256,
    /** Edwards curve 25519, signs EdDSA. */
    ED25519
}
