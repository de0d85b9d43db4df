// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import com.standardwebhooks.Webhook;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

class SignatureTest {

    private static final String ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private static final long TIME = 1_614_265_330;
    private static final String BODY = "{\"test\": 2432232314}";

    @Test
    void isThatOfThePublishedExample() {
        byte[] secret = Base64.getDecoder().decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

        assertThat(Signature.of(List.of(secret), ID, TIME, BODY))
                .isEqualTo("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    @Test
    void isThatOfTheConventionsOwnLibrary() throws Exception {
        byte[] present = Signature.newSecret(new SecureRandom());
        byte[] before = Signature.newSecret(new SecureRandom());
        String body = "{\"who\":\"Zoë 😀\"}";

        assertThat(Signature.of(List.of(present, before), ID, TIME, body))
                .isEqualTo(new Webhook(Signature.shown(present)).sign(ID, TIME, body) + " "
                        + new Webhook(Signature.shown(before)).sign(ID, TIME, body));
    }

    @Test
    void secretHasTheLengthOfTheConvention() {
        byte[] secret = Signature.newSecret(new SecureRandom());

        assertThat(secret).hasSizeBetween(24, 64);
        assertThat(Signature.shown(secret)).startsWith("whsec_");
    }
}
