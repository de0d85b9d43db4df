/**
 * The verifier {@code x509}: a certificate chain to a configured authority, and a proof that the device holds the key.
 * Start with {@link io.muster.verification.x509.X509Verifier}. The package uses only the JDK and makes no network
 * connection.
 */
package io.muster.verification.x509;
