// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import static io.muster.user.FakeProvider.accessToken;
import static io.muster.user.FakeProvider.header;
import static io.muster.verification.jwt.Tokens.NOW;
import static io.muster.verification.jwt.Tokens.with;
import static io.muster.verification.jwt.Tokens.without;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.TestRegistry;
import io.muster.config.ConfigurationException;
import io.muster.config.Settings;
import io.muster.jose.InvalidTokenException;
import io.muster.json.Json;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.jwt.Tokens;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class IdentityProvidersTest {

    private static final Clock CLOCK = Clock.fixed(TestRegistry.NOW, ZoneOffset.UTC);

    private final FakeProvider fake = new FakeProvider();
    private final List<AutoCloseable> opened = new ArrayList<>(List.of(fake));

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    /** Providers with these settings, which have no fault. */
    private IdentityProviders providers(Clock clock, Map<String, Map<String, String>> byName) {
        Map<String, String> all = new LinkedHashMap<>();
        byName.forEach((name, settings) ->
                settings.forEach((key, value) -> all.put("muster.users." + name + "." + key, value)));
        Settings settings = Settings.of("muster.", key -> Optional.ofNullable(all.get(key)));
        IdentityProviders providers =
                new IdentityProviders(List.copyOf(byName.keySet()), settings, all.keySet(), clock);
        opened.add(0, providers);
        settings.check(all.keySet());
        return providers;
    }

    private IdentityProviders customers(String... keysAndValues) {
        Map<String, String> settings = fake.settings();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            settings.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return providers(CLOCK, Map.of("customers", settings));
    }

    private static List<String> faults(Map<String, String> all, String... names) {
        Settings settings = Settings.of("muster.", key -> Optional.ofNullable(all.get(key)));
        new IdentityProviders(List.of(names), settings, all.keySet(), CLOCK).close();
        ConfigurationException thrown =
                catchThrowableOfType(ConfigurationException.class, () -> settings.check(all.keySet()));
        return thrown == null ? List.of() : TestProviders.faults(thrown);
    }

    private static User user(IdentityProviders providers, String token) {
        return providers.user(token, Set.copyOf(providers.names()));
    }

    @Test
    void goodTokenNamesItsUser() {
        User user = user(
                customers(),
                accessToken(with(
                        with(fake.claims("alice"), "name", "Alice Example"), "groups", List.of("staff", "admins"))));

        assertThat(user)
                .isEqualTo(new User(
                        "customers", fake.issuer(), "alice", Optional.of("Alice Example"), Set.of("staff", "admins")));
        assertThat(fake.asked()).containsExactly("/realm/.well-known/openid-configuration", "/realm/keys");
    }

    @ParameterizedTest
    @CsvSource({"ES256, ec", "RS256, rsa", "EdDSA, ed"})
    void eachAlgorithmWithAPublicKeyIsAccepted(String algorithm, String kid) {
        assertThat(user(customers(), Tokens.sign(algorithm, header(algorithm, kid, "at+jwt"), fake.claims("alice")))
                        .subject())
                .isEqualTo("alice");
    }

    @Test
    void audienceMayBeOneOfSeveral() {
        assertThat(user(customers(), accessToken(with(fake.claims("alice"), "aud", List.of("others", "muster"))))
                        .subject())
                .isEqualTo("alice");
    }

    @ParameterizedTest
    @ValueSource(strings = {"at+jwt", "AT+JWT", "application/at+jwt"})
    void typeIsAMediaType(String type) {
        assertThat(user(customers(), Tokens.sign("ES256", header("ES256", "ec", type), fake.claims("alice")))
                        .subject())
                .isEqualTo("alice");
    }

    /** A token that must not pass, made for a provider. */
    record Bad(String what, Function<FakeProvider, String> token) {

        @Override
        public String toString() {
            return what;
        }
    }

    private static Bad claims(String what, UnaryOperator<Map<String, Object>> change) {
        return new Bad(what, fake -> accessToken(change.apply(fake.claims("alice"))));
    }

    private static Bad withHeader(String what, Map<String, Object> header, String signed) {
        return new Bad(what, fake -> Tokens.sign(signed, header, fake.claims("alice")));
    }

    static Stream<Bad> bad() {
        return Stream.of(
                claims("another issuer", claims -> with(claims, "iss", "https://elsewhere.example")),
                claims("its issuer with a slash", claims -> with(claims, "iss", claims.get("iss") + "/")),
                claims("no issuer", claims -> without(claims, "iss")),
                claims("an issuer in a list", claims -> with(claims, "iss", List.of(claims.get("iss")))),
                claims("another audience", claims -> with(claims, "aud", "others")),
                claims("other audiences", claims -> with(claims, "aud", List.of("others", "musters"))),
                claims("no audience", claims -> without(claims, "aud")),
                claims("an audience that is a number", claims -> with(claims, "aud", List.of("muster", 1))),
                claims("an audience in an object", claims -> with(claims, "aud", Map.of("muster", "muster"))),
                claims("expired", claims -> with(claims, "exp", NOW - 60)),
                claims("no exp", claims -> without(claims, "exp")),
                claims("an exp that is a text", claims -> with(claims, "exp", Long.toString(NOW + 600))),
                claims("not valid yet", claims -> with(claims, "nbf", NOW + 61)),
                claims("no sub", claims -> without(claims, "sub")),
                claims("an empty sub", claims -> with(claims, "sub", "")),
                claims("a sub that is a number", claims -> with(claims, "sub", 7)),
                claims("a sub that is too long", claims -> with(claims, "sub", "x".repeat(256))),
                claims("a sub that is too long with the name", claims -> with(claims, "sub", "x".repeat(247))),
                claims("a sub with a control character", claims -> with(claims, "sub", "ali\nce")),
                claims("a sub with NUL", claims -> with(claims, "sub", "alice\0")),
                new Bad(
                        "a sub that ends in half a character",
                        fake -> raw(fake.claims("alice"), "\"alice\"", "\"alice\\\\ud800\"")),
                new Bad("two subs", fake -> raw(fake.claims("alice"), "\"sub\"", "\"sub\":\"bob\",\"sub\"")),
                withHeader("an ID token's type", header("ES256", "ec", "JWT"), "ES256"),
                withHeader("another type", header("ES256", "ec", "logout+jwt"), "ES256"),
                withHeader("no type", without(Tokens.header("ES256", "ec"), "typ"), "ES256"),
                withHeader("algorithm none", header("none", "ec", "at+jwt"), "ES256"),
                withHeader("an algorithm that is not for this key", header("RS256", "ec", "at+jwt"), "RS256"),
                withHeader("an algorithm that is not supported", header("PS256", "rsa", "at+jwt"), "PS256"),
                withHeader("a shared secret", header("HS256", "ec", "at+jwt"), "HS256"),
                withHeader("another key", header("ES256", "rsa", "at+jwt"), "ES256"),
                withHeader("an unknown key", header("ES256", "other", "at+jwt"), "ES256"),
                withHeader(
                        "a key of its own",
                        with(header("ES256", "ec", "at+jwt"), "jwk", Tokens.jwk(Tokens.EC.getPublic(), "ec")),
                        "ES256"),
                withHeader(
                        "a critical extension", with(header("ES256", "ec", "at+jwt"), "crit", List.of("exp")), "ES256"),
                new Bad(
                        "two algorithms",
                        fake -> Tokens.sign(
                                "ES256",
                                "{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"at+jwt\"}",
                                Json.bytes(fake.claims("alice")))),
                new Bad("no signature", fake -> {
                    String token = accessToken(fake.claims("alice"));
                    return token.substring(0, token.lastIndexOf('.') + 1);
                }),
                new Bad(
                        "the public key as a secret",
                        fake -> Tokens.hs256By(
                                Tokens.RSA.getPublic().getEncoded(),
                                header("HS256", "rsa", "at+jwt"),
                                fake.claims("alice"))),
                new Bad("a signature of other claims", fake -> {
                    String other = accessToken(fake.claims("bob"));
                    String token = accessToken(fake.claims("alice"));
                    return token.substring(0, token.lastIndexOf('.')) + other.substring(other.lastIndexOf('.'));
                }),
                new Bad("no token", fake -> "opaque-0123456789"),
                new Bad("nothing", fake -> ""),
                new Bad(
                        "claims that are a list",
                        fake -> Tokens.sign(
                                "ES256",
                                Json.text(header("ES256", "ec", "at+jwt")),
                                "[]".getBytes(StandardCharsets.UTF_8))),
                new Bad("too long", fake -> accessToken(with(fake.claims("alice"), "x", "x".repeat(10_000)))));
    }

    private static String raw(Map<String, Object> claims, String text, String replacement) {
        return Tokens.sign(
                "ES256",
                Json.text(header("ES256", "ec", "at+jwt")),
                Json.text(claims)
                        .replace(text, replacement.replace("\\\\", "\\"))
                        .getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @MethodSource
    void bad(Bad bad) {
        String token = bad.token().apply(fake);

        InvalidTokenException thrown =
                catchThrowableOfType(InvalidTokenException.class, () -> user(customers(), token));

        assertThat(thrown).isNotNull();
        assertThat(thrown.getMessage()).doesNotContain("alice", "elsewhere", "example");
    }

    @Test
    void aboutAMinuteOfSkewIsAccepted() {
        IdentityProviders customers = customers();

        assertThat(user(customers, accessToken(with(fake.claims("alice"), "exp", NOW - 59))))
                .isNotNull();
        assertThat(user(customers, accessToken(with(fake.claims("alice"), "nbf", NOW + 60))))
                .isNotNull();
    }

    @Test
    void idTokenDoesNotPassWhereItsTypeIsAccepted() {
        IdentityProviders customers = customers("token-types", "at+jwt, JWT", "client-id", "the-page");
        UnaryOperator<Map<String, Object>> same = claims -> claims;

        assertThat(user(customers, plain(same)).subject()).isEqualTo("alice");
        assertThat(user(customers, plain(claims -> with(claims, "typ", "Bearer")))
                        .subject())
                .isEqualTo("alice");
        Stream.<UnaryOperator<Map<String, Object>>>of(
                        claims -> with(claims, "nonce", "n"),
                        claims -> with(claims, "at_hash", "h"),
                        claims -> with(claims, "c_hash", "h"),
                        claims -> with(claims, "typ", "ID"),
                        claims -> with(claims, "typ", "Refresh"),
                        claims -> with(claims, "aud", List.of("muster", "the-page")))
                .forEach(change -> assertThatThrownBy(() -> user(customers, plain(change)))
                        .isInstanceOf(InvalidTokenException.class));
    }

    private String plain(UnaryOperator<Map<String, Object>> change) {
        return Tokens.sign("ES256", header("ES256", "ec", "JWT"), change.apply(fake.claims("alice")));
    }

    @Test
    void sameSubjectOfAnotherProviderIsAnotherUser() {
        try (FakeProvider partners = new FakeProvider()) {
            IdentityProviders both =
                    providers(CLOCK, Map.of("customers", fake.settings(), "partners", partners.settings()));

            User one = user(both, accessToken(fake.claims("alice")));
            User other = user(both, accessToken(partners.claims("alice")));

            assertThat(other.provider()).isEqualTo("partners");
            assertThat(one.isSameAs(other)).isFalse();
            assertThat(one.key()).isNotEqualTo(other.key());
            assertThatThrownBy(() -> both.user(accessToken(partners.claims("alice")), Set.of("customers")))
                    .isInstanceOf(InvalidTokenException.class);
        }
    }

    @Test
    void keyOfOneProviderIsNoKeyOfAnother() {
        try (FakeProvider partners = new FakeProvider()) {
            partners.setKeys(Json.text(Map.of("keys", List.of(Tokens.jwk(Tokens.RSA.getPublic(), "ec")))));
            IdentityProviders both =
                    providers(CLOCK, Map.of("customers", fake.settings(), "partners", partners.settings()));

            assertThatThrownBy(() -> user(both, accessToken(partners.claims("alice"))))
                    .isInstanceOf(InvalidTokenException.class);
        }
    }

    @Test
    void algorithmThatIsNotConfiguredIsRefused() {
        assertThatThrownBy(() -> user(customers("algorithms", "RS256, EdDSA"), accessToken(fake.claims("alice"))))
                .isInstanceOf(InvalidTokenException.class);
    }

    @Test
    void groupsAreTextsAndBounded() {
        IdentityProviders customers = customers("groups-claim", "/realm_access/roles");
        List<Object> many = new ArrayList<>(List.of(7, "", "x".repeat(256), "a\nb", Map.of()));
        IntStream.range(0, 300).forEach(i -> many.add("group-" + i));

        assertThat(groups(customers, Map.of("roles", many)))
                .isEqualTo(IntStream.range(0, 200).mapToObj(i -> "group-" + i).collect(Collectors.toSet()));
        assertThat(groups(customers, Map.of("roles", "staff"))).containsExactly("staff");
        assertThat(groups(customers, Map.of("roles", 7))).isEmpty();
        assertThat(groups(customers, "staff")).isEmpty();
    }

    private Set<String> groups(IdentityProviders customers, Object access) {
        return user(customers, accessToken(with(fake.claims("alice"), "realm_access", access)))
                .groups();
    }

    @Test
    void nameIsRepairedAndNeverRefused() {
        IdentityProviders customers = customers("name-claim", "https://app.example/name");

        assertThat(name(customers, " Al\nice ")).contains("Alice");
        assertThat(name(customers, "x".repeat(199) + "\uD83D\uDE00")).contains("x".repeat(199));
        assertThat(name(customers, " ")).isEmpty();
        assertThat(name(customers, 7)).isEmpty();
    }

    private Optional<String> name(IdentityProviders customers, Object name) {
        return user(customers, accessToken(with(fake.claims("alice"), "https://app.example/name", name)))
                .name();
    }

    @Test
    void providerThatDoesNotAnswerSaysNothingAboutTheToken() {
        fake.setDown(true);
        IdentityProviders customers = customers();

        assertThatThrownBy(() -> user(customers, accessToken(fake.claims("alice"))))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("identity provider customers: status 500");
        assertThatThrownBy(() -> user(customers, accessToken(fake.claims("alice"))))
                .isInstanceOf(VerificationUnavailableException.class);
        assertThat(fake.asked()).hasSize(1);
    }

    @Test
    void knownKeysLastThroughAnOutage() {
        Instant[] now = {TestRegistry.NOW};
        IdentityProviders customers = providers(clock(now), Map.of("customers", fake.settings()));
        user(customers, accessToken(fake.claims("alice")));
        fake.setDown(true);

        now[0] = now[0].plus(Duration.ofHours(3));
        assertThat(user(customers, accessToken(with(fake.claims("alice"), "exp", NOW + 100_000)))
                        .subject())
                .isEqualTo("alice");

        now[0] = now[0].plus(Duration.ofHours(5));
        assertThatThrownBy(() -> user(customers, accessToken(with(fake.claims("alice"), "exp", NOW + 100_000))))
                .isInstanceOf(VerificationUnavailableException.class);

        fake.setDown(false);
        now[0] = now[0].plus(Duration.ofSeconds(10));
        assertThat(user(customers, accessToken(with(fake.claims("alice"), "exp", NOW + 100_000))))
                .isNotNull();
    }

    private static Clock clock(Instant[] now) {
        return new Clock() {
            @Override
            public ZoneOffset getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(java.time.ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return now[0];
            }
        };
    }

    @Test
    void discoveryOfAnotherIssuerIsNotBelieved() {
        fake.setClaimedIssuer("https://elsewhere.example");

        assertThatThrownBy(() -> user(customers(), accessToken(fake.claims("alice"))))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("of another issuer");
        assertThat(fake.asked()).containsExactly("/realm/.well-known/openid-configuration");
    }

    @Test
    void discoveryIsNotAskedWhereSettingsHaveTheAddresses() {
        IdentityProviders customers = customers(
                "jwks-url",
                fake.issuer() + "/keys",
                "authorization-url",
                "https://idp.example/authorize",
                "token-url",
                "https://idp.example/token");

        assertThat(user(customers, accessToken(fake.claims("alice")))).isNotNull();
        assertThat(customers.find("customers").orElseThrow().endpoints())
                .isEqualTo(new IdentityProvider.Endpoints(
                        URI.create("https://idp.example/authorize"), URI.create("https://idp.example/token")));
        assertThat(fake.asked()).containsExactly("/realm/keys");
    }

    @Test
    void endpointsComeFromDiscovery() {
        IdentityProvider provider = customers().find("customers").orElseThrow();

        assertThat(provider.endpoints())
                .isEqualTo(new IdentityProvider.Endpoints(
                        URI.create(fake.issuer() + "/authorize"), URI.create(fake.issuer() + "/token")));
        provider.endpoints();
        assertThat(fake.asked()).hasSize(1);
    }

    private static final URI BACK = URI.create("https://registry.example/claim/sign-in/callback");

    private Map<String, Object> idClaims() {
        return with(with(fake.claims("alice"), "aud", "the-page"), "nonce", "n-1");
    }

    private static String idToken(Map<String, Object> claims) {
        return Tokens.sign("RS256", header("RS256", "rsa", "JWT"), claims);
    }

    @Test
    void codeIsExchangedForTheUserOfItsIdToken() {
        fake.setTokenReply(200, Json.text(Map.of("access_token", "opaque", "id_token", idToken(idClaims()))));
        IdentityProvider provider =
                customers("client-id", "the-page").find("customers").orElseThrow();

        assertThat(provider.signIn("c&d", "v", BACK, "n-1").subject()).isEqualTo("alice");
        assertThat(fake.asked())
                .contains("/realm/token  grant_type=authorization_code&code=c%26d&redirect_uri="
                        + "https%3A%2F%2Fregistry.example%2Fclaim%2Fsign-in%2Fcallback&code_verifier=v"
                        + "&client_id=the-page");
    }

    @Test
    void clientWithASecretAuthenticatesByBasic() {
        fake.setTokenReply(200, Json.text(Map.of("id_token", idToken(idClaims()))));
        IdentityProviders customers = customers("client-id", "the-page", "client-secret", "s: 1");
        IdentityProvider provider = customers.find("customers").orElseThrow();

        provider.signIn("c", "v", BACK, "n-1");

        String basic = Base64.getEncoder().encodeToString("the-page:s%3A+1".getBytes(StandardCharsets.UTF_8));
        assertThat(fake.asked()).anyMatch(question -> question.startsWith("/realm/token Basic " + basic + " "));
        assertThat(provider.toString()).doesNotContain("s: 1");
    }

    @Test
    void refusedCodeIsNoUser() {
        IdentityProvider provider =
                customers("client-id", "the-page").find("customers").orElseThrow();

        fake.setTokenReply(400, "{\"error\":\"invalid_grant\",\"error_description\":\"a secret\"}");
        assertThatThrownBy(() -> provider.signIn("c", "v", BACK, "n-1"))
                .isInstanceOf(InvalidTokenException.class)
                .hasMessage("the provider refuses the code (invalid_grant)");
        fake.setTokenReply(200, "{\"access_token\":\"opaque\"}");
        assertThatThrownBy(() -> provider.signIn("c", "v", BACK, "n-1")).isInstanceOf(InvalidTokenException.class);
        fake.setTokenReply(502, "{}");
        assertThatThrownBy(() -> provider.signIn("c", "v", BACK, "n-1"))
                .isInstanceOf(VerificationUnavailableException.class);
    }

    @Test
    void idTokenIsForThisClientAndThisSignIn() {
        IdentityProvider provider =
                customers("client-id", "the-page").find("customers").orElseThrow();

        assertThat(provider.idToken(idToken(with(idClaims(), "azp", "the-page")), "n-1")
                        .subject())
                .isEqualTo("alice");
        Stream.of(
                        with(idClaims(), "nonce", "n-2"),
                        without(idClaims(), "nonce"),
                        with(idClaims(), "aud", "muster"),
                        with(idClaims(), "azp", "another"),
                        with(idClaims(), "aud", List.of("the-page", "another")),
                        with(idClaims(), "iss", "https://elsewhere.example"),
                        with(idClaims(), "exp", NOW - 60),
                        without(idClaims(), "sub"))
                .forEach(claims -> assertThatThrownBy(() -> provider.idToken(idToken(claims), "n-1"))
                        .isInstanceOf(InvalidTokenException.class));
        assertThatThrownBy(() -> provider.idToken(accessToken(idClaims()), "n-1"))
                .isInstanceOf(InvalidTokenException.class);
    }

    @Test
    void everyFaultOfTheConfigurationIsNamedAtOnce() {
        Map<String, String> all = new HashMap<>();
        all.put("muster.users.customers.issuer", "http://idp.example");
        all.put("muster.users.customers.algorithms", "RS256, HS256, none");
        all.put("muster.users.customers.token-types", "a/b");
        all.put("muster.users.customers.jwks-url", "https://10.0.0.1/keys");
        all.put("muster.users.customers.client-secret", "hush");
        all.put("muster.users.customers.scopes", "profile");
        all.put("muster.users.customers.groups-claim", "/~");
        all.put("muster.users.customers.jwks-max-age", "PT1S");
        all.put("muster.users.customers.audiance", "muster");
        all.put("muster.users.others.issuer", "https://idp.example");
        all.put("muster.users.others.audience", "muster");

        assertThat(faults(all, "customers"))
                .containsExactlyInAnyOrder(
                        "muster.users.customers.issuer: must be https; set allow-http = true if the network is trusted",
                        "muster.users.customers.audience: is required",
                        "muster.users.customers.jwks-url: is not an address of the public Internet; set"
                                + " allow-private = true if that is meant",
                        "muster.users.customers.algorithms: \"HS256\" is none of RS256, ES256, EdDSA",
                        "muster.users.customers.algorithms: \"none\" is none of RS256, ES256, EdDSA",
                        "muster.users.customers.token-types: \"a/b\" is not a type such as at+jwt or JWT",
                        "muster.users.customers.client-id: is required beside client-secret",
                        "muster.users.customers.scopes: must have openid, or the provider gives no ID token",
                        "muster.users.customers.groups-claim: \"/~\" is not a JSON pointer such as"
                                + " /realm_access/roles",
                        "muster.users.customers.jwks-max-age: PT1S is not between PT10S and PT24H",
                        "muster.users: does not list others, which has settings",
                        "muster.users.customers.audiance: unknown key; did you mean"
                                + " muster.users.customers.audience?");
    }

    @Test
    void twoProvidersCannotHaveTheSameIssuer() {
        Map<String, String> all = new HashMap<>();
        for (String name : List.of("customers", "partners")) {
            all.put("muster.users." + name + ".issuer", "https://idp.example");
            all.put("muster.users." + name + ".audience", "muster");
        }

        assertThat(faults(all, "customers", "partners"))
                .containsExactly("muster.users.partners.issuer: is the same as muster.users.customers.issuer");
    }

    @Test
    void audienceMustDifferFromTheClientWhereIdTokensHaveAnAcceptedType() {
        Map<String, String> all = new HashMap<>();
        all.put("muster.users.customers.issuer", "https://idp.example");
        all.put("muster.users.customers.audience", "the-page");
        all.put("muster.users.customers.client-id", "the-page");
        assertThat(faults(all, "customers")).isEmpty();

        all.put("muster.users.customers.token-types", "JWT");
        assertThat(faults(all, "customers"))
                .singleElement()
                .asString()
                .startsWith("muster.users.customers.audience: must be another than client-id");
    }

    @Test
    void withoutProvidersThereIsNothing() {
        Set<String> before = threads();
        IdentityProviders none = providers(CLOCK, Map.of());

        assertThat(none.names()).isEmpty();
        assertThat(none.fault("customers")).contains("is no identity provider; muster.users names none");
        assertThatThrownBy(() -> none.user(accessToken(fake.claims("alice")), Set.of()))
                .isInstanceOf(InvalidTokenException.class);
        assertThat(threads()).isEqualTo(before);
    }

    private static Set<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.contains("users"))
                .collect(Collectors.toSet());
    }

    @Test
    void tableInTheDocumentationIsTheCode() throws IOException {
        Map<String, String> all = new HashMap<>();
        all.put("muster.users.customers.issuer", "https://idp.example");
        all.put("muster.users.customers.audience", "muster");
        Settings settings = Settings.of("muster.", key -> Optional.ofNullable(all.get(key)));
        new IdentityProviders(List.of("customers"), settings, all.keySet(), CLOCK).close();
        String page = Files.readString(Path.of("../docs/users.md"));
        Set<String> documented = page.lines()
                .filter(line -> line.matches("\\| `[a-z-]+` \\|.*"))
                .map(line -> line.split("`")[1])
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(documented)
                .isEqualTo(settings.known().stream()
                        .map(known -> known.key().substring("muster.users.customers.".length()))
                        .collect(Collectors.toCollection(TreeSet::new)));
        for (Settings.Definition known : settings.known()) {
            String key = known.key().substring("muster.users.customers.".length());
            assertThat(page.replace("` | `", "` | ").replace("` |", " |"))
                    .contains("| `" + key + " | " + known.otherwise() + " |");
        }
    }
}
