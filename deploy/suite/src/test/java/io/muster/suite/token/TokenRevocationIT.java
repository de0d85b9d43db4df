// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.token;

import static io.muster.suite.fixture.RegistryUnderTest.FORM;
import static io.muster.suite.fixture.RegistryUnderTest.basic;
import static io.muster.suite.fixture.RegistryUnderTest.encoded;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.ProblemAssert;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A device revokes its own access tokens (RFC 7009), and no others. */
class TokenRevocationIT {

    private static final Duration STALE = Duration.ofSeconds(2);

    private final RegistryUnderTest here = SharedWorld.onMariaDb();
    private final RegistryUnderTest there = SharedWorld.secondNode();

    private Reply revoke(Registered device, String form) {
        return here.post("revoke", FORM, form, "Authorization", basic(device.key(), device.secret()));
    }

    @Tag("timing")
    @Test
    void revokedTokenEndsHereAtOnceAndThereWithinTwoSeconds() {
        Registered device = here.newDevice();
        String revoked = here.accessToken(device);
        String kept = here.accessToken(device);
        assertThat(there.isActive(revoked)).isTrue();

        Reply reply = revoke(device, "token=" + revoked + "&token_type_hint=refresh_token");

        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.body()).isEmpty();
        assertThat(here.introspect(revoked).text()).isEqualTo("{\"active\":false}");
        ProblemAssert.assertProblem(here.ownRecord(revoked), 401, "unauthorized");
        within(STALE, "not active there", () -> !there.isActive(revoked));
        assertThat(here.isActive(kept)).isTrue();
        assertThat(there.isActive(kept)).isTrue();
        assertThat(here.isActive(here.accessToken(device))).isTrue();
    }

    @Test
    void everyTokenIsAnsweredAlikeAndOnlyOnesOwnIsRevoked() {
        Registered device = here.newDevice();
        Registered other = here.newDevice();
        String others = here.accessToken(other);
        String own = here.accessToken(device);

        for (String token : List.of(others, own, own, "junk", here.operatorToken(), device.secret())) {
            Reply reply = revoke(device, "token=" + encoded(token));
            assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
            assertThat(reply.body()).isEmpty();
        }

        assertThat(here.isActive(others)).isTrue();
        assertThat(here.isActive(own)).isFalse();
    }

    @Test
    void whoDoesNotAuthenticateRevokesNothing() {
        Registered device = here.newDevice();
        String token = here.accessToken(device);
        String form = "token=" + token;

        assertThat(here.post("revoke", FORM, form).status()).isEqualTo(401);
        assertThat(here.post("revoke", FORM, form, here.asOperator()).status()).isEqualTo(401);
        assertThat(here.post("revoke", FORM, form, RegistryUnderTest.bearer(token))
                        .status())
                .isEqualTo(401);
        Reply wrong = here.post("revoke", FORM, form, "Authorization", basic(device.key(), "wrong"));
        assertThat(wrong.status()).isEqualTo(401);
        assertThat(wrong.json().path("error").asText()).isEqualTo("invalid_client");
        assertThat(revoke(device, "").json().path("error").asText()).isEqualTo("invalid_request");
        assertThat(revoke(device, form + "&token=x").json().path("error").asText())
                .isEqualTo("invalid_request");
        assertThat(here.post("revoke?" + form, FORM, form, "Authorization", basic(device.key(), device.secret()))
                        .status())
                .isEqualTo(400);

        assertThat(here.isActive(token)).isTrue();
    }

    @Test
    void tokenForAnotherAudienceIsNotActiveHere() {
        RegistryUnderTest stranger = SharedWorld.embedded();
        String foreign = stranger.accessToken(stranger.newDevice());

        assertThat(here.introspect(foreign).text()).isEqualTo("{\"active\":false}");
    }
}
