/** The issuer {@code standard}. */
package io.muster.issuer.standard;
