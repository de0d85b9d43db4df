/**
 * Things that count only once: {@link io.muster.once.Nonces}, and identifiers of tokens and proofs that were
 * {@linkplain io.muster.once.UsedOnce used}.
 */
package io.muster.once;
