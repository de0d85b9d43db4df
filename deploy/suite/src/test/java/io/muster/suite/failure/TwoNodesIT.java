// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.Within.pass;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.spi.TimeLimit;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two nodes that share nothing but the database and the master key, and a third that shares nothing. */
@Tag("timing")
class TwoNodesIT {

    private static final Duration STALE = Duration.ofSeconds(2);

    private final RegistryUnderTest here = SharedWorld.onMariaDb();
    private final RegistryUnderTest there = SharedWorld.secondNode();
    private final RegistryUnderTest stranger = SharedWorld.embedded();

    @Test
    void tokenOfOneNodeIsGoodOnTheOther() {
        Registered device = here.newDevice();
        String token = here.accessToken(device);

        assertThat(there.isActive(token)).isTrue();
        assertThat(there.ownRecord(token).json().path("deviceId").asText()).isEqualTo(device.deviceId());
        assertThat(there.get(".well-known/jwks.json").text())
                .isEqualTo(here.get(".well-known/jwks.json").text());
        assertThat(here.isActive(there.accessToken(device))).isTrue();
    }

    /** Its number is {@code muster.two-nodes.devices}. */
    @Test
    void deviceThatHasJustRegisteredOnOneNodeGetsItsTokenFromTheOther() throws Exception {
        int devices = Integer.getInteger("muster.two-nodes.devices");
        List<String> serials = RegistryUnderTest.unusedSerials(devices);
        for (int from = 0; from < devices; from += 1_000) {
            here.expect("default", serials.subList(from, Math.min(devices, from + 1_000)));
        }

        List<String> wrong = fromFourThreads(serials, serial -> {
            boolean hereFirst = Math.floorMod(serial.hashCode(), 2) == 0;
            RegistryUnderTest registers = hereFirst ? here : there;
            RegistryUnderTest issues = hereFirst ? there : here;
            Registered device = registers.registered(serial);
            Reply token = issues.token(device);
            return token.status() == 200
                    && registers.isActive(token.json().path("access_token").asText());
        });

        assertThat(wrong).as("of %d devices", devices).isEmpty();
    }

    /**
     * Half of the devices of {@code muster.two-nodes.devices}, since each also takes a revocation. All are checked
     * after two seconds.
     */
    @Test
    void deviceThatWasRevokedGetsNoTokenFromThisNodeAndAfterTwoSecondsNoneFromTheOther() throws Exception {
        Map<String, Registered> devices = new ConcurrentHashMap<>();
        List<String> serials =
                RegistryUnderTest.unusedSerials(Math.max(1, Integer.getInteger("muster.two-nodes.devices") / 2));
        for (int from = 0; from < serials.size(); from += 1_000) {
            here.expect("default", serials.subList(from, Math.min(serials.size(), from + 1_000)));
        }

        List<String> wrong = fromFourThreads(serials, serial -> {
            Registered device = here.registered(serial);
            devices.put(serial, device);
            // Both remember it as good.
            boolean good =
                    here.token(device).status() == 200 && there.token(device).status() == 200;
            boolean revoked = here.post(
                                    "api/v1/devices/" + device.deviceId() + "/revoke",
                                    RegistryUnderTest.JSON,
                                    "{\"reason\":\"lost\"}",
                                    here.asOperator())
                            .status()
                    == 200;
            return good && revoked && here.token(device).status() == 401;
        });
        assertThat(wrong).as("of %d devices here", serials.size()).isEmpty();

        // The last one was just revoked, so after this wait all of them have had their two seconds.
        pass(STALE);
        if (!TimeLimit.isChecked()) {
            within(STALE, "the last is refused there", () -> serials.stream()
                    .allMatch(serial -> there.token(devices.get(serial)).status() == 401));
        }
        assertThat(fromFourThreads(
                        serials, serial -> there.token(devices.get(serial)).status() == 401))
                .as("of %d devices there", serials.size())
                .isEmpty();
    }

    /** Returns those serials for which it did not hold. */
    private static List<String> fromFourThreads(List<String> serials, Predicate<String> holds) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<Boolean>> held = serials.stream()
                    .map(serial -> threads.submit(() -> holds.test(serial)))
                    .toList();
            List<String> wrong = new ArrayList<>();
            for (int i = 0; i < held.size(); i++) {
                if (!held.get(i).get()) {
                    wrong.add(serials.get(i));
                }
            }
            return wrong;
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void deviceThatIsDisabledHereIsRefusedThereWithinTwoSeconds() {
        Registered device = here.newDevice();
        String token = here.accessToken(device);
        // Now both remember it as good.
        assertThat(there.token(device).status()).isEqualTo(200);
        assertThat(there.isActive(token)).isTrue();

        here.change(device.deviceId(), "disable");

        assertThat(here.token(device).status()).isEqualTo(401);
        within(STALE, "no token there", () -> there.token(device).status() == 401);
        within(STALE, "not active there", () -> !there.isActive(token));

        there.change(device.deviceId(), "enable");

        within(STALE, "a token here", () -> here.token(device).status() == 200);
    }

    @Test
    void credentialThatIsRevokedHereIsRefusedThereWithinTwoSecondsAndSoIsALot() {
        String lot = "L-" + RegistryUnderTest.unusedSerial();
        List<String> serials = RegistryUnderTest.unusedSerials(2);
        assertThat(here.load("serial,lot\n" + serials.get(0) + "," + lot + "\n" + serials.get(1) + "," + lot + "\n")
                        .status())
                .isEqualTo(200);
        List<Registered> devices = serials.stream().map(here::registered).toList();
        List<String> tokens = devices.stream().map(there::accessToken).toList();
        assertThat(tokens).allMatch(there::isActive);

        here.post(
                "api/v1/devices/" + devices.get(0).deviceId() + "/revoke",
                RegistryUnderTest.JSON,
                "{\"reason\":\"lost\"}",
                here.asOperator());
        assertThat(here.token(devices.get(0)).status()).isEqualTo(401);
        within(STALE, "no token there", () -> there.token(devices.get(0)).status() == 401);
        within(STALE, "not active there", () -> !there.isActive(tokens.get(0)));
        assertThat(there.isActive(tokens.get(1))).isTrue();

        here.post(
                "api/v1/fleets/default/revocations",
                RegistryUnderTest.JSON,
                "{\"lot\":\"" + lot + "\",\"reason\":\"leaked\"}",
                here.asOperator());
        assertThat(here.token(devices.get(1)).status()).isEqualTo(401);
        within(STALE, "no token there", () -> there.token(devices.get(1)).status() == 401);
        within(STALE, "not active there", () -> !there.isActive(tokens.get(1)));
    }

    @Test
    void signingKeyThatIsDroppedHereIsDroppedThereWithinTwoSeconds() {
        Registered device = here.newDevice();
        String token = here.accessToken(device);
        assertThat(there.isActive(token)).isTrue();
        String keys = here.get(".well-known/jwks.json").text();

        Reply dropped = here.post(
                "api/v1/signing-keys/rotate",
                RegistryUnderTest.JSON,
                "{\"emergency\":true,\"reason\":\"a test\"}",
                here.asOperator());

        assertThat(dropped.status()).isEqualTo(200);
        assertThat(dropped.json().path("signingKeys")).hasSize(1);
        assertThat(dropped.json().at("/signingKeys/0/state").asText()).isEqualTo("signing");
        assertThat(here.isActive(token)).isFalse();
        assertProblem(here.ownRecord(token), 401, "unauthorized");
        within(STALE, "not active there", () -> !there.isActive(token));
        within(STALE, "other keys there", () -> !there.get(".well-known/jwks.json")
                .text()
                .equals(keys));
        assertThat(here.isActive(there.accessToken(device))).isTrue();
    }

    @Test
    void operatorThatIsRevokedHereIsRefusedThereWithinTwoSeconds() {
        Reply made = here.post(
                "api/v1/operators",
                RegistryUnderTest.JSON,
                "{\"name\":\"" + RegistryUnderTest.unusedSerial() + "\",\"rights\":[\"devices:read\"]}",
                here.asOperator());
        String[] as = RegistryUnderTest.bearer(made.json().path("token").asText());
        within(
                STALE,
                "known there",
                () -> there.get("api/v1/devices?limit=1", as).status() == 200);

        here.send("DELETE", "api/v1/operators/" + made.json().path("id").asText(), null, here.asOperator());

        within(
                STALE,
                "refused there",
                () -> there.get("api/v1/devices?limit=1", as).status() == 401);
    }

    @Test
    void registrationThereVoidsTheUnusedCredentialHere() {
        Registered lost = here.newDevice();

        Registered kept = there.registered(lost.serial());

        assertThat(kept.deviceId()).isEqualTo(lost.deviceId());
        within(STALE, "void here", () -> here.token(lost).status() == 401);
        assertThat(here.token(kept).status()).isEqualTo(200);
    }

    @Test
    void sixtyFourRegistrationsOnBothNodesMakeOneDevice() throws Exception {
        String serial = here.expectedSerial();
        ExecutorService devices = Executors.newFixedThreadPool(64);
        try {
            List<Future<Reply>> replies = IntStream.range(0, 64)
                    .mapToObj(i -> devices.submit(() -> (i % 2 == 0 ? here : there).register(serial)))
                    .toList();
            Set<String> ids = new HashSet<>();
            for (Future<Reply> reply : replies) {
                assertThat(reply.get().status()).as(reply.get().toString()).isEqualTo(200);
                ids.add(reply.get().json().path("deviceId").asText());
            }
            assertThat(ids).hasSize(1);
        } finally {
            devices.shutdownNow();
        }
        assertThat(here.devicesOf(serial)).hasSize(1);
    }

    private static Instant expiry(String token) {
        byte[] claims = Base64.getUrlDecoder().decode(token.split("\\.")[1]);
        return Instant.ofEpochSecond(Reply.json(claims).path("exp").asLong());
    }

    @Test
    void refusedStatusIsWhatIsConfigured() {
        Reply forbidden = there.register(RegistryUnderTest.unusedSerial());
        assertProblem(forbidden, 403, "registration-refused");
        assertThat(forbidden.json().path("status").intValue()).isEqualTo(403);

        Reply unauthorized = stranger.register(RegistryUnderTest.unusedSerial());
        assertProblem(unauthorized, 401, "registration-refused");
    }

    @Test
    void tokenOfAnotherRegistryIsRefused() {
        String foreign = stranger.accessToken(stranger.newDevice());

        assertThat(stranger.isActive(foreign)).isTrue();
        assertThat(here.introspect(foreign).text()).isEqualTo("{\"active\":false}");
        assertProblem(here.ownRecord(foreign), 401, "unauthorized");
        assertThat(here.get("api/v1/devices", stranger.asOperator()).status()).isEqualTo(401);
    }

    @Test
    void expiredTokenIsRefusedEverywhere() {
        Registered device = there.newDevice();
        String token = there.accessToken(device);
        assertThat(here.isActive(token)).isTrue();
        assertThat(there.isActive(token)).isTrue();

        within(Duration.ofSeconds(11), "the end of a token of ten seconds", () -> !here.isActive(token));

        assertThat(Instant.now()).isAfterOrEqualTo(expiry(token));
        assertThat(there.introspect(token).text()).isEqualTo("{\"active\":false}");
        assertProblem(here.ownRecord(token), 401, "unauthorized");
        assertProblem(there.ownRecord(token), 401, "unauthorized");
    }
}
