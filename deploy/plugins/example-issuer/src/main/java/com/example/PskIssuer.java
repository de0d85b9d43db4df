package com.example;

import io.muster.spi.Credential;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.PluginName;
import io.muster.spi.RegisteredDevice;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Map;

@PluginName("example-psk")
public class PskIssuer implements CredentialIssuer {

    private final SecureRandom random = new SecureRandom();

    @Override
    public Credential issue(RegisteredDevice device) {
        String key = hex(16);
        String secret = hex(32);
        return new Credential.Secret(key, secret, Map.of("pskIdentity", key, "psk", secret));
    }

    private String hex(int bytes) {
        byte[] drawn = new byte[bytes];
        random.nextBytes(drawn);
        return HexFormat.of().formatHex(drawn);
    }
}
