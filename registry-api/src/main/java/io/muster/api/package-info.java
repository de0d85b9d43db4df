/**
 * The wire format: the bodies of requests and replies, and the complete vocabulary of errors.
 *
 * <p>Start with {@link io.muster.api.RegistrationRequest} and {@link io.muster.api.RegistrationReceipt}. The records
 * are plain on purpose: strings and maps without checks, so that a reader of a malformed body can report every fault at
 * once. Checked values are in {@link io.muster.spi}.
 */
package io.muster.api;
