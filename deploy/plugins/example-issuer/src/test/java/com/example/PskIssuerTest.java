package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.muster.spi.Credential;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.CredentialIssuerContract;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PskIssuerTest implements CredentialIssuerContract {

    private final CredentialIssuer issuer = new PskIssuer();

    @Override
    public CredentialIssuer issuer() {
        return issuer;
    }

    @Test
    void secretIsAPreSharedKeyOf256BitsInHex() {
        Credential.Secret issued = assertInstanceOf(Credential.Secret.class, issuer.issue(device()));

        assertTrue(issued.secret().matches("[0-9a-f]{64}"));
        assertEquals(Map.of("pskIdentity", issued.key(), "psk", issued.secret()), issued.extras());
    }
}
