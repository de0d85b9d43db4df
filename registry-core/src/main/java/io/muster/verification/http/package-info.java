/** The verifier {@code http}: asks an API. Start with {@link io.muster.verification.http.HttpVerifier}. */
package io.muster.verification.http;
