/**
 * Failures: databases and verifiers that are unreachable or slow, nodes that are killed or stale, hostile plug-ins, and
 * clients that dawdle, guess, or send no valid request. None of them may cause a loss, an admission or a stall.
 *
 * <p>Start reading at {@link io.muster.suite.failure.KilledContract}. Tests here that start servers of their own and
 * mostly wait are {@link io.muster.suite.fixture.Aside}.
 */
package io.muster.suite.failure;
