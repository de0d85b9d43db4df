// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.audit.AuditEvent;
import io.muster.json.Json;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.registration.RegistrationAttempt;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The promises of webhooks, on every database. */
interface WebhookContract {

    String FLEET = "default";
    String BY = "olga";
    Duration LIMIT = Duration.ofSeconds(30);

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private TestRegistry test(Receiver receiver, TestClock clock) {
        return fresh().with(clock)
                .with("muster.fleet.default.verifiers", "all")
                .with(
                        "all",
                        candidate -> candidate.serial().value().startsWith("BAD")
                                ? Verdict.refused("it is bad")
                                : Verdict.genuine(Map.of()))
                .with("muster.webhooks.timeout", "PT2S")
                .with("muster.webhooks.private-hosts", receiver.host());
    }

    private static Webhook.Form form(String url, String... types) {
        return new Webhook.Form(
                url, types.length == 0 ? Optional.empty() : Optional.of(List.of(types)), true, Optional.empty());
    }

    private static Webhooks.Created make(TestNode node, String url, String... types) {
        return node.part(Webhooks.class).create(FLEET, form(url, types), BY);
    }

    private static void register(TestNode node, String serial) {
        node.registrar().register(RegistrationAttempt.of(Candidate.of(new SerialNumber(serial), FLEET, "192.0.2.7")));
    }

    private static List<Delivery> deliveries(TestNode node, Webhook webhook) {
        return node.part(Deliveries.class).list(webhook, Optional.empty(), Optional.empty(), 1000);
    }

    private static Delivery only(TestNode node, Webhook webhook) {
        List<Delivery> all = deliveries(node, webhook);
        assertThat(all).hasSize(1);
        return all.get(0);
    }

    private static Webhook now(TestNode node, Webhook webhook) {
        return node.part(Webhooks.class).get(FLEET, webhook.id());
    }

    private static List<String> recorded(TestNode node) {
        return node.audit().list(Optional.empty(), 100).stream()
                .map(AuditEvent::type)
                .filter(type -> type.startsWith("webhook-"))
                .toList();
    }

    private static void eventually(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(end);
            LockSupport.parkNanos(20_000_000);
        }
    }

    private static void refused(ProblemType type, Runnable request) {
        assertThatThrownBy(request::run).isInstanceOfSatisfying(RegistryException.class, e -> assertThat(e.type())
                .isEqualTo(type));
    }

    private static JsonNode json(Receiver.Message message) {
        return Json.parse(message.body().getBytes(StandardCharsets.UTF_8));
    }

    @Test
    default void everyEventOfAFleetIsSentWithASignatureThatTheConventionsLibraryMakesToo() throws Exception {
        try (Receiver receiver = new Receiver();
                TestNode node = test(receiver, new TestClock()).start();
                TestNode other = test(receiver, new TestClock()).start()) {
            Webhooks.Created made = make(node, receiver.url("/good"), "registered");
            register(node, "SN-0001");
            register(node, "SN-0002");

            eventually("both came", () -> receiver.messages("/good").size() == 2);
            eventually("both are recorded as delivered", () -> deliveries(node, made.webhook()).stream()
                    .allMatch(one -> one.state() == Delivery.State.DELIVERED));
            // In any order: both are recorded in one millisecond.
            assertThat(receiver.messages("/good"))
                    .extracting(
                            message -> json(message).path("data").path("serial").asText())
                    .containsExactlyInAnyOrder("SN-0001", "SN-0002");
            Receiver.Message first = receiver.messages("/good").get(0);
            assertThat(first.signatures())
                    .containsExactly(new com.standardwebhooks.Webhook(made.secret())
                            .sign(first.id(), first.timestamp(), first.body()));
            assertThat(first.timestamp()).isEqualTo(TestRegistry.NOW.getEpochSecond());
            JsonNode body = json(first);
            assertThat(body.path("type").asText()).isEqualTo("registered");
            assertThat(body.path("timestamp").asText()).isEqualTo(TestRegistry.NOW.toString());
            assertThat(body.path("data").path("deviceId").asText()).hasSize(32);
            assertThat(body.path("data").path("who").asText()).isEqualTo("192.0.2.7");
            assertThat(deliveries(node, made.webhook()))
                    .extracting(Delivery::id)
                    .contains(first.id());
            assertThat(other.part(Webhooks.class).list(FLEET)).isEmpty();
        }
    }

    @Test
    default void twoNodesShareTheWorkAndSendEachEventOnce() {
        TestClock clock = new TestClock();
        try (Receiver receiver = new Receiver()) {
            TestRegistry test = test(receiver, clock);
            try (TestNode node = test.start();
                    TestNode other = test.start()) {
                Webhook webhook = make(node, receiver.url("/good"), "registered", "refused")
                        .webhook();
                other.part(Outbox.class).refresh();
                eventually("the other node knows", () -> {
                    other.part(Outbox.class).refresh();
                    return other.part(Outbox.class).wants(FLEET, "refused");
                });
                IntStream.range(0, 40).forEach(i -> register(i % 2 == 0 ? node : other, "SN-%04d".formatted(i)));
                refused(ProblemType.REGISTRATION_REFUSED, () -> register(other, "BAD-0001"));

                eventually("all came", () -> receiver.messages("/good").size() >= 41);
                eventually("all are recorded", () -> deliveries(node, webhook).stream()
                        .allMatch(one -> one.state() == Delivery.State.DELIVERED));
                assertThat(receiver.messages("/good"))
                        .extracting(Receiver.Message::id)
                        .doesNotHaveDuplicates()
                        .hasSize(41);
                assertThat(receiver.messages("/good").stream()
                                .map(message -> json(message)
                                        .path("data")
                                        .path("serial")
                                        .asText())
                                .distinct())
                        .hasSize(41);
            }
        }
    }

    @Test
    default void whatIsNotCommittedIsNotSent() {
        try (Receiver receiver = new Receiver();
                TestNode node = test(receiver, new TestClock()).start()) {
            Webhook webhook = make(node, receiver.url("/good")).webhook();
            int before = deliveries(node, webhook).size();

            assertThatThrownBy(() -> node.part(Database.class).transaction(em -> {
                        node.audit().record(em, Audit.Type.LOT_WRITTEN, FLEET, null, null, BY, null);
                        throw new IllegalStateException("no");
                    }))
                    .hasMessage("no");

            assertThat(deliveries(node, webhook)).hasSize(before);
        }
    }

    @Test
    default void leaseOfANodeThatDiedPassesOn() {
        TestClock clock = new TestClock();
        try (Receiver receiver = new Receiver();
                TestNode node = test(receiver, clock).start()) {
            Webhook webhook = make(node, receiver.url("/good"), "registered").webhook();
            DeliveryQueue dead = new DeliveryQueue(node.part(Database.class), node.audit(), clock);
            DeliveryQueue.Ready ready = new DeliveryQueue.Ready(webhook.id(), FLEET, 0);
            assertThat(dead.take(ready, Deliverer.LEASE)).isPresent();
            register(node, "SN-0001");

            assertThat(dead.take(ready, Deliverer.LEASE)).isEmpty();
            node.part(Deliverer.class).tend();
            assertThat(dead.ready(10)).isEmpty();
            assertThat(only(node, webhook).state()).isEqualTo(Delivery.State.WAITING);

            clock.pass(Deliverer.LEASE);
            eventually("it came", () -> receiver.messages("/good").size() == 1);
        }
    }

    @Test
    default void messageThatIsNotAcceptedIsSentAgainWithTheSameIdAndLessAndLessOften() {
        TestClock clock = new TestClock();
        try (Receiver receiver = new Receiver();
                TestNode node = test(receiver, clock).start()) {
            receiver.answers(message -> 500);
            Webhook webhook = make(node, receiver.url("/good"), "registered").webhook();
            register(node, "SN-0001");

            eventually("it failed", () -> only(node, webhook).attempts() == 1);
            eventually("the webhook fails", () -> now(node, webhook).failures() == 1);
            Delivery once = only(node, webhook);
            assertThat(once.state()).isEqualTo(Delivery.State.WAITING);
            assertThat(once.dueAt().orElseThrow())
                    .isBetween(TestRegistry.NOW.plusSeconds(4), TestRegistry.NOW.plusSeconds(5));
            assertThat(once.last().orElseThrow().status()).contains(500);
            assertThat(now(node, webhook).failingSince()).contains(TestRegistry.NOW);
            assertThat(now(node, webhook).lastError()).contains("status 500");

            receiver.answers(message -> 204);
            clock.pass(Duration.ofSeconds(5));
            eventually("it came", () -> only(node, webhook).state() == Delivery.State.DELIVERED);
            assertThat(receiver.messages("/good"))
                    .extracting(Receiver.Message::id)
                    .hasSize(2)
                    .containsOnly(once.id());
            eventually(
                    "the webhook fails no more",
                    () -> now(node, webhook).failingSince().isEmpty());
        }
    }

    @Test
    default void messageIsADeadLetterAfterADayAndCanBeSentAgain() {
        TestClock clock = new TestClock();
        try (Receiver receiver = new Receiver();
                TestNode node = test(receiver, clock).start()) {
            receiver.answers(message -> 500);
            Webhook webhook = make(node, receiver.url("/good"), "registered").webhook();
            register(node, "SN-0001");
            int attempts = 0;
            while (only(node, webhook).state() == Delivery.State.WAITING) {
                int before = attempts++;
                eventually("it fails", () -> now(node, webhook).failures() > before);
                clock.pass(Duration.ofHours(9));
            }

            assertThat(only(node, webhook).state()).isEqualTo(Delivery.State.DEAD);
            eventually("it is on record", () -> recorded(node).contains("webhook-failing"));
            assertThat(recorded(node)).containsOnlyOnce("webhook-failing");
            receiver.answers(message -> 200);
            assertThat(node.part(Deliveries.class).sendDeadAgain(webhook, BY)).isEqualTo(1);
            eventually("it came", () -> only(node, webhook).state() == Delivery.State.DELIVERED);
            node.part(Deliveries.class).sendAgain(webhook, only(node, webhook).id(), BY);
            eventually("it came once more", () -> only(node, webhook).state() == Delivery.State.DELIVERED);

            assertThat(receiver.messages("/good"))
                    .extracting(Receiver.Message::id)
                    .hasSize(attempts + 2)
                    .containsOnly(only(node, webhook).id());
            assertThat(recorded(node)).contains("webhook-sent-again");
        }
    }

    /** A list shows each delivery once, also while it is sent. */
    @Test
    default void deliveryThatChangesItsStateIsListedOnce() throws Exception {
        try (Receiver receiver = new Receiver();
                TestNode node = test(receiver, new TestClock()).start()) {
            Webhook webhook = make(node, receiver.url("/good"), "registered").webhook();
            register(node, "SN-0001");
            eventually("it came", () -> only(node, webhook).state() == Delivery.State.DELIVERED);
            AtomicBoolean over = new AtomicBoolean();
            ExecutorService thread = Executors.newSingleThreadExecutor();
            // It is never due, so that nobody sends it.
            Future<?> changes = thread.submit(() -> {
                while (!over.get()) {
                    for (Delivery.State state : Delivery.State.values()) {
                        node.part(Database.class)
                                .jdbc(Sql.of(
                                                "UPDATE webhook_delivery SET state = ? WHERE webhook = ?",
                                                state.letter(),
                                                webhook.id())
                                        .update());
                    }
                }
            });
            try {
                for (int i = 0; i < 300; i++) {
                    assertThat(deliveries(node, webhook)).hasSize(1);
                }
            } finally {
                over.set(true);
                thread.shutdown();
            }
            changes.get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    default void deliveriesAreListedByStateAndByPage() throws Exception {
        try (Receiver receiver = new Receiver();
                TestNode node = test(receiver, new TestClock()).start()) {
            Webhook webhook = make(node, receiver.url("/good"), "registered").webhook();
            register(node, "SN-0001");
            register(node, "SN-0002");
            register(node, "SN-0003");
            eventually("all came", () -> deliveries(node, webhook).stream()
                    .allMatch(one -> one.state() == Delivery.State.DELIVERED));
            List<String> ids =
                    deliveries(node, webhook).stream().map(Delivery::id).toList();
            assertThat(ids).hasSize(3).isSortedAccordingTo(Comparator.reverseOrder());
            Deliveries list = node.part(Deliveries.class);
            for (Optional<Delivery.State> state : List.of(
                    Optional.<Delivery.State>empty(),
                    Optional.of(Delivery.State.DELIVERED),
                    Optional.of(Delivery.State.WAITING),
                    Optional.of(Delivery.State.DEAD))) {
                boolean those = state.isEmpty() || state.get() == Delivery.State.DELIVERED;
                assertThat(list.list(webhook, state, Optional.empty(), 2))
                        .as("the first page of %s", state)
                        .extracting(Delivery::id)
                        .containsExactlyElementsOf(those ? ids.subList(0, 2) : List.of());
                assertThat(list.list(webhook, state, Optional.of(ids.get(1)), 2))
                        .as("the second page of %s", state)
                        .extracting(Delivery::id)
                        .containsExactlyElementsOf(those ? ids.subList(2, 3) : List.of());
            }
        }
    }

    @Test
    default void receiverThatIsGoneGetsNothingMore() {
        TestClock clock = new TestClock();
        try (Receiver receiver = new Receiver();
                TestNode node = test(receiver, clock).start()) {
            Webhook webhook = make(node, receiver.url("/gone"), "registered").webhook();
            register(node, "SN-0001");

            eventually("it is disabled", () -> !now(node, webhook).form().enabled());
            assertThat(now(node, webhook).goneAt()).contains(TestRegistry.NOW);
            assertThat(now(node, webhook).version()).isEqualTo(2);
            assertThat(only(node, webhook).state()).isEqualTo(Delivery.State.DEAD);
            assertThat(recorded(node)).contains("webhook-disabled");
            register(node, "SN-0002");
            assertThat(deliveries(node, webhook)).hasSize(1);

            node.part(Webhooks.class).put(FLEET, webhook.id(), form(receiver.url("/good")), version -> true, BY);
            register(node, "SN-0003");
            eventually("it came", () -> receiver.messages("/good").stream()
                    .anyMatch(message -> message.body().contains("SN-0003")));
            assertThat(now(node, webhook).goneAt()).isEmpty();
        }
    }

    @Test
    default void badReceiversHarmNobody() {
        TestClock clock = new TestClock();
        try (Receiver receiver = new Receiver();
                TestNode node = test(receiver, clock).start()) {
            Webhook hanging = make(node, receiver.url("/hanging"), "registered").webhook();
            Webhook redirecting =
                    make(node, receiver.url("/redirecting"), "registered").webhook();
            Webhook endless = make(node, receiver.url("/endless"), "registered").webhook();
            Webhook inside = make(node, "https://localhost/", "registered").webhook();
            IntStream.range(0, 10).forEach(i -> register(node, "SN-%04d".formatted(i)));
            eventually("the first hangs", () -> !receiver.messages("/hanging").isEmpty());
            Webhook good = make(node, receiver.url("/good"), "registered").webhook();
            IntStream.range(10, 20).forEach(i -> register(node, "SN-%04d".formatted(i)));

            eventually("the good one gets all", () -> deliveries(node, good).stream()
                    .allMatch(one -> one.state() == Delivery.State.DELIVERED));
            assertThat(receiver.messages("/good")).hasSize(10);
            for (Webhook bad : List.of(hanging, redirecting, endless, inside)) {
                eventually("it is known", () -> now(node, bad).failures() > 0);
            }
            assertThat(now(node, hanging).lastError().orElseThrow()).contains("did not answer within PT2S");
            assertThat(now(node, redirecting).lastError()).contains("status 307");
            assertThat(now(node, endless).lastError().orElseThrow()).contains("more than 65536 bytes");
            assertThat(now(node, inside).lastError().orElseThrow())
                    .contains("not an address of the public Internet")
                    .doesNotContain("127.0.0.1");
            assertThat(receiver.messages("/hanging")).hasSizeLessThan(5);
        }
    }

    @Test
    default void testTellsWhatTheReceiverAnswers() {
        try (Receiver receiver = new Receiver();
                TestNode node = test(receiver, new TestClock()).start()) {
            Webhooks.Created made = make(node, receiver.url("/good"));
            WebhookSender.Result good = node.part(Deliverer.class).test(made.webhook());
            assertThat(good.status()).contains(200);
            assertThat(good.error()).isEmpty();

            receiver.answers(message -> 503);
            assertThat(node.part(Deliverer.class).test(made.webhook()).error()).contains("status 503");
            assertThat(receiver.messages("/good").stream()
                            .filter(message ->
                                    json(message).path("type").asText().equals("test")))
                    .hasSize(2);
        }
    }

    @Test
    default void twoSecretsSignWhileOneReplacesTheOther() throws Exception {
        TestClock clock = new TestClock();
        try (Receiver receiver = new Receiver();
                TestNode node = test(receiver, clock).start()) {
            Webhooks.Created made = make(node, receiver.url("/good"), "approval-granted");
            Webhooks webhooks = node.part(Webhooks.class);
            Webhooks.Created second = webhooks.replaceSecret(
                    FLEET, made.webhook().id(), clock.instant().plus(Duration.ofHours(1)), version -> true, BY);
            node.part(Deliverer.class).test(made.webhook());
            clock.pass(Duration.ofHours(1));
            node.part(Deliverer.class).test(made.webhook());

            Receiver.Message during = receiver.messages("/good").get(0);
            assertThat(during.signatures())
                    .containsExactly(
                            new com.standardwebhooks.Webhook(second.secret())
                                    .sign(during.id(), during.timestamp(), during.body()),
                            new com.standardwebhooks.Webhook(made.secret())
                                    .sign(during.id(), during.timestamp(), during.body()));
            assertThat(receiver.messages("/good").get(1).signatures()).hasSize(1);
            assertThat(second).hasToString("Created[" + made.webhook().id() + "]");
            assertThat(webhooks.secondSecretUntil(made.webhook().id())).isEmpty();
        }
    }

    @Test
    default void secretStaysWhenTheMasterKeyChanges() throws Exception {
        String old = Base64.getEncoder().encodeToString(new byte[32]);
        String next = Base64.getEncoder().encodeToString("a new key, which has 32 bytes...".getBytes(US_ASCII));
        try (Receiver receiver = new Receiver()) {
            TestRegistry test = test(receiver, new TestClock());
            Webhooks.Created made;
            try (TestNode node = withKey(test, old).start()) {
                made = make(node, receiver.url("/good"));
            }
            withKey(test, next + "\n" + old).start().close();
            try (TestNode node = withKey(test, next).start()) {
                node.part(Deliverer.class).test(made.webhook());
            }

            Receiver.Message message = receiver.messages("/good").get(0);
            assertThat(message.signatures())
                    .containsExactly(new com.standardwebhooks.Webhook(made.secret())
                            .sign(message.id(), message.timestamp(), message.body()));
        }
    }

    private static TestRegistry withKey(TestRegistry test, String lines) throws IOException {
        Path file = test.dataDir().resolve("master-key-" + lines.length() + lines.charAt(0));
        return test.with(
                "muster.master-key-file", Files.writeString(file, lines).toString());
    }

    @Test
    default void addressesInsideTheNetworkAreRefusedUnlessConfigured() {
        try (Receiver receiver = new Receiver();
                TestNode node = test(receiver, new TestClock()).start()) {
            WebhookSender sender = node.part(WebhookSender.class);

            assertThat(sender.fault(receiver.url("/good"))).isEmpty();
            assertThat(sender.fault("https://hooks.example/x?y=z")).isEmpty();
            for (String url : List.of(
                    "http://hooks.example/",
                    "http://127.0.0.1:1/",
                    "https://127.0.0.1:1/",
                    "https://169.254.169.254/latest/meta-data",
                    "https://[::1]/",
                    "https://[::ffff:127.0.0.1]/",
                    "https://10.0.0.1/",
                    "https://user:secret@hooks.example/",
                    "https://hooks.example/#x",
                    "https://hooks.example:0/",
                    "https://hooks.example:70000/",
                    "https:///x",
                    "hooks.example",
                    "file:///etc/passwd",
                    "https://hooks.example/a b",
                    "https://hooks.example/" + "x".repeat(1000))) {
                assertThat(sender.fault(url)).as(url).isPresent();
            }
        }
    }

    @Test
    default void fleetHasABoundedNumberAndAChangeNeedsThePresentVersion() {
        try (Receiver receiver = new Receiver();
                TestNode node = test(receiver, new TestClock()).start()) {
            Webhooks webhooks = node.part(Webhooks.class);
            IntStream.range(0, Webhooks.MOST).forEach(i -> make(node, receiver.url("/good"), "refused"));
            refused(ProblemType.CONFLICT, () -> make(node, receiver.url("/good")));
            Webhook one = webhooks.list(FLEET).get(0);

            refused(
                    ProblemType.PRECONDITION_FAILED,
                    () -> webhooks.put(FLEET, one.id(), one.form(), version -> version == 7, BY));
            refused(ProblemType.NOT_FOUND, () -> webhooks.put("other", one.id(), one.form(), version -> true, BY));
            assertThat(webhooks.put(FLEET, one.id(), one.form(), version -> version == 1, BY)
                            .version())
                    .isEqualTo(2);
            webhooks.delete(FLEET, one.id(), version -> version == 2, BY);
            refused(ProblemType.NOT_FOUND, () -> webhooks.get(FLEET, one.id()));
            make(node, receiver.url("/good"), "refused");
        }
    }

    @Test
    default void outboxIsBounded() {
        TestClock clock = new TestClock();
        try (Receiver receiver = new Receiver();
                TestNode node = test(receiver, clock).start()) {
            receiver.answers(message -> 500);
            Webhook webhook = make(node, receiver.url("/good"), "registered").webhook();
            IntStream.range(0, 12).forEach(i -> register(node, "SN-%04d".formatted(i)));
            DeliveryRetention retention = new DeliveryRetention(
                    node.part(Database.class),
                    node.part(Changes.class),
                    node.audit(),
                    Duration.ofHours(1),
                    clock,
                    10,
                    3);
            clock.pass(Duration.ofMinutes(2));
            retention.tend();

            assertThat(now(node, webhook).fullSince()).isPresent();
            assertThat(recorded(node)).contains("webhook-full");
            node.part(Outbox.class).refresh();
            register(node, "SN-0100");
            assertThat(deliveries(node, webhook)).hasSize(12);

            receiver.answers(message -> 200);
            clock.pass(Duration.ofMinutes(10));
            eventually("all came", () -> deliveries(node, webhook).stream()
                    .allMatch(one -> one.state() == Delivery.State.DELIVERED));
            clock.pass(Duration.ofMinutes(2));
            eventually("some are deleted", () -> {
                clock.pass(Duration.ofSeconds(61));
                retention.tend();
                return deliveries(node, webhook).size() == 3;
            });
            eventually(
                    "it is not full any more",
                    () -> now(node, webhook).fullSince().isEmpty());
            clock.pass(Duration.ofHours(2));
            retention.tend();
            assertThat(deliveries(node, webhook)).isEmpty();
        }
    }
}
