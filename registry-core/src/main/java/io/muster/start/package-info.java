/**
 * Starts and stops a registry. Start with {@link io.muster.start.Startup}, which has the order.
 * {@link io.muster.start.Producers} makes the objects that have no constructor of ours.
 */
package io.muster.start;
