// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import io.muster.config.Settings;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The two forms, each with settings that work and the reply that it calls genuine. */
enum HttpKind {
    API("\"verified\":true") {
        @Override
        Map<String, String> settings(String url) {
            return with(
                    Map.of(
                            "allow-http", "true",
                            "allow-private", "true",
                            "authorization", "Bearer " + SECRET,
                            "pointer", "/verified",
                            "serial-pointer", "/serial"),
                    "url",
                    url + "/devices/{serial}");
        }
    },
    CONTRACT("\"verdict\":\"genuine\"") {
        @Override
        Map<String, String> settings(String url) {
            return with(
                    Map.of("form", "contract", "allow-http", "true", "allow-private", "true", "secret", SECRET),
                    "url",
                    url + "/verify");
        }
    };

    static final String SERIAL = "SN-0001-genuine";
    static final String SECRET = "0123456789-secret-0123456789-secret";
    static final Clock CLOCK = Clock.fixed(Instant.parse("2026-01-02T03:04:05Z"), ZoneOffset.UTC);

    private static final String PREFIX = "muster.verifier.acme.";

    private final String yes;

    HttpKind(String yes) {
        this.yes = yes;
    }

    abstract Map<String, String> settings(String url);

    /** The member that says genuine. */
    String yes() {
        return yes;
    }

    /** The whole reply that says genuine. */
    String genuine() {
        return "{\"serial\":\"" + SERIAL + "\"," + yes + "}";
    }

    /** A verifier with working settings, and further ones. */
    HttpVerifier verifier(HttpWire wire, String... keysAndValues) {
        return verifier(with(settings(wire.url("")), keysAndValues));
    }

    /** A verifier with exactly these settings, which have no fault. */
    static HttpVerifier verifier(Map<String, String> map) {
        Settings settings = settingsOf(map);
        HttpVerifier verifier = new HttpVerifier("acme", settings, CLOCK);
        check(settings, map);
        return verifier;
    }

    static Settings settingsOf(Map<String, String> map) {
        return Settings.of(PREFIX, key -> Optional.ofNullable(map.get(key.substring(PREFIX.length()))));
    }

    static void check(Settings settings, Map<String, String> map) {
        Map<String, String> whole = new TreeMap<>();
        map.forEach((key, value) -> whole.put(PREFIX + key, value));
        settings.check(whole.keySet());
    }

    static Map<String, String> with(Map<String, String> map, String... keysAndValues) {
        Map<String, String> joined = new TreeMap<>(map);
        for (int i = 0; i < keysAndValues.length; i += 2) {
            joined.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return joined;
    }
}
