/** The issuer {@code public-key}. */
package io.muster.issuer.publickey;
