// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.user;

import static io.muster.user.FakeProvider.accessToken;
import static io.muster.verification.jwt.Tokens.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.config.ConfigurationException;
import io.muster.config.Settings;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.user.FakeProvider;
import io.muster.user.IdentityProviders;
import io.muster.user.TestProviders;
import io.muster.user.User;
import io.muster.verification.Proof;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class UserVerifierTest {

    private final FakeProvider customers = new FakeProvider();
    private final FakeProvider partners = new FakeProvider();
    private final IdentityProviders users = TestProviders.of(Map.of("customers", customers, "partners", partners));

    @AfterEach
    void close() {
        users.close();
        customers.close();
        partners.close();
    }

    private static UserVerifier verifier(IdentityProviders users, String... keysAndValues) {
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put("muster.verifier.user." + keysAndValues[i], keysAndValues[i + 1]);
        }
        Settings settings = Settings.of("muster.verifier.user.", key -> Optional.ofNullable(map.get(key)));
        UserVerifier verifier = new UserVerifier("user", settings, users);
        settings.check(map.keySet());
        return verifier;
    }

    private static Candidate offering(String name, Object token) {
        return Candidates.withEvidence("SN-0001", Map.of(name, token));
    }

    @Test
    void goodTokenIsGenuineAndNamesTheOwner() {
        Proof proof = verifier(users).prove(offering("user", accessToken(customers.claims("alice"))));

        assertThat(proof.verdict()).isEqualTo(Verdict.genuine());
        assertThat(proof.uses()).isEmpty();
        assertThat(proof.owner().map(User::subject)).contains("alice");
        assertThat(proof.owner().map(User::provider)).contains("customers");
    }

    @Test
    void noTokenIsUnknown() {
        assertThat(verifier(users).prove(Candidates.withSerial("SN-0001"))).isEqualTo(Proof.of(Verdict.unknown()));
        assertThat(customers.asked()).isEmpty();
    }

    @Test
    void badTokenIsRefusedWithAReasonThatRepeatsNothingOfIt() {
        String token = accessToken(with(customers.claims("alice"), "aud", "somebody"));

        Proof proof = verifier(users).prove(offering("user", token));

        assertThat(proof)
                .isEqualTo(Proof.of(Verdict.refused("the user's token is not accepted: it is for another audience")));
        assertThat(verifier(users).prove(offering("user", 7)).verdict()).isInstanceOf(Verdict.Refused.class);
        assertThat(verifier(users).prove(offering("user", "x")).verdict()).isInstanceOf(Verdict.Refused.class);
    }

    @Test
    void providerThatDoesNotAnswerIsUnavailable() {
        customers.setDown(true);

        assertThatThrownBy(() -> verifier(users).prove(offering("user", accessToken(customers.claims("alice")))))
                .isInstanceOf(VerificationUnavailableException.class);
    }

    @Test
    void tokenOfAProviderThatIsNotAcceptedIsRefused() {
        UserVerifier verifier = verifier(users, "providers", "customers", "evidence", "owner");

        assertThat(verifier.prove(offering("owner", accessToken(customers.claims("alice"))))
                        .owner())
                .isPresent();
        assertThat(verifier.prove(offering("owner", accessToken(partners.claims("alice"))))
                        .verdict())
                .isInstanceOf(Verdict.Refused.class);
        assertThat(verifier.prove(offering("user", accessToken(customers.claims("alice"))))
                        .verdict())
                .isEqualTo(Verdict.unknown());
        assertThat(partners.asked()).isEmpty();
    }

    @Test
    void faultsOfItsSettingsAreNamed() {
        assertThat(TestProviders.faults(catchThrowableOfType(
                        ConfigurationException.class, () -> verifier(users, "providers", "customers, staff"))))
                .containsExactly("muster.verifier.user.providers: \"staff\" is no identity provider; there are"
                        + " customers, partners");
        assertThat(TestProviders.faults(
                        catchThrowableOfType(ConfigurationException.class, () -> verifier(TestProviders.of(Map.of())))))
                .isEqualTo(List.of("muster.verifier.user.providers: muster.users names no identity provider"));
    }
}
