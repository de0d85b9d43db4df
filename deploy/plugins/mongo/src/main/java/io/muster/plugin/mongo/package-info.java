/**
 * A verifier that asks a MongoDB. Start with {@link io.muster.plugin.mongo.MongoVerifier}; its settings are explained
 * in {@code docs/verifiers/mongo.md}.
 */
package io.muster.plugin.mongo;
