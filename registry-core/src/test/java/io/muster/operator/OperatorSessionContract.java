// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.json.Json;
import io.muster.operator.OperatorSessions.Begun;
import io.muster.operator.OperatorSessions.Listed;
import io.muster.operator.OperatorSessions.Session;
import io.muster.persistence.Database;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.registration.Spending;
import io.muster.user.FakeProvider;
import io.muster.user.IdentityProviders;
import io.muster.user.OperatorProvider;
import io.muster.verification.jwt.Tokens;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The promises about operators from the company's provider and about sessions at the console, on every database. */
interface OperatorSessionContract {

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    String OIDC = "muster.operators.oidc.";

    private static Map<String, String> settings(FakeProvider provider) {
        Map<String, String> settings = new HashMap<>();
        provider.settings().forEach((key, value) -> settings.put(OIDC + key, value));
        settings.put(OIDC + "client-id", "console");
        settings.put(OIDC + "grants", "all, berlin");
        settings.put(OIDC + "grant.all.group", "Registry Admins, Berlin");
        settings.put(OIDC + "grant.all.role", "admin");
        settings.put(OIDC + "grant.berlin.group", "/berlin");
        settings.put(OIDC + "grant.berlin.role", "viewer");
        settings.put(OIDC + "grant.berlin.fleets", "default");
        return settings;
    }

    private static TestRegistry with(TestRegistry registry, Map<String, String> settings) {
        settings.forEach(registry::with);
        return registry.with(new TestClock());
    }

    private static String token(FakeProvider provider, String sub, String... groups) {
        Map<String, Object> claims = provider.claims(sub);
        claims.put("name", "Ada");
        claims.put("groups", List.of(groups));
        return FakeProvider.accessToken(claims);
    }

    private static void assertProblem(Runnable asked, ProblemType type) {
        assertThatThrownBy(asked::run)
                .isInstanceOfSatisfying(RegistryException.class, thrown -> assertThat(thrown.type())
                        .isEqualTo(type));
    }

    private static String operatorToken(TestNode node, String name) {
        Operator first = node.operators().find(Operators.FIRST).orElseThrow();
        return node.operators()
                .create(
                        name,
                        List.of(new Grant(Optional.of(Role.VIEWER), Set.of(), Optional.empty())),
                        Optional.empty(),
                        first)
                .orElseThrow()
                .token();
    }

    private static OperatorSessions sessions(TestNode node) {
        return node.part(OperatorSessions.class);
    }

    private static Optional<String> name(TestNode node, String session) {
        return sessions(node).find(session).map(Session::operator).map(Operator::name);
    }

    @Test
    default void accessTokenOfThePersonHasTheGrantsOfTheGroups() {
        try (FakeProvider provider = new FakeProvider();
                TestNode node = with(fresh(), settings(provider)).start()) {
            People people = node.part(People.class);
            Operator ada = people.authenticate(token(provider, "ada-1", "/berlin", "staff"))
                    .orElseThrow();
            assertThat(ada.name()).isEqualTo(provider.issuer() + "#ada-1 (Ada)");
            assertThat(ada.may(Right.DEVICES_READ, "default")).isTrue();
            assertThat(ada.may(Right.DEVICES_READ, "other")).isFalse();
            assertThat(ada.may(Right.DEVICES_WRITE, "default")).isFalse();
            assertThat(ada.rights()).isEmpty();

            // The same person, in another group a moment later.
            Operator admin = people.authenticate(token(provider, "ada-1", "Registry Admins, Berlin"))
                    .orElseThrow();
            assertThat(admin.id()).isEqualTo(ada.id());
            assertThat(admin.may(Right.OPERATORS_WRITE)).isTrue();
            assertThat(people.find(ada.name()).orElseThrow().may(Right.OPERATORS_WRITE))
                    .isTrue();
            assertThat(node.operators().find(ada.name())).isEmpty();

            // The longest that there is fits into every column, on both databases.
            Map<String, Object> longest = provider.claims("s".repeat(200));
            longest.put("groups", List.of("Registry Admins, Berlin"));
            longest.put("name", "\uD83D\uDE80".repeat(100));
            Operator longNamed =
                    people.authenticate(FakeProvider.accessToken(longest)).orElseThrow();
            assertThat(longNamed.name()).hasSizeBetween(319, 320).endsWith("\uD83D\uDE80)");
            String code = sessions(node)
                    .link(longNamed, Optional.empty(), Optional.of(FakeProvider.accessToken(longest)))
                    .text();
            String session = sessions(node).beginWithLink(code).orElseThrow().text();
            assertThat(name(node, session)).contains(longNamed.name());

            assertThat(people.authenticate("mo_nothing")).isEmpty();
            assertThat(people.authenticate("")).isEmpty();
        }
    }

    @Test
    default void badTokensAndPeopleWithoutAGroupGetNothing() {
        try (FakeProvider provider = new FakeProvider();
                TestNode node = with(fresh(), settings(provider)).start()) {
            People people = node.part(People.class);
            assertProblem(
                    () -> people.authenticate(token(provider, "ada-1", "staff", "berlin")), ProblemType.FORBIDDEN);
            assertProblem(() -> people.authenticate(token(provider, "ada-1")), ProblemType.FORBIDDEN);

            Map<String, Object> good = provider.claims("ada-1");
            good.put("groups", List.of("/berlin"));
            for (String bad : List.of(
                    FakeProvider.accessToken(Tokens.with(good, "aud", "console")),
                    FakeProvider.accessToken(Tokens.with(good, "exp", Tokens.NOW - 61)),
                    FakeProvider.accessToken(Tokens.with(good, "sub", "ada 1")),
                    FakeProvider.accessToken(Tokens.with(good, "sub", "a".repeat(201))),
                    Tokens.sign("ES256", Tokens.with(Tokens.header("ES256", "ec"), "typ", "JWT"), good),
                    Tokens.hs256By(
                            Tokens.jwks().getBytes(StandardCharsets.UTF_8),
                            Tokens.with(Tokens.header("HS256", "ec"), "typ", "at+jwt"),
                            good),
                    Tokens.encode("{\"alg\":\"none\",\"typ\":\"at+jwt\"}".getBytes(StandardCharsets.UTF_8)) + "."
                            + Tokens.encode(Json.bytes(good)) + ".AAAA")) {
                assertProblem(() -> people.authenticate(bad), ProblemType.UNAUTHORIZED);
            }
            assertThat(people.authenticate(FakeProvider.accessToken(Tokens.with(good, "iss", "https://other.example"))))
                    .isEmpty();

            assertThat(people.authenticate(FakeProvider.accessToken(good))).isPresent();
        }
    }

    @Test
    default void sessionOfATokenIsKnownOnBothNodesUntilItEnds() {
        TestClock clock = new TestClock();
        TestRegistry registry = fresh().with(clock);
        try (TestNode one = registry.start();
                TestNode other = registry.start()) {
            String token = operatorToken(one, "ann");
            String session = sessions(one).beginWithToken(token).orElseThrow().text();
            assertThat(name(other, session)).contains("ann");
            assertThat(sessions(one).beginWithToken("mo_wrong")).isEmpty();
            assertThat(name(other, token)).isEmpty();

            clock.pass(Duration.ofMinutes(59));
            assertThat(name(other, session)).contains("ann");
            clock.pass(Duration.ofMinutes(59));
            assertThat(name(one, session)).contains("ann");
            clock.pass(Duration.ofMinutes(60));
            assertThat(name(one, session)).as("idle").isEmpty();

            String second = sessions(one).beginWithToken(token).orElseThrow().text();
            sessions(other).end(second);
            assertThat(name(one, second)).isEmpty();
            sessions(other).end(second);

            String third = sessions(one).beginWithToken(token).orElseThrow().text();
            for (int i = 0; i < 15; i++) {
                clock.pass(Duration.ofMinutes(31));
                assertThat(name(one, third)).contains("ann");
            }
            clock.pass(Duration.ofMinutes(15));
            assertThat(name(one, third)).as("used all day").isEmpty();

            clock.pass(Duration.ofDays(1));
            Spending.forgetExpired(one.part(Database.class), clock);
            assertThat(sessions(one).list(Optional.empty(), 10)).isEmpty();
        }
    }

    @Test
    default void sessionEndsWithTheTokenAndTheOperator() {
        TestClock clock = new TestClock();
        try (TestNode node = fresh().with(clock).start()) {
            String token = operatorToken(node, "ann");
            String session = sessions(node).beginWithToken(token).orElseThrow().text();
            Operator ann = node.operators().find("ann").orElseThrow();
            String link = sessions(node)
                    .link(ann, Optional.of(session), Optional.empty())
                    .text();
            String linked = sessions(node).beginWithLink(link).orElseThrow().text();
            String unused = sessions(node)
                    .link(ann, Optional.empty(), Optional.of(token))
                    .text();
            assertThat(name(node, linked)).contains("ann");

            String next = node.operators()
                    .replaceToken(ann, token, Duration.ofMinutes(5))
                    .token();
            assertThat(name(node, session)).contains("ann");
            clock.pass(Duration.ofMinutes(5));
            assertThat(name(node, session)).isEmpty();
            assertThat(name(node, linked)).isEmpty();
            assertThat(sessions(node).beginWithLink(unused)).isEmpty();

            String later = sessions(node).beginWithToken(next).orElseThrow().text();
            node.operators().revoke(ann.id(), Operators.FIRST);
            assertThat(name(node, later)).isEmpty();
            assertThat(sessions(node).beginWithToken(next)).isEmpty();
        }
    }

    @Test
    default void linkIsGoodOnceOnAllNodesForAMinuteAndForALinkAlone() throws Exception {
        TestClock clock = new TestClock();
        TestRegistry registry = fresh().with(clock);
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try (TestNode one = registry.start();
                TestNode other = registry.start()) {
            String token = operatorToken(one, "ann");
            Operator ann = one.operators().find("ann").orElseThrow();
            Begun link = sessions(one).link(ann, Optional.empty(), Optional.of(token));
            assertThat(name(one, link.text())).as("a link is no session").isEmpty();
            assertThat(link.expiresAt()).isEqualTo(clock.instant().plus(OperatorSessions.LINK));

            List<Future<Optional<Begun>>> tries = IntStream.range(0, 8)
                    .mapToObj(i -> threads.submit(
                            () -> sessions(i % 2 == 0 ? one : other).beginWithLink(link.text())))
                    .toList();
            int begun = 0;
            for (Future<Optional<Begun>> attempt : tries) {
                begun += attempt.get().isPresent() ? 1 : 0;
            }
            assertThat(begun).isEqualTo(1);

            Begun late = sessions(one).link(ann, Optional.empty(), Optional.of(token));
            clock.pass(OperatorSessions.LINK);
            assertThat(sessions(one).beginWithLink(late.text())).isEmpty();
            String session = sessions(one).beginWithToken(token).orElseThrow().text();
            assertThat(sessions(one).beginWithLink(session))
                    .as("a session is no link")
                    .isEmpty();
            assertThat(sessions(one).beginWithLink("")).isEmpty();
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    default void sessionOfAPersonLastsNoLongerThanTheTokenThatMadeIts() {
        TestClock clock = new TestClock();
        try (FakeProvider provider = new FakeProvider();
                TestNode node = with(fresh(), settings(provider)).with(clock).start()) {
            String token = token(provider, "ada-1", "/berlin");
            Operator ada = node.part(People.class).authenticate(token).orElseThrow();
            String code = sessions(node)
                    .link(ada, Optional.empty(), Optional.of(token))
                    .text();
            String session = sessions(node).beginWithLink(code).orElseThrow().text();
            assertThat(name(node, session)).contains(ada.name());
            String again = sessions(node)
                    .link(ada, Optional.of(session), Optional.empty())
                    .text();
            String second = sessions(node).beginWithLink(again).orElseThrow().text();

            clock.pass(Duration.ofSeconds(599));
            assertThat(name(node, second)).contains(ada.name());
            clock.pass(Duration.ofSeconds(1));
            assertThat(name(node, session)).isEmpty();
            assertThat(name(node, second)).isEmpty();
        }
    }

    @Test
    default void administratorEndsTheSessionsOfOnePersonOrOfAll() {
        try (FakeProvider provider = new FakeProvider();
                TestNode node = with(fresh(), settings(provider)).start()) {
            Operator first = node.operators().find(Operators.FIRST).orElseThrow();
            String token = token(provider, "ada-1", "/berlin");
            Operator ada = node.part(People.class).authenticate(token).orElseThrow();
            String code = sessions(node)
                    .link(ada, Optional.empty(), Optional.of(token))
                    .text();
            String adas = sessions(node).beginWithLink(code).orElseThrow().text();
            String anns = sessions(node)
                    .beginWithToken(operatorToken(node, "ann"))
                    .orElseThrow()
                    .text();
            assertThat(sessions(node).list(Optional.empty(), 10))
                    .extracting(Listed::name)
                    .containsExactlyInAnyOrder(ada.name(), "ann");

            assertThat(sessions(node).endAll(Optional.of(ada.id()), first)).isEqualTo(1);
            assertThat(name(node, adas)).isEmpty();
            assertThat(name(node, anns)).contains("ann");
            assertThat(node.part(People.class).find(ada.name())).as("jobs").isEmpty();

            assertThat(sessions(node).endAll(Optional.empty(), first)).isEqualTo(1);
            assertThat(name(node, anns)).isEmpty();
            assertThat(node.audit().list(Optional.empty(), 100))
                    .extracting(event -> event.type())
                    .contains("console-link-made", "console-signed-in", "console-sessions-ended");
        }
    }

    @Test
    default void oldestSessionsOfAnOperatorEndWhenThereAreTooMany() {
        TestClock clock = new TestClock();
        try (TestNode node = fresh().with(clock).start()) {
            String token = operatorToken(node, "ann");
            List<String> texts = IntStream.range(0, 52)
                    .mapToObj(i -> {
                        clock.pass(Duration.ofMillis(5));
                        return sessions(node)
                                .beginWithToken(token)
                                .orElseThrow()
                                .text();
                    })
                    .toList();
            assertThat(name(node, texts.get(1))).isEmpty();
            assertThat(name(node, texts.get(2))).contains("ann");
            assertThat(name(node, texts.get(51))).contains("ann");

            Operator ann = sessions(node).find(texts.get(51)).orElseThrow().operator();
            List<String> links = IntStream.range(0, 12)
                    .mapToObj(i -> {
                        clock.pass(Duration.ofMillis(5));
                        return sessions(node)
                                .link(ann, Optional.of(texts.get(51)), Optional.empty())
                                .text();
                    })
                    .toList();
            assertThat(name(node, texts.get(2))).as("links end no session").contains("ann");
            assertThat(sessions(node).beginWithLink(links.get(1))).isEmpty();
            assertThat(sessions(node).beginWithLink(links.get(2))).isPresent();
        }
    }

    @Test
    default void databaseHasNothingWithWhichSomebodyCouldSignIn() {
        try (TestNode node = fresh().with(new TestClock()).start()) {
            String token = operatorToken(node, "ann");
            String session = sessions(node).beginWithToken(token).orElseThrow().text();
            List<String> rows = node.part(Database.class)
                    .jdbc(Sql.of("SELECT hash, token_hash, person, name FROM operator_session")
                            .list(row -> new String(row.getBytes(1), StandardCharsets.ISO_8859_1)
                                    + new String(row.getBytes(2), StandardCharsets.ISO_8859_1)
                                    + row.getString(3)
                                    + row.getString(4)));
            assertThat(rows).hasSize(1).allSatisfy(row -> assertThat(row).doesNotContain(session, token));
        }
    }

    @Test
    default void providersOfUsersAndOfOperatorsAreNotTakenForEachOther() {
        try (FakeProvider provider = new FakeProvider()) {
            Map<String, String> settings = settings(provider);
            settings.put("muster.users", "customers");
            provider.settings().forEach((key, value) -> settings.put("muster.users.customers." + key, value));
            settings.put("muster.users.customers.audience", "shop");
            try (TestNode node = with(fresh(), settings).start()) {
                String users = FakeProvider.accessToken(Tokens.with(
                        Tokens.with(provider.claims("ada-1"), "aud", "shop"), "groups", List.of("/berlin")));
                assertThat(node.part(IdentityProviders.class).user(users, Set.of("customers")))
                        .isNotNull();
                assertProblem(() -> node.part(People.class).authenticate(users), ProblemType.UNAUTHORIZED);
                assertThat(node.part(OperatorProvider.class).hasSignIn()).isTrue();
            }
        }
    }
}
