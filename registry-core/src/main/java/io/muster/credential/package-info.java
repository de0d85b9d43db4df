/** How devices authenticate. Start with {@link io.muster.credential.ClientAuthenticator}. */
package io.muster.credential;
