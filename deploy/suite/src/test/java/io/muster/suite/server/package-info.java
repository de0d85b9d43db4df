/**
 * Starts Muster as a process of its own, on any of the servers it is tested on, for tests that see it only from outside.
 *
 * <p>Start reading at {@link io.muster.suite.server.MusterServer}. This package knows how servers are laid out, started
 * and stopped; it does not know what Muster answers, apart from {@code /health/ready}.
 */
package io.muster.suite.server;
