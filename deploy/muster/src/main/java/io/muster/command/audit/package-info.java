/**
 * Verification of the sealed record without a database. {@link io.muster.command.audit.ExportVerifier} does it;
 * {@link io.muster.command.audit.Audit} is the command.
 */
package io.muster.command.audit;
