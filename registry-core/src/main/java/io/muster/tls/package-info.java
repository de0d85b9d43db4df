/**
 * Reads certificates and keys from PEM files, and makes connections that trust them and present them. The package knows
 * nothing of the rest of Muster. Start with {@link io.muster.tls.TlsFiles}.
 */
package io.muster.tls;
