/**
 * The interfaces and types that a plug-in implements or observes. Start with {@link io.muster.spi.SerialVerifier}.
 *
 * <p>Everything here is a promise: it grows by default methods and further types, and never breaks a plug-in that
 * compiled.
 */
package io.muster.spi;
