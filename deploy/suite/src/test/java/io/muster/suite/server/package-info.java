/**
 * Muster as a process of its own, on each server that it is tested on. Fixtures start and stop it. The tests show how
 * it starts, listens, stands behind a proxy, takes a jar into its WAR, and what it writes into its log.
 *
 * <p>Start reading at {@link io.muster.suite.server.MusterServer}, which starts one. The fixtures know how servers are
 * laid out. They do not know what Muster answers, apart from {@code /health/ready}.
 */
package io.muster.suite.server;
