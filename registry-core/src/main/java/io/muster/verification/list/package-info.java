/**
 * The verifiers {@code database} and {@code block-list}: expected serials, their lots, and blocked ones. Start with
 * {@link io.muster.verification.list.ExpectedSerials}.
 */
package io.muster.verification.list;
