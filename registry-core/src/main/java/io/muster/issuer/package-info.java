/**
 * Issues the credentials of devices. Start with {@link io.muster.issuer.Issuers}; each of the registry's own issuers
 * has a package.
 */
package io.muster.issuer;
