/**
 * The sealed record: events and admissions, closed every ten seconds by a signed seal. {@link io.muster.record.Sealer}
 * seals, {@link io.muster.record.SealedRecords} reads.
 */
package io.muster.record;
