/**
 * Dynamic registration: a device offers a signed token. {@link io.muster.verification.jwt.JwtVerifier} checks it
 * against a shared secret, a file of keys, or {@link io.muster.jose.PublishedKeys keys at an address}. For
 * a shared secret, {@link io.muster.verification.jwt.RegistrationTokenSigner} makes such tokens.
 */
package io.muster.verification.jwt;
