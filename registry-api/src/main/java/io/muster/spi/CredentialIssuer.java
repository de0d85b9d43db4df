package io.muster.spi;

/**
 * Makes credentials. Called by many threads at once, within the short transaction that stores what it made: it computes, and asks
 * nobody.
 *
 * <p>A fleet names its issuer: {@code standard} (a secret, or the public key that the device offers), {@code secret}, {@code
 * public-key}, or one of a plug-in. A plug-in is one class in one jar, named by {@link PluginName} and in its service file {@code
 * META-INF/services/io.muster.spi.CredentialIssuer}; its settings are {@code muster.issuer.<name>.*}, see {@link
 * Configurable}. A CDI bean with {@code @Named} in {@code WEB-INF/lib} does as well. What a plug-in sees, and how it is called and
 * closed, is as for a {@link SerialVerifier}.
 *
 * <p>Whatever it throws ends the registration with 500: nothing is stored, and the device is told none of it.
 *
 * <p>The contract is a test: {@code CredentialIssuerContract} in the test-jar of registry-api.
 */
@FunctionalInterface
public interface CredentialIssuer {

    /**
     * Makes a credential that nobody had before.
     *
     * @param device the device it is for
     * @return never null, never the same twice; {@link Credential.PublicKey} only with the key that the device offered. A secret
     *     for a device that offered a key is not handed out: its request is a fault
     */
    Credential issue(RegisteredDevice device);
}
