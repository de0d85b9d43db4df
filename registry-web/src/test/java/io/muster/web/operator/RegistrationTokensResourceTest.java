// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.api.Problem.Fault;
import io.muster.operator.RegistrationTokens;
import io.muster.problem.RegistryException;
import io.muster.spi.SerialNumber;
import io.muster.verification.SerialForm;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RegistrationTokensResourceTest {

    private static RegistrationTokens.Wish wish(String json) {
        return RegistrationTokensResource.wish(
                json.replace('\'', '"').getBytes(StandardCharsets.UTF_8), SerialForm.EXACT);
    }

    @Test
    void everythingIsOptional() {
        assertThat(wish("{}"))
                .isEqualTo(new RegistrationTokens.Wish(
                        Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty()));
    }

    @Test
    void everythingIsRead() {
        assertThat(
                        wish(
                                "{'verifier':'jwt','serial':'SN-0001','url':'https://registry.example/api?x=1','expiresIn':'P30D'}"))
                .isEqualTo(new RegistrationTokens.Wish(
                        Optional.of("jwt"),
                        Optional.of(new SerialNumber("SN-0001")),
                        Optional.of(URI.create("https://registry.example/api?x=1")),
                        Optional.of(Duration.ofDays(30))));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[] | #",
                "{ | #",
                "{'exp':1} | #/exp",
                "{'verifier':5} | #/verifier",
                "{'verifier':null} | #/verifier",
                "{'serial':null} | #/serial",
                "{'url':null} | #/url",
                "{'expiresIn':null} | #/expiresIn",
                "{'serial':'abc'} | #/serial",
                "{'serial':['SN-0001']} | #/serial",
                "{'url':'registry.example'} | #/url",
                "{'url':'ftp://registry.example/'} | #/url",
                "{'url':'https://user:pw@registry.example/'} | #/url",
                "{'url':'https://a b/'} | #/url",
                "{'url':'javascript:alert(1)'} | #/url",
                "{'expiresIn':3600} | #/expiresIn",
                "{'expiresIn':'1 day'} | #/expiresIn",
                "{'expiresIn':'PT0S'} | #/expiresIn",
                "{'expiresIn':'PT0.5S'} | #/expiresIn",
                "{'expiresIn':'-P1D'} | #/expiresIn",
                "{'expiresIn':'P36501D'} | #/expiresIn",
                "{'expiresIn':'PT99999999999999999999H'} | #/expiresIn",
                "{'expiresIn':'P99999999999D'} | #/expiresIn",
            })
    void whatIsWrongIsNamed(String json, String pointer) {
        assertThat(catchThrowableOfType(RegistryException.class, () -> wish(json))
                        .faults())
                .singleElement()
                .extracting(Fault::pointer)
                .isEqualTo(pointer);
    }

    @Test
    void everyFaultIsNamedAtOnce() {
        assertThat(catchThrowableOfType(
                                RegistryException.class,
                                () -> wish("{'verifier':1,'serial':'','url':'x','expiresIn':'y','more':true}"))
                        .faults())
                .hasSize(5);
    }
}
