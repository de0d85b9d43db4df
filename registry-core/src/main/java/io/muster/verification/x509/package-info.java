/**
 * The verifier {@code x509}: a certificate chain to a configured authority, and a proof that the device holds the key. Starts at
 * {@link io.muster.verification.x509.X509Verifier}. Uses the JDK alone; nothing here connects to anything.
 */
package io.muster.verification.x509;
