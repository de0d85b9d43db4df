/** Strict JSON in, compact JSON out: the one place that decides what JSON the registry accepts. */
package io.muster.json;
