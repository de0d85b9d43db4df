/**
 * Access tokens: their issue, and the trust in them while they live. The clients and resource servers here know nothing
 * of Muster.
 *
 * <p>Start reading at {@code TokenEndpointIT}.
 */
package io.muster.suite.token;
