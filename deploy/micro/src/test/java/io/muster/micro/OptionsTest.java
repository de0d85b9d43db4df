// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.util.List;
import org.junit.jupiter.api.Test;

class OptionsTest {

    private final List<String> none = Options.of().forPayara(List.of(), 8080);

    @Test
    void hazelcastAndPhoneHomeAreOffWhateverTheUserWrites() {
        assertThat(none).contains("--nohazelcast", "--disablephonehome");
        assertThat(Options.of("--port", "18080").forPayara(List.of(), 8080))
                .contains("--nohazelcast", "--disablephonehome");
    }

    @Test
    void userOptionsComeLastAndSoHaveTheLastWord() {
        List<String> all = Options.of("--maxhttpthreads", "200").forPayara(List.of(), 8080);

        assertThat(all).containsSubsequence("--maxhttpthreads", "64", "--maxhttpthreads", "200");
    }

    @Test
    void ourLibrariesAndTheUsersAreBothAdded() {
        List<String> all = Options.of("--addlibs", "theirs.jar").forPayara(List.of(new File("ours.jar")), 8080);

        assertThat(all).containsSubsequence("--addlibs", "ours.jar", "--addlibs", "theirs.jar");
    }

    @Test
    void portIs8080UnlessGiven() {
        assertThat(Options.of().port()).isEqualTo(8080);
        assertThat(Options.of("--port", "18080").port()).isEqualTo(18080);
    }

    @Test
    void launcherSearchesForAPortInPayarasPlace() {
        Options options = Options.of("--port", "9000", "--autoBindHttp", "--autobindrange", "3");

        assertThat(options.port()).isEqualTo(9000);
        assertThat(options.lastPort()).isEqualTo(9003);
        assertThat(options.forPayara(List.of(), 9002))
                .doesNotContain("--autoBindHttp")
                .endsWith("--port", "9002");
        assertThat(Options.of("--port", "9000").lastPort()).isEqualTo(9000);
    }

    @Test
    void lastOfTwoValuesCounts() {
        assertThat(Options.of("--port", "1", "--PORT", "2").port()).isEqualTo(2);
    }

    @Test
    void portThatIsNoNumberIsLeftForPayaraToRefuse() {
        assertThat(Options.of("--port", "http").port()).isEqualTo(8080);
        assertThat(Options.of("--port").port()).isEqualTo(8080);
    }

    @Test
    void serverIsUnpackedWhereTheUserSays() {
        assertThat(Options.of().unpackDirectory()).isEmpty();
        assertThat(Options.of("--unpackdir", "u").unpackDirectory()).contains(new File("u"));
        assertThat(Options.of("--unpackdir", "u", "--rootdir", "r").unpackDirectory())
                .contains(new File("r"));
    }
}
