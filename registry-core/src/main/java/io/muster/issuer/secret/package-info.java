/** The issuer {@code secret}. */
package io.muster.issuer.secret;
