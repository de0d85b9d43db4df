/**
 * A verifier that asks a Redis. Start with {@link io.muster.plugin.redis.RedisVerifier}; its settings are explained in
 * {@code docs/verifiers/redis.md}.
 */
package io.muster.plugin.redis;
