/**
 * The arithmetic of the sealed record, for the registry that seals and for programs that verify. {@code docs/record.md} describes it. Start with {@link io.muster.seal.Seal}.
 */
package io.muster.seal;
