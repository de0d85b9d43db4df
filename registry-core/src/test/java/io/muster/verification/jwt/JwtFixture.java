// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.jwt;

import io.muster.TestRegistry;
import io.muster.config.Settings;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Verifiers named {@code fab}, and candidates for them. */
public final class JwtFixture {

    public static final Clock CLOCK = Clock.fixed(TestRegistry.NOW, ZoneOffset.UTC);
    public static final String REGISTRY = "https://registry.example";

    private static final String PREFIX = "muster.verifier.fab.";

    private JwtFixture() {}

    /** A verifier with exactly these settings and the issuer, which have no fault. */
    public static JwtVerifier verifier(Clock clock, String... keysAndValues) {
        Map<String, String> map = new TreeMap<>(Map.of("issuer", Tokens.ISSUER));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return verifier(clock, map);
    }

    public static JwtVerifier verifier(Clock clock, Map<String, String> map) {
        Settings settings = Settings.of(PREFIX, key -> Optional.ofNullable(map.get(key.substring(PREFIX.length()))));
        JwtVerifier verifier = new JwtVerifier("fab", settings, URI.create(REGISTRY), clock);
        Map<String, String> whole = new HashMap<>();
        map.forEach((key, value) -> whole.put(PREFIX + key, value));
        settings.check(whole.keySet());
        return verifier;
    }

    public static JwtVerifier withSecret(String... keysAndValues) {
        String[] more = Arrays.copyOf(keysAndValues, keysAndValues.length + 2);
        more[keysAndValues.length] = "secret";
        more[keysAndValues.length + 1] = Tokens.SECRET;
        return verifier(CLOCK, more);
    }

    public static JwtVerifier withKeys(String jwks, String... keysAndValues) {
        String[] more = Arrays.copyOf(keysAndValues, keysAndValues.length + 2);
        more[keysAndValues.length] = "keys-file";
        more[keysAndValues.length + 1] = file(jwks).toString();
        return verifier(CLOCK, more);
    }

    public static Path file(String content) {
        try {
            Path file = Files.createTempFile(Files.createDirectories(Path.of("target/keys")), "keys", ".json");
            return Files.writeString(file, content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static Candidate offering(Object token) {
        return offering(Tokens.SERIAL, token);
    }

    public static Candidate offering(String serial, Object token) {
        return Candidates.withEvidence(serial, Map.of("jwt", token));
    }
}
