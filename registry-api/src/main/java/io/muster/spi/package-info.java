/**
 * What a plug-in implements or observes. Start with {@link io.muster.spi.SerialVerifier}.
 *
 * <p>Everything here is a promise: it grows by default methods and further types, never by breaking a plug-in that compiled.
 */
package io.muster.spi;
