/**
 * Access tokens: signed here and checked here, by keys that live in the database. Start with
 * {@link io.muster.token.TokenVerifier}. A {@link io.muster.token.VerifiedToken} proves that its token was checked.
 */
package io.muster.token;
