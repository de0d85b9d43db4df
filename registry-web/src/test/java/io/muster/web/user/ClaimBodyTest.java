// SPDX-License-Identifier: Apache-2.0
package io.muster.web.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.api.Problem.Fault;
import io.muster.ownership.Claim;
import io.muster.ownership.ClaimCode;
import io.muster.problem.RegistryException;
import io.muster.user.User;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ClaimBodyTest {

    private static final User ANN =
            new User("customers", "https://id.example", "ann", Optional.empty(), Set.of("fitters"));

    private static byte[] bytes(String json) {
        return json.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }

    private static Claim claim(String json) {
        return ClaimBody.claim(bytes(json), ANN, "192.0.2.1");
    }

    private static List<Fault> faults(Runnable read) {
        return catchThrowableOfType(RegistryException.class, read::run).faults();
    }

    private static Fault fault(String json) {
        List<Fault> faults = faults(() -> claim(json));
        assertThat(faults).as(json).hasSize(1);
        return faults.get(0);
    }

    private static ClaimBody.Change change(String json) {
        return ClaimBody.change(bytes(json), List.of("room", "floor"));
    }

    @Test
    void claimNamesACodeOrASerialOrATag() {
        assertThat(claim("{'code':'ab-cd'}"))
                .isEqualTo(new Claim(
                        ANN,
                        new Claim.ByCode(ClaimCode.of("ABCD").orElseThrow()),
                        Optional.empty(),
                        Optional.empty(),
                        "192.0.2.1"));
        assertThat(claim("{'fleet':'f','serial':'s','to':'user'}").by()).isEqualTo(new Claim.BySerial("f", "s"));
        assertThat(claim("{'fleet':'f','tag':{'mac':'m'},'to':{'group':'fitters'},'name':'Pump'}"))
                .isEqualTo(new Claim(
                        ANN,
                        new Claim.ByTag("f", "mac", "m"),
                        Optional.of("fitters"),
                        Optional.of("Pump"),
                        "192.0.2.1"));
    }

    @Test
    void codeThatIsMistypedIsAFaultThatDoesNotRepeatIt() {
        assertThat(fault("{'code':'ABCD-EFGH-0'}")).isEqualTo(new Fault("#/code", ClaimCode.MISTYPED));
        assertThat(fault("{'code':'a'}")).isEqualTo(new Fault("#/code", "must be " + ClaimCode.SYNTAX));
    }

    @Test
    void whatIsMissingOrTooMuchIsNamed() {
        assertThat(fault("{}").pointer()).isEqualTo("#/code");
        assertThat(fault("{'code':'ABCD','fleet':'f'}").pointer()).isEqualTo("#/fleet");
        assertThat(fault("{'fleet':'f'}").pointer()).isEqualTo("#/serial");
        assertThat(fault("{'serial':'s'}").pointer()).isEqualTo("#/fleet");
        assertThat(fault("{'fleet':'f','serial':'s','tag':{'a':'b'}}").pointer())
                .isEqualTo("#/serial");
        assertThat(fault("{'fleet':'f','tag':{}}").pointer()).isEqualTo("#/tag");
        assertThat(fault("{'code':'ABCD','to':'everybody'}").pointer()).isEqualTo("#/to");
        assertThat(fault("{'code':'ABCD','to':[]}").pointer()).isEqualTo("#/to");
        assertThat(fault("{'code':'ABCD','to':{}}").pointer()).isEqualTo("#/to/group");
        assertThat(fault("{'code':'ABCD','to':null}").pointer()).isEqualTo("#/to");
        assertThat(fault("{'code':'ABCD','name':' '}").pointer()).isEqualTo("#/name");
    }

    @Test
    void changeLeavesWhatItDoesNotNameAndRemovesWhatIsNull() {
        assertThat(change("{'name':'Pump'}"))
                .isEqualTo(new ClaimBody.Change(Optional.of(Optional.of("Pump")), Map.of()));
        assertThat(change("{'name':null,'tags':{'room':null,'floor':'2'}}"))
                .isEqualTo(new ClaimBody.Change(
                        Optional.of(Optional.empty()), Map.of("room", Optional.empty(), "floor", Optional.of("2"))));
    }

    @Test
    void changeOfSomethingElseIsAFault() {
        assertThat(faults(() -> change("{'name':'','tags':{'owner':'me','room':1},'x':1}")))
                .extracting(Fault::pointer)
                .containsExactlyInAnyOrder("#/name", "#/tags/owner", "#/tags/room", "#/x");
        assertThat(faults(() -> change("{}"))).extracting(Fault::pointer).containsExactly("#/name");
        assertThat(faults(() -> change("{'tags':[]}")))
                .extracting(Fault::pointer)
                .containsExactly("#/tags");
    }
}
