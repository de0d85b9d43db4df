// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.config.MusterConfig.RegisterAgainRule;
import io.muster.credential.AuthenticatedDevice;
import io.muster.credential.CredentialOrders.Scope;
import io.muster.credential.StoredCredential;
import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.jose.PublicJwk;
import io.muster.problem.RegistryException;
import io.muster.registration.Allowances.Allowance;
import io.muster.registration.RegistrationAttempt.OfferedKey;
import io.muster.registration.RegistrationAttempt.Seal;
import io.muster.registration.SerialModel.Allow;
import io.muster.registration.SerialModel.Answer;
import io.muster.registration.SerialModel.Become;
import io.muster.registration.SerialModel.Call;
import io.muster.registration.SerialModel.Fate;
import io.muster.registration.SerialModel.Policy;
import io.muster.registration.SerialModel.Register;
import io.muster.registration.SerialModel.Renew;
import io.muster.registration.SerialModel.Revoke;
import io.muster.registration.SerialModel.RevokeLot;
import io.muster.registration.SerialModel.Said;
import io.muster.registration.SerialModel.Seen;
import io.muster.registration.SerialModel.Standing;
import io.muster.registration.SerialModel.TakeBack;
import io.muster.registration.SerialModel.Use;
import io.muster.registration.SerialModel.View;
import io.muster.spi.Candidate;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** Nodes of one registry, with a fleet for each {@link Policy}, whose serials do what the calls of a model say. */
final class ModelledRegistry implements AutoCloseable {

    private static final String ORIGIN = "192.0.2.1";
    private static final Map<String, KeyPair> PAIRS = Map.of("P", DeviceKeys.p256(), "E", DeviceKeys.ed25519());
    private static final Map<String, KeyPair> READERS = Map.of("r1", DeviceKeys.p256(), "r2", DeviceKeys.p256());

    private final TestClock clock = new TestClock();
    private final AtomicInteger serials = new AtomicInteger();
    private final List<Policy> policies = new ArrayList<>();
    private final List<TestNode> nodes;

    ModelledRegistry(TestRegistry test, int nodes) {
        for (RegisterAgainRule rule : RegisterAgainRule.values()) {
            policies.add(new Policy(rule, Duration.ofDays(30), Duration.ofMinutes(10), Optional.empty()));
            policies.add(new Policy(rule, Duration.ofHours(1), Duration.ZERO, Optional.of(Duration.ofDays(60))));
        }
        test.with(clock)
                .with("muster.limits.refusals", "1000000")
                .with(
                        "all",
                        candidate -> new Verdict.Genuine(
                                Optional.empty(), Map.of("lot", lot(candidate.serial())), Map.of()));
        this.nodes = IntStream.range(0, nodes).mapToObj(node -> test.start()).toList();
        for (int fleet = 0; fleet < policies.size(); fleet++) {
            this.nodes
                    .get(0)
                    .fleets()
                    .put(
                            "f" + fleet,
                            document(policies.get(fleet)).getBytes(StandardCharsets.UTF_8),
                            version -> true,
                            "test");
        }
    }

    private static String lot(SerialNumber serial) {
        return "lot-" + serial.value();
    }

    private static String document(Policy policy) {
        String rule = policy.rule().name().toLowerCase(Locale.ROOT).replace('_', '-');
        String lifetime =
                policy.lifetime().map(",'credentialLifetime':'%s'"::formatted).orElse("");
        return "{'verifiers':['all'],'registerAgain':'%s','unconfirmedLifetime':'%s','rotationOverlap':'%s'%s}"
                .formatted(rule, policy.unconfirmed(), policy.overlap(), lifetime)
                .replace('\'', '"');
    }

    int fleets() {
        return policies.size();
    }

    int nodes() {
        return nodes.size();
    }

    Instant now() {
        return clock.instant();
    }

    void pass(Duration time) {
        clock.pass(time);
    }

    /** Returns a serial that was never used, in the fleet of this number. */
    Serial serial(int fleet) {
        return new Serial(fleet, new SerialNumber("SN-" + (1_000_000 + serials.incrementAndGet())));
    }

    @Override
    public void close() {
        nodes.forEach(TestNode::close);
    }

    /** A serial, and what its devices got for it so far. Thread-safe. */
    final class Serial {

        /** A credential as its device has it: a secret, or the name of a key pair. */
        private record Has(Optional<String> secret, String pair) {}

        private final int fleet;
        private final SerialNumber number;
        private final List<String> keys = new CopyOnWriteArrayList<>();
        private final Map<String, Has> credentials = new ConcurrentHashMap<>();
        private final Map<String, CredentialProof> proofs = new ConcurrentHashMap<>();
        private final List<String> allowances = new CopyOnWriteArrayList<>();
        private volatile Optional<DeviceId> device = Optional.empty();

        private Serial(int fleet, SerialNumber number) {
            this.fleet = fleet;
            this.number = number;
        }

        Policy policy() {
            return policies.get(fleet);
        }

        boolean isDevice() {
            return device.isPresent();
        }

        /** Returns the keys of all credentials that were issued, the oldest first. */
        List<String> keys() {
            return keys;
        }

        List<String> allowances() {
            return allowances;
        }

        /** Tells whether the credential ever authenticated, so that it can be presented. */
        boolean wasAccepted(String key) {
            return proofs.containsKey(key);
        }

        /** Sends a call to a node. */
        Answer call(int node, Call call) {
            TestNode at = nodes.get(node);
            try {
                if (call instanceof Register register) {
                    return issued(
                            at.registrar()
                                    .register(new RegistrationAttempt(
                                            Candidate.of(number, name(), ORIGIN),
                                            offered(register.pair(), register.provesPair()),
                                            seal(register.seal()),
                                            Optional.ofNullable(proofs.get(register.presented())))),
                            register.pair(),
                            register.seal());
                }
                if (call instanceof Renew renew) {
                    Device found = at.devices().find(device.orElseThrow()).orElseThrow();
                    return issued(
                            at.registrar()
                                    .rotate(
                                            found,
                                            proofs.get(renew.presented()),
                                            offered(renew.pair(), renew.provesPair()),
                                            seal(renew.seal()),
                                            ORIGIN),
                            renew.pair(),
                            renew.seal());
                }
                return others(at, call);
            } catch (RegistryException e) {
                if (e.type() == ProblemType.REGISTRATION_REFUSED) {
                    return Answer.of(Said.REFUSED);
                }
                if (e.type() == ProblemType.CONFLICT) {
                    return Answer.of(Said.CONFLICT);
                }
                throw e;
            }
        }

        private Answer others(TestNode at, Call call) {
            if (call instanceof Use use) {
                return used(at, use);
            }
            if (call instanceof Revoke revoke) {
                assertThat(at.revocations()
                                .revoke(
                                        device.orElseThrow(),
                                        Optional.of(revoke.key()).filter(key -> !key.isEmpty()),
                                        "test",
                                        "test"))
                        .isPresent();
            } else if (call instanceof RevokeLot) {
                at.credentialOrders()
                        .revoke(new Scope(name(), Optional.of(lot(number)), Optional.empty()), "test", "test");
            } else if (call instanceof Become become) {
                at.devices()
                        .change(
                                device.orElseThrow(),
                                DeviceState.valueOf(become.wanted().name()),
                                "test");
            } else if (call instanceof Allow allow) {
                Instant from = clock.instant().plus(allow.begins());
                String id = at.allowances()
                        .create(name(), List.of(number), from, from.plus(allow.lasts()), "test", "test")
                        .get(0)
                        .id();
                allowances.add(id);
                return new Answer(Said.DONE, id, "");
            } else if (call instanceof TakeBack back) {
                at.allowances().revoke(name(), back.allowance(), "test");
            }
            return Answer.of(Said.DONE);
        }

        private Answer used(TestNode at, Use use) {
            Has has = credentials.get(use.key());
            Optional<AuthenticatedDevice> accepted = has.secret()
                    .map(secret -> at.authenticator().authenticate(use.key(), use.right() ? secret : secret + "x"))
                    .orElseGet(() -> {
                        PublicJwk own = DeviceKeys.jwk(PAIRS.get(has.pair()).getPublic());
                        return at.authenticator().authenticate(use.key(), stored -> use.right() && stored.equals(own));
                    });
            accepted.ifPresent(proved -> {
                assertThat(proved.deviceId()).isEqualTo(device.orElseThrow());
                proofs.put(use.key(), CredentialProof.of(proved));
            });
            return Answer.of(accepted.isPresent() ? Said.YES : Said.NO);
        }

        private Answer issued(RegistrationReply reply, String pair, String seal) {
            if (reply instanceof RegistrationReply.Plain plain) {
                return issued(
                        plain.receipt().deviceId(),
                        plain.receipt().key(),
                        Optional.ofNullable(plain.receipt().secret()),
                        pair,
                        "");
            }
            String jwe = ((RegistrationReply.Sealed) reply).jwe();
            Map<String, Object> receipt = DeviceKeys.open(jwe, READERS.get(seal));
            return issued(
                    (String) receipt.get("deviceId"),
                    (String) receipt.get("key"),
                    Optional.ofNullable((String) receipt.get("secret")),
                    pair,
                    jwe);
        }

        private synchronized Answer issued(String id, String key, Optional<String> secret, String pair, String text) {
            assertThat(secret.isEmpty())
                    .as("a secret for a device without a key pair")
                    .isEqualTo(!pair.isEmpty());
            assertThat(device.map(DeviceId::value).orElse(id))
                    .as("one serial is one device")
                    .isEqualTo(id);
            device = Optional.of(new DeviceId(id));
            if (credentials.putIfAbsent(key, new Has(secret, pair)) == null) {
                keys.add(key);
            }
            return new Answer(Said.ISSUED, key, text);
        }

        private Optional<OfferedKey> offered(String pair, boolean proves) {
            if (pair.isEmpty()) {
                return Optional.empty();
            }
            KeyPair own = PAIRS.get(pair);
            KeyPair signer = proves ? own : DeviceKeys.p256();
            return Optional.of(DeviceKeys.offer(own, signer.getPrivate(), number.value(), claims -> {
                claims.put("iat", clock.instant().getEpochSecond());
                claims.put("fleet", name());
            }));
        }

        private Optional<Seal> seal(String name) {
            return name.isEmpty() ? Optional.empty() : Optional.of(DeviceKeys.seal(name, READERS.get(name)));
        }

        private String name() {
            return "f" + fleet;
        }

        /** Returns what a node shows of the serial. */
        View view(int node) {
            TestNode at = nodes.get(node);
            Map<String, Seen> seen = new TreeMap<>();
            device.ifPresent(id -> {
                for (StoredCredential credential : at.authenticator().credentials(id)) {
                    boolean good = at.authenticator().isGood(credential.key());
                    seen.put(
                            credential.key(),
                            new Seen(good, credential.wasUsed(), good ? credential.expiresAt() : Optional.empty()));
                }
            });
            Map<String, Fate> fates = new TreeMap<>();
            for (Allowance one : at.allowances().list(name(), Optional.of(number.value()), Optional.empty(), 100)) {
                fates.put(one.id(), fate(one.state(clock.instant())));
            }
            return new View(
                    device.flatMap(id -> at.devices().find(id))
                            .map(found -> Standing.valueOf(found.state().name())),
                    seen,
                    fates);
        }

        private static Fate fate(Allowances.State state) {
            return switch (state) {
                case SPENT -> Fate.SPENT;
                case REVOKED -> Fate.TAKEN_BACK;
                case OPEN, GIVEN, EXPIRED -> Fate.OPEN;
            };
        }

        @Override
        public String toString() {
            return number.value() + " in " + policy();
        }
    }
}
