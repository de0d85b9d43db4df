// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

/**
 * Makes credentials. Many threads call it at once, within the short transaction that stores the credential. So it only
 * computes, and calls no other system.
 *
 * <p>A fleet names its issuer: {@code standard} (a secret, or the public key that the device offers), {@code secret},
 * {@code public-key}, or one of a plug-in. A plug-in is one class in one jar. {@link PluginName} names it, and the
 * service file {@code META-INF/services/io.muster.spi.CredentialIssuer} lists it. Its settings are
 * {@code muster.issuer.<name>.*}, see {@link Configurable}. A CDI bean with {@code @Named} in {@code WEB-INF/lib} works
 * as well. The registry isolates, calls and closes a plug-in in the same way as a {@link SerialVerifier}.
 *
 * <p>If it throws anything, the registration ends with 500. Nothing is stored, and the device is not told why.
 *
 * <p>The contract is a test: {@code CredentialIssuerContract} in the test-jar of registry-api.
 */
@FunctionalInterface
public interface CredentialIssuer {

    /**
     * Makes a credential that nobody had before.
     *
     * @param device the device it is for
     * @return never null, never the same twice; {@link Credential.PublicKey} only with the key that the device offered.
     *     A secret for a device that offered a key is not handed out: its request is a fault
     */
    Credential issue(RegisteredDevice device);
}
