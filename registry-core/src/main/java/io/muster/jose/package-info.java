/** What every use of signed tokens (RFC 7515, RFC 7519) shares. Start with {@link io.muster.jose.StrictJws}, the one place that builds a parser. */
package io.muster.jose;
