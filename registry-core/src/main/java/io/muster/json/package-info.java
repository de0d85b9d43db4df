/**
 * Strict JSON in, compact JSON out: the one place that decides which JSON the registry accepts. Start with
 * {@link io.muster.json.Json}.
 */
package io.muster.json;
