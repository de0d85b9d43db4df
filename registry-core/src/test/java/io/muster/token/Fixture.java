// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.jose.PublicJwk;
import io.muster.registration.RegistrationAttempt;
import io.muster.registration.RegistrationAttempt.OfferedKey;
import io.muster.registration.RegistrationReply;
import io.muster.spi.Candidates;
import io.muster.spi.Verdict;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Signed objects of devices, with and without a test's change to them. */
final class Fixture {

    static final String ISSUER = "https://registry.example";
    static final long NOW = TestRegistry.NOW.getEpochSecond();

    private Fixture() {}

    /** Admits everybody. */
    static TestRegistry admitting(TestRegistry test) {
        return test.with("muster.fleet.default.verifiers", "yes").with("yes", candidate -> Verdict.genuine());
    }

    /** Registers a device that keeps its own key, and returns the key of its credential. */
    static String register(TestNode registry, String serial, DeviceKey own) {
        return register(registry, serial, own, proof(serial, own));
    }

    static String register(TestNode registry, String serial, DeviceKey own, String proof) {
        PublicJwk key = own.publicJwk();
        RegistrationReply reply = registry.registrar()
                .register(new RegistrationAttempt(
                        Candidates.withSerial(serial),
                        Optional.of(new OfferedKey(key, proof)),
                        Optional.empty(),
                        Optional.empty()));
        return ((RegistrationReply.Plain) reply).receipt().key();
    }

    /** Returns the proof with which a device registers its key. */
    static String proof(String serial, DeviceKey own) {
        return own.sign(header(own, "muster-proof+jwt"), map("serial", serial, "aud", ISSUER, "iat", NOW));
    }

    static Map<String, Object> header(DeviceKey own, String type) {
        return map("alg", own.algorithm(), "typ", type);
    }

    /** An assertion as it should be. */
    static Map<String, Object> assertion(String key, String id) {
        return map("iss", key, "sub", key, "aud", ISSUER, "iat", NOW, "exp", NOW + 60, "jti", id);
    }

    static String assertion(DeviceKey own, String key, String id) {
        return own.sign(header(own, "JWT"), assertion(key, id));
    }

    static Map<String, Object> map(Object... namesAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            map.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return map;
    }

    static Map<String, Object> changed(Map<String, Object> map, Consumer<Map<String, Object>> change) {
        Map<String, Object> changed = new LinkedHashMap<>(map);
        change.accept(changed);
        return changed;
    }
}
