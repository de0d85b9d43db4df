/**
 * Operators: their rights, fleets as documents, serials in bulk and one by one, and the table of cases that they read.
 *
 * <p>Start reading at {@code OperatorsIT}. The two contracts run on both databases, by {@code EmbeddedIT} and
 * {@code OnMariaDbIT} of {@link io.muster.suite.device}.
 */
package io.muster.suite.operator;
