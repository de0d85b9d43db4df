/**
 * Access tokens: signed here, checked here, by keys that live in the database. Start with {@link
 * io.muster.token.TokenVerifier}; holding a {@link io.muster.token.VerifiedToken} proves that it did its work.
 */
package io.muster.token;
