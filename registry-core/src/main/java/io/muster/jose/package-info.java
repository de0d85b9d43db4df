/**
 * The shared parts of everything that uses signed tokens (RFC 7515, RFC 7519). Start with
 * {@link io.muster.jose.StrictJws}, the one place that builds a parser.
 */
package io.muster.jose;
