// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.token;

import static io.muster.suite.fixture.RegistryUnderTest.FORM;
import static io.muster.suite.fixture.RegistryUnderTest.basic;
import static io.muster.suite.fixture.RegistryUnderTest.encoded;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.ProblemAssert;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Timing;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The token endpoint conforms to RFC 6749: it issues tokens only to the right clients, and tells all others why not.
 */
@Tag("portable")
class TokenEndpointIT {

    private static final String GRANT = "grant_type=client_credentials";

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();

    private static void assertError(Reply reply, int status, String error) {
        assertThat(reply.status()).as(reply.toString()).isEqualTo(status);
        assertThat(reply.type()).isEqualTo("application/json");
        assertThat(reply.json().path("error").asText()).isEqualTo(error);
        assertThat(reply.header("Cache-Control")).hasValue("no-store");
        assertThat(reply.header("Pragma")).hasValue("no-cache");
        ProblemAssert.assertTellsNothing(reply);
        if (status == 401) {
            assertThat(reply.header("WWW-Authenticate"))
                    .hasValueSatisfying(challenge -> assertThat(challenge).startsWith("Basic realm="));
        }
    }

    private static void assertToken(Reply reply) {
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.type()).isEqualTo("application/json");
        assertThat(reply.header("Cache-Control")).hasValue("no-store");
        assertThat(reply.header("Pragma")).hasValue("no-cache");
        assertThat(reply.json().path("token_type").asText()).isEqualTo("Bearer");
        assertThat(reply.json().path("expires_in").intValue()).isEqualTo(900);
        assertThat(reply.json().path("access_token").asText()).matches("[\\w-]+\\.[\\w-]+\\.[\\w-]+");
    }

    private Reply post(String form, String... headers) {
        return registry.post("token", FORM, form, headers);
    }

    private static String secretPost(Registered device) {
        return "client_id=" + encoded(device.key()) + "&client_secret=" + encoded(device.secret());
    }

    @Test
    void clientSecretBasicAndClientSecretPostBothWork() {
        Registered device = registry.newDevice();

        assertToken(registry.token(device));
        assertToken(post(GRANT + "&" + secretPost(device)));
        assertToken(registry.post("token", FORM + "; charset=UTF-8", GRANT + "&" + secretPost(device)));
        // RFC 6749 section 3.2.1: the client may name itself beside authenticating.
        assertToken(post(GRANT + "&client_id=" + device.key(), "Authorization", basic(device.key(), device.secret())));
        assertToken(post(
                GRANT, "Authorization", basic(device.key(), device.secret()).replace("Basic", "bAsIc")));
    }

    @Test
    void clientThatAuthenticatesTwiceIsRefused() {
        Registered device = registry.newDevice();

        assertError(
                post(GRANT + "&" + secretPost(device), "Authorization", basic(device.key(), device.secret())),
                400,
                "invalid_request");
        assertError(
                post(GRANT + "&client_id=another", "Authorization", basic(device.key(), device.secret())),
                400,
                "invalid_request");
    }

    @Test
    void parametersInTheAddressAreRefused() {
        Registered device = registry.newDevice();

        assertError(registry.post("token?" + GRANT + "&" + secretPost(device), FORM, ""), 400, "invalid_request");
        assertError(registry.post("token?" + secretPost(device), FORM, GRANT), 400, "invalid_request");
        assertError(registry.post("token?x=y", FORM, GRANT + "&" + secretPost(device)), 400, "invalid_request");
    }

    @Test
    void repeatedParametersAreRefused() {
        Registered device = registry.newDevice();
        String[] auth = {"Authorization", basic(device.key(), device.secret())};

        assertError(post(GRANT + "&" + GRANT, auth), 400, "invalid_request");
        assertError(post(GRANT + "&grant%5Ftype=password", auth), 400, "invalid_request");
        assertError(post(GRANT + "&unknown=1&unknown=2", auth), 400, "invalid_request");
        assertError(post(GRANT + "&" + secretPost(device) + "&client_secret=x"), 400, "invalid_request");
    }

    @Test
    void otherGrantsMissingGrantsAndScopesAreToldApart() {
        Registered device = registry.newDevice();
        String[] auth = {"Authorization", basic(device.key(), device.secret())};

        assertError(post("", auth), 400, "invalid_request");
        assertError(post("grant_type=", auth), 400, "invalid_request");
        for (String grant : List.of("password", "authorization_code", "refresh_token", "CLIENT_CREDENTIALS")) {
            assertError(post("grant_type=" + grant, auth), 400, "unsupported_grant_type");
        }
        assertError(post(GRANT + "&scope=admin", auth), 400, "invalid_scope");
    }

    @Test
    void malformedFormsAreRefused() {
        Registered device = registry.newDevice();
        String[] auth = {"Authorization", basic(device.key(), device.secret())};

        for (String form : List.of(GRANT + "&x=%zz", GRANT + "&x=%f", GRANT + "&x=%ff", GRANT + "&%=1")) {
            assertError(post(form, auth), 400, "invalid_request");
        }
        Reply json = registry.post("token", "application/json", "{\"grant_type\":\"client_credentials\"}", auth);
        assertError(json, 415, "invalid_request");
        assertThat(json.json().path("error_description").asText()).isEqualTo("send application/x-www-form-urlencoded");
        assertError(post(GRANT + "&pad=" + "x".repeat(65536), auth), 413, "invalid_request");
    }

    @Test
    void nobodyElseGetsAToken() {
        Registered device = registry.newDevice();
        Registered other = registry.newDevice();
        Registered disabled = registry.newDevice();
        registry.change(disabled.deviceId(), "disable");
        String key = device.key();
        String secret = device.secret();

        Map<String, Reply> replies = new LinkedHashMap<>();
        replies.put("wrong secret", registry.token(key, "x".repeat(43)));
        replies.put("another's secret", registry.token(key, other.secret()));
        replies.put("secret and a byte", registry.token(key, secret + "A"));
        replies.put("secret and NUL", registry.token(key, secret + "\0"));
        replies.put("secret and a blank", registry.token(key, secret + " "));
        replies.put("secret less a byte", registry.token(key, secret.substring(1)));
        replies.put("secret in the other case", registry.token(key, swapCase(secret)));
        replies.put("very long secret", registry.token(key, "x".repeat(2000)));
        replies.put("unknown key", registry.token("k" + key.substring(1), secret));
        replies.put("key in the other case", registry.token(swapCase(key), secret));
        replies.put("very long key", registry.token("k".repeat(2000), secret));
        replies.put("device id for a key", registry.token(device.deviceId(), secret));
        replies.put("serial for a key", registry.token(device.serial(), secret));
        replies.put("SQL", registry.token("' OR '1'='1", secret));
        replies.put("disabled", registry.token(disabled));
        replies.put("disabled, wrong secret", registry.token(disabled.key(), "x".repeat(43)));

        replies.forEach((who, reply) -> {
            assertError(reply, 401, "invalid_client");
            assertThat(reply.text())
                    .as(who)
                    .isEqualTo(replies.get("unknown key").text());
        });
        assertToken(registry.token(device));
    }

    @Test
    void authenticationThatIsNoneIsRefused() {
        Registered device = registry.newDevice();
        String basic = basic(device.key(), device.secret());

        assertError(post(GRANT), 401, "invalid_client");
        assertError(post(GRANT + "&client_id=" + device.key()), 401, "invalid_client");
        for (String header : List.of(
                "Basic",
                "Basic ",
                "Basic !!!",
                "Basic " + base64("no-colon"),
                "Basic " + base64(":" + device.secret()),
                "Basic " + base64("%zz:x"),
                "Basic /////w==",
                "Bearer " + device.secret(),
                "Digest " + basic.substring(6),
                basic.substring(6))) {
            assertError(post(GRANT, "Authorization", header), 401, "invalid_client");
        }
        assertError(
                post(GRANT
                        + "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
                        + "&client_assertion="
                        + registry.accessToken(device)),
                401,
                "invalid_client");
    }

    @Test
    void wrongSecretUnknownKeyAndDisabledDeviceTakeTheSameTime() {
        Registered device = registry.newDevice();
        Registered disabled = registry.newDevice();
        registry.change(disabled.deviceId(), "disable");
        String wrong = "x".repeat(43);

        Map<String, Runnable> classes = new LinkedHashMap<>();
        classes.put(
                "wrong secret",
                () -> assertThat(registry.token(device.key(), wrong).status()).isEqualTo(401));
        classes.put("unknown key", () -> assertThat(
                        registry.token("k" + device.key().substring(1), wrong).status())
                .isEqualTo(401));
        classes.put(
                "disabled", () -> assertThat(registry.token(disabled).status()).isEqualTo(401));

        Timing.assertIndistinguishable(classes, 400, 1);
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String swapCase(String text) {
        StringBuilder swapped = new StringBuilder();
        text.chars()
                .map(c -> Character.isUpperCase(c) ? Character.toLowerCase(c) : Character.toUpperCase(c))
                .forEach(c -> swapped.append((char) c));
        return swapped.toString();
    }
}
