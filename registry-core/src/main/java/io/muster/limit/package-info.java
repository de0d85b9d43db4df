/**
 * Limits on how often and how soon a client may come again. {@link io.muster.limit.Limits} counts failures.
 * {@link io.muster.limit.RetrySlots} spreads the retries of clients that cannot be served now.
 */
package io.muster.limit;
