/**
 * The floors: the registry's work written by hand, without anything that makes it a product.
 * {@link io.muster.bench.floor.BareRegistration} is its transaction. {@link io.muster.bench.floor.FloorResource} is
 * that and less behind JAX-RS, in a WAR of its own on the same server.
 */
package io.muster.bench.floor;
