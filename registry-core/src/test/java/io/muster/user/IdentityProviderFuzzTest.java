// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.databind.JsonNode;
import io.muster.FuzzInput;
import io.muster.config.Settings;
import io.muster.jose.InvalidTokenException;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

class IdentityProviderFuzzTest {

    private static final TokenClaims CLAIMS =
            new TokenClaims("customers", "https://idp.example", Settings.of("muster.users.", key -> Optional.empty()));

    static Stream<byte[]> claims() {
        return FuzzInput.utf8(
                "{'sub':'alice','name':'Alice','groups':['a','b',7,null,{}]}",
                "{'sub':'alice','groups':'staff','name':['x']}",
                "{'sub':''}",
                "{'sub':7,'groups':{}}",
                "{'sub':'al\\u0000ice','name':'\\ud800'}",
                "{'sub':'\\ud83d\\ude00','name':' \\u0007 ','groups':['\\ud83d']}",
                "[]",
                "");
    }

    @MethodSource("claims")
    @FuzzTest
    void claimsNameAUserThatCanBeStoredOrAreRefused(byte[] utf8) {
        JsonNode claims;
        try {
            claims = Json.parse(utf8);
        } catch (MalformedJsonException e) {
            return;
        }
        User user;
        try {
            user = CLAIMS.user(claims);
        } catch (InvalidTokenException e) {
            FuzzInput.assertMayBeLogged(e.getMessage());
            return;
        }

        assertThat(user.subject()).isEqualTo(claims.path("sub").textValue()).hasSizeBetween(1, 255);
        assertThat(Json.isStorable(user.subject())).isTrue();
        assertThat(user.subject().chars()).noneMatch(Character::isISOControl);
        assertThat("customers:" + user.subject()).hasSizeLessThanOrEqualTo(256);
        user.name().ifPresent(name -> {
            assertThat(name).hasSizeBetween(1, 200).isEqualTo(name.strip());
            assertThat(Json.isStorable(name)).isTrue();
        });
        assertThat(user.groups()).hasSizeLessThanOrEqualTo(200).allSatisfy(group -> {
            assertThat(group).hasSizeBetween(1, 255);
            assertThat(Json.isStorable(group)).isTrue();
        });
    }
}
