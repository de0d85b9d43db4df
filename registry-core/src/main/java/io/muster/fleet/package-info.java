/** Fleets: devices under one policy. Start with {@link io.muster.fleet.Fleets}. */
package io.muster.fleet;
