// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.once.UsedOnce;
import io.muster.persistence.Database;
import io.muster.persistence.MasterKey;
import io.muster.registration.Spending;
import io.muster.user.SignIn.Answer;
import io.muster.user.SignIn.Begun;
import io.muster.user.SignIn.Ended;
import io.muster.user.SignIn.Failure;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The promises about signing in at the claim page on every database, over two nodes that share nothing else. */
interface SignInContract {

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    URI BACK = URI.create("https://registry.example/claim/signed-in");

    User ADA = new User(
            "customers", "https://id.example", "ada", Optional.of("Ada \uD83D\uDE80"), Set.of("family", "wörk, \"1\""));

    /** A provider that gives one user for one code, if everything else is as it was in the address. */
    final class FakeProvider implements SignInProvider {

        private final Set<String> spent = new HashSet<>();
        private int asked;
        private String challenge = "";
        private String nonce = "";
        private Optional<SignInException> fault = Optional.empty();
        private User user = ADA;
        private URI authorization = URI.create("https://id.example/authorize");

        @Override
        public String issuer() {
            return "https://id.example";
        }

        @Override
        public String clientId() {
            return "muster & sons";
        }

        @Override
        public String scopes() {
            return "openid profile";
        }

        @Override
        public URI authorization() throws SignInException {
            if (fault.isPresent()) {
                throw fault.get();
            }
            return authorization;
        }

        /** Signs the user in, and returns the code. */
        synchronized String signsIn(URI address) {
            Map<String, String> parameters = parameters(address);
            challenge = parameters.get("code_challenge");
            nonce = parameters.get("nonce");
            return "code of " + parameters.get("state");
        }

        @Override
        public synchronized User user(String code, String verifier, URI redirect, String wanted)
                throws SignInException {
            asked++;
            if (fault.isPresent()) {
                throw fault.get();
            }
            if (!spent.add(code) || !sha256(verifier).equals(challenge) || !redirect.equals(BACK)) {
                throw SignInException.refused("invalid_grant");
            }
            if (!wanted.equals(nonce)) {
                throw SignInException.refused("the ID token has another nonce");
            }
            return user;
        }
    }

    static String sha256(String text) {
        try {
            return Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString(
                            MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.US_ASCII)));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    static Map<String, String> parameters(URI address) {
        return Arrays.stream(address.getRawQuery().split("&"))
                .map(pair -> pair.split("=", 2))
                .collect(Collectors.toMap(pair -> pair[0], pair -> URLDecoder.decode(pair[1], StandardCharsets.UTF_8)));
    }

    /** A node with the provider `customers`. */
    static SignIn on(TestNode node, FakeProvider provider, TestClock clock) {
        return new SignIn(
                name -> name.equals("customers") ? Optional.of(provider) : Optional.empty(),
                BACK,
                "user sign-in",
                node.part(MasterKey.class),
                node.part(UsedOnce.class),
                user -> Optional.of(node.part(UserSessions.class).begin(user)),
                clock);
    }

    private static Answer answer(Begun begun, String code) {
        return new Answer(
                Optional.ofNullable(parameters(begun.address()).get("state")),
                Optional.of(code),
                Optional.empty(),
                Optional.empty());
    }

    private static void assertFailed(Ended ended, Failure failure) {
        assertThat(ended).isEqualTo(new Ended(Optional.empty(), Optional.of(failure)));
    }

    @Test
    default void signInBeginsOnOneNodeAndEndsOnTheOtherAndBothKnowTheUser() throws Exception {
        TestClock clock = new TestClock();
        TestRegistry registry = fresh().with(clock);
        FakeProvider provider = new FakeProvider();
        try (TestNode one = registry.start();
                TestNode other = registry.start()) {
            Begun begun = on(one, provider, clock).begin("customers").orElseThrow();
            String code = provider.signsIn(begun.address());
            Ended ended = on(other, provider, clock).end(Optional.of(begun.cookie()), answer(begun, code));

            String session = ended.session().orElseThrow();
            assertThat(ended.failure()).isEmpty();
            assertThat(one.part(UserSessions.class).find(session)).contains(ADA);
            assertThat(other.part(UserSessions.class).find(session)).contains(ADA);

            one.part(UserSessions.class).end(session);
            assertThat(other.part(UserSessions.class).find(session)).isEmpty();
        }
    }

    @Test
    default void addressHasAllThatTheProviderNeedsAndNothingSecret() throws Exception {
        TestClock clock = new TestClock();
        FakeProvider provider = new FakeProvider();
        provider.authorization = URI.create("https://id.example/authorize?tenant=a%20b");
        try (TestNode node = fresh().with(clock).start()) {
            SignIn signIn = on(node, provider, clock);
            Begun begun = signIn.begin("customers").orElseThrow();

            Map<String, String> parameters = parameters(begun.address());
            assertThat(begun.address().toString())
                    .startsWith("https://id.example/authorize?tenant=a%20b&response_type=code&");
            assertThat(parameters)
                    .containsEntry("client_id", "muster & sons")
                    .containsEntry("redirect_uri", BACK.toString())
                    .containsEntry("scope", "openid profile")
                    .containsEntry("code_challenge_method", "S256");
            assertThat(List.of("state", "nonce", "code_challenge"))
                    .allSatisfy(name -> assertThat(parameters.get(name)).matches("[A-Za-z0-9_-]{43}"));
            assertThat(begun.cookie()).matches("[A-Za-z0-9_-]{100,1000}");
            assertThat(signIn.begin("customers").orElseThrow().cookie()).isNotEqualTo(begun.cookie());
            Map<String, String> others =
                    parameters(signIn.begin("customers").orElseThrow().address());
            assertThat(List.of("state", "nonce", "code_challenge"))
                    .allSatisfy(name -> assertThat(others.get(name)).isNotEqualTo(parameters.get(name)));
            assertThat(begun.toString()).doesNotContain(begun.cookie(), parameters.get("state"));
            assertThat(signIn.begin("nobody")).isEmpty();
        }
    }

    @Test
    default void nobodyIsSignedInByWhatDoesNotBelongTogether() throws Exception {
        TestClock clock = new TestClock();
        FakeProvider provider = new FakeProvider();
        try (TestNode node = fresh().with(clock).start()) {
            SignIn signIn = on(node, provider, clock);
            Begun victim = signIn.begin("customers").orElseThrow();
            Begun stranger = signIn.begin("customers").orElseThrow();
            String code = provider.signsIn(stranger.address());
            String altered = stranger.cookie().substring(1) + "A";

            // The stranger's answer in the victim's browser, and the other way round.
            assertFailed(signIn.end(Optional.of(victim.cookie()), answer(stranger, code)), Failure.EXPIRED);
            assertFailed(signIn.end(Optional.empty(), answer(stranger, code)), Failure.EXPIRED);
            for (String cookie : List.of("", "A", "*", "A".repeat(27), "A".repeat(60), altered, "A".repeat(5000))) {
                assertFailed(signIn.end(Optional.of(cookie), answer(stranger, code)), Failure.EXPIRED);
            }
            assertFailed(
                    signIn.end(
                            Optional.of(stranger.cookie()),
                            new Answer(Optional.empty(), Optional.of(code), Optional.empty(), Optional.empty())),
                    Failure.EXPIRED);
            // Sealed under the same key, for another purpose.
            String other = Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString(node.part(MasterKey.class).seal(new byte[300], "another purpose"));
            assertFailed(signIn.end(Optional.of(other), answer(stranger, code)), Failure.EXPIRED);

            // None of it was in the stranger's own way.
            assertThat(signIn.end(Optional.of(stranger.cookie()), answer(stranger, code))
                            .session())
                    .isPresent();
        }
    }

    @Test
    default void codeOfAnotherSignInAndTokenWithAnotherNonceFail() throws Exception {
        TestClock clock = new TestClock();
        FakeProvider provider = new FakeProvider();
        try (TestNode node = fresh().with(clock).start()) {
            SignIn signIn = on(node, provider, clock);
            Begun first = signIn.begin("customers").orElseThrow();
            Begun second = signIn.begin("customers").orElseThrow();

            // Injected: the code belongs to another verifier.
            String code = provider.signsIn(first.address());
            assertFailed(signIn.end(Optional.of(second.cookie()), answer(second, code)), Failure.FAILED);

            Begun third = signIn.begin("customers").orElseThrow();
            String own = provider.signsIn(third.address());
            provider.nonce = "another";
            assertFailed(signIn.end(Optional.of(third.cookie()), answer(third, own)), Failure.FAILED);
        }
    }

    @Test
    default void answerIsGoodOnceOnAllNodesAndForTenMinutes() throws Exception {
        TestClock clock = new TestClock();
        TestRegistry registry = fresh().with(clock);
        FakeProvider provider = new FakeProvider();
        try (TestNode one = registry.start();
                TestNode other = registry.start()) {
            List<SignIn> nodes = List.of(on(one, provider, clock), on(other, provider, clock));
            Begun begun = nodes.get(0).begin("customers").orElseThrow();
            String code = provider.signsIn(begun.address());
            ExecutorService threads = Executors.newFixedThreadPool(8);
            try {
                List<Future<Ended>> raced = IntStream.range(0, 8)
                        .mapToObj(i -> threads.submit(
                                () -> nodes.get(i % 2).end(Optional.of(begun.cookie()), answer(begun, code))))
                        .toList();
                int signedIn = 0;
                for (Future<Ended> each : raced) {
                    signedIn += each.get().session().isPresent() ? 1 : 0;
                }
                assertThat(signedIn).isEqualTo(1);
                // The others ended before anybody was asked.
                assertThat(provider.asked).isEqualTo(1);
            } finally {
                threads.shutdownNow();
            }
            assertThat(registry.number("SELECT COUNT(*) FROM user_session")).isEqualTo(1);

            Begun late = nodes.get(0).begin("customers").orElseThrow();
            clock.pass(SignIn.LIFETIME);
            assertFailed(
                    nodes.get(0).end(Optional.of(late.cookie()), answer(late, provider.signsIn(late.address()))),
                    Failure.EXPIRED);
        }
    }

    @Test
    default void strangerWithoutACodeWritesNothing() throws Exception {
        TestRegistry registry = fresh();
        try (TestNode node = registry.start()) {
            SignIn signIn = on(node, new FakeProvider(), new TestClock());
            Begun begun = signIn.begin("customers").orElseThrow();
            SignIn.Answer denied = new SignIn.Answer(
                    answer(begun, "code").state(), Optional.empty(), Optional.of("access_denied"), Optional.empty());

            assertFailed(signIn.end(Optional.of(begun.cookie()), denied), Failure.REFUSED);

            assertThat(registry.number("SELECT COUNT(*) FROM used_once")).isZero();
        }
    }

    @Test
    default void faultsOfTheProviderHaveNamesAndNoSession() throws Exception {
        TestClock clock = new TestClock();
        TestRegistry registry = fresh().with(clock);
        FakeProvider provider = new FakeProvider();
        try (TestNode node = registry.start()) {
            SignIn signIn = on(node, provider, clock);
            Map<String, Failure> errors = Map.of(
                    "access_denied", Failure.REFUSED,
                    "login_required", Failure.REFUSED,
                    "<script>", Failure.REFUSED,
                    "temporarily_unavailable", Failure.UNAVAILABLE,
                    "server_error", Failure.UNAVAILABLE);
            for (Map.Entry<String, Failure> error : errors.entrySet()) {
                Begun begun = signIn.begin("customers").orElseThrow();
                Answer answer = new Answer(
                        Optional.of(parameters(begun.address()).get("state")),
                        Optional.of("a code"),
                        Optional.of(error.getKey()),
                        Optional.empty());
                assertFailed(signIn.end(Optional.of(begun.cookie()), answer), error.getValue());
            }

            Begun mixedUp = signIn.begin("customers").orElseThrow();
            String code = provider.signsIn(mixedUp.address());
            Answer fromElsewhere = new Answer(
                    Optional.of(parameters(mixedUp.address()).get("state")),
                    Optional.of(code),
                    Optional.empty(),
                    Optional.of("https://evil.example"));
            assertFailed(signIn.end(Optional.of(mixedUp.cookie()), fromElsewhere), Failure.FAILED);

            Begun without = signIn.begin("customers").orElseThrow();
            Answer noCode = new Answer(
                    Optional.of(parameters(without.address()).get("state")),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty());
            assertFailed(signIn.end(Optional.of(without.cookie()), noCode), Failure.FAILED);

            Begun dead = signIn.begin("customers").orElseThrow();
            provider.fault = Optional.of(SignInException.unavailable("no connection"));
            assertFailed(signIn.end(Optional.of(dead.cookie()), answer(dead, "a code")), Failure.UNAVAILABLE);
            assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> signIn.begin("customers")))
                    .isInstanceOf(SignIn.UnavailableException.class);
            assertThat(registry.number("SELECT COUNT(*) FROM user_session")).isZero();
        }
    }

    @Test
    default void sessionEndsAfterTwelveHoursAndIsForgotten() {
        TestClock clock = new TestClock();
        TestRegistry registry = fresh().with(clock);
        try (TestNode node = registry.start()) {
            UserSessions sessions = node.part(UserSessions.class);
            String token = sessions.begin(ADA);

            clock.pass(UserSessions.LIFETIME.minusMillis(1));
            assertThat(sessions.find(token)).contains(ADA);
            clock.pass(Duration.ofMillis(1));
            assertThat(sessions.find(token)).isEmpty();

            clock.pass(Duration.ofMinutes(11));
            Spending.forgetExpired(node.part(Database.class), clock);
            assertThat(registry.number("SELECT COUNT(*) FROM user_session")).isZero();
        }
    }

    @Test
    default void databaseHasNothingThatSignsIn() {
        TestRegistry registry = fresh();
        try (TestNode node = registry.start()) {
            UserSessions sessions = node.part(UserSessions.class);
            String token = sessions.begin(ADA);

            assertThat(token).matches("[A-Za-z0-9_-]{43}");
            assertThat(sessions.begin(ADA)).isNotEqualTo(token);
            assertThat(registry.number("SELECT COUNT(*) FROM user_session WHERE LENGTH(hash) = 32"))
                    .isEqualTo(2);
            for (String other : List.of("", "A", token.substring(1), token + "A", "A".repeat(43), "%".repeat(43))) {
                assertThat(sessions.find(other)).isEmpty();
                sessions.end(other);
            }
            assertThat(sessions.find(token)).contains(ADA);
        }
    }

    @Test
    default void userWithMoreGroupsThanThereIsRoomForKeepsTheFirst() {
        Set<String> many =
                IntStream.range(100, 300).mapToObj(i -> i + "ü".repeat(252)).collect(Collectors.toSet());
        try (TestNode node = fresh().start()) {
            UserSessions sessions = node.part(UserSessions.class);
            String token = sessions.begin(new User("customers", "https://id.example", "bob", Optional.empty(), many));

            User found = sessions.find(token).orElseThrow();
            assertThat(found.groups()).hasSizeBetween(100, 199);
            assertThat(many).containsAll(found.groups());
            assertThat(found.groups()).anyMatch(group -> group.startsWith("100"));
        }
    }
}
