package io.muster.spi;

/**
 * Makes credentials. Called by many threads at once, before the transaction that stores what it made.
 *
 * <p>The contract is a test: {@code CredentialIssuerContract} in the test-jar of registry-api.
 */
@FunctionalInterface
public interface CredentialIssuer {

    /**
     * Makes a credential that nobody had before.
     *
     * @param device the device it is for
     * @return never null, never the same twice
     */
    Credential issue(RegisteredDevice device);
}
