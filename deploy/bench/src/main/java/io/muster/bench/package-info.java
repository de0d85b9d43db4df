/**
 * The load driver. {@link io.muster.bench.Bench} starts {@code muster.jar} on a MariaDB of its own, starts its floors
 * beside it, and measures all of them in turns. {@code docs/performance.md} has the results and their limits.
 */
package io.muster.bench;
