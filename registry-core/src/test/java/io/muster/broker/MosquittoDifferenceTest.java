// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.broker.Dynsec.Acl;
import io.muster.broker.Dynsec.Client;
import io.muster.broker.Dynsec.Role;
import io.muster.broker.MosquittoDifference.Actual;
import io.muster.broker.MosquittoDifference.Desired;
import io.muster.spi.DeviceId;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MosquittoDifferenceTest {

    private static final DeviceId DEVICE = new DeviceId("0".repeat(31) + "1");
    private static final DeviceId OTHER = new DeviceId("0".repeat(31) + "2");
    private static final Role ROLE = role(DEVICE, "a/topic");

    private final Map<String, Client> clients = new HashMap<>();
    private final Map<String, Role> roles = new HashMap<>();

    private static Role role(DeviceId device, String topic) {
        return new Role(Dynsec.roleOf(device), Set.of(new Acl("publishClientSend", topic, 0, true)));
    }

    private static Desired good(String key, DeviceId device, Role role) {
        return new Desired(key, device, false, true, Optional.of(role));
    }

    private void has(Role role) {
        roles.put(role.name(), role);
    }

    private void has(Client client) {
        clients.put(client.user(), client);
    }

    private MosquittoDifference from(Desired... desired) {
        return MosquittoDifference.between(new Actual(clients, roles), Stream.of(desired), Set.of());
    }

    private static void nothing(MosquittoDifference difference) {
        assertThat(difference.devices()).isEmpty();
        assertThat(difference.strangers()).isEmpty();
        assertThat(difference.unusedRoles()).isEmpty();
        assertThat(difference.unheard()).isEmpty();
    }

    @Test
    void whatIsAsItShouldBeIsNoDifference() {
        has(ROLE);
        has(Client.of("key1", DEVICE, ROLE.name()));

        nothing(from(good("key1", DEVICE, ROLE)));
    }

    @Test
    void emptyBrokerOfAnEmptyRegistryIsNoDifference() {
        nothing(from());
    }

    @Test
    void loginWithoutItsClientDiffers() {
        has(ROLE);

        assertThat(from(good("key1", DEVICE, ROLE)).devices()).containsExactly(DEVICE);
    }

    @Test
    void clientThatIsNotWhatMusterMadeDiffers() {
        has(ROLE);
        for (Client changed : new Client[] {
            new Client("key1", OTHER.value(), Dynsec.MARK, Set.of(ROLE.name()), true),
            new Client("key1", DEVICE.value(), "somebody's", Set.of(ROLE.name()), true),
            new Client("key1", DEVICE.value(), Dynsec.MARK, Set.of(ROLE.name(), "admin"), true),
            new Client("key1", DEVICE.value(), Dynsec.MARK, Set.of(), true),
            new Client("key1", DEVICE.value(), Dynsec.MARK, Set.of(ROLE.name()), false)
        }) {
            has(changed);

            MosquittoDifference difference = from(good("key1", DEVICE, ROLE));

            assertThat(difference.devices()).as("%s", changed).containsExactly(DEVICE);
            assertThat(difference.strangers()).as("%s", changed).isEmpty();
        }
    }

    @Test
    void roleOfOtherTopicsDiffersAndIsInUse() {
        has(role(DEVICE, "another/topic"));
        has(Client.of("key1", DEVICE, ROLE.name()));

        MosquittoDifference difference = from(good("key1", DEVICE, ROLE));

        assertThat(difference.devices()).containsExactly(DEVICE);
        assertThat(difference.unusedRoles()).isEmpty();
    }

    @Test
    void loginThatIsToHaveNoClientDiffersAsLongAsThereIsOne() {
        Desired suspended = new Desired("key1", DEVICE, false, true, Optional.empty());
        nothing(from(suspended));

        has(Client.of("key1", DEVICE, ROLE.name()));

        assertThat(from(suspended).devices()).containsExactly(DEVICE);
        assertThat(from(suspended).strangers()).isEmpty();
    }

    @Test
    void loginThatEndedDiffersEvenIfNothingIsThere() {
        assertThat(from(new Desired("key1", DEVICE, true, true, Optional.empty()))
                        .devices())
                .containsExactly(DEVICE);
    }

    @Test
    void deviceWithTwoLoginsDiffersOnce() {
        assertThat(from(good("key1", DEVICE, ROLE), good("key2", OTHER, role(OTHER, "x")), good("key3", DEVICE, ROLE))
                        .devices())
                .containsExactly(DEVICE, OTHER);
    }

    @Test
    void clientThatMusterMadeAndDoesNotKnowIsAStranger() {
        Client forgotten = Client.of("key9", OTHER, Dynsec.roleOf(OTHER));
        has(forgotten);

        assertThat(from().strangers()).containsExactly(forgotten);
    }

    @Test
    void clientOfSomebodyElseIsAStrangerOnlyWithARoleOfMusters() {
        Client thief = new Client("thief", "", "", Set.of("own", ROLE.name()), true);
        has(thief);
        has(new Client("admin", "", "", Set.of("admin"), true));

        assertThat(from().strangers()).containsExactly(thief);
    }

    @Test
    void rolesThatNobodyNeedsAreNamedInOrderButForThoseThatStay() {
        has(ROLE);
        has(role(OTHER, "x"));
        has(new Role("muster-fleet-default", Set.of()));

        MosquittoDifference difference = MosquittoDifference.between(
                new Actual(clients, roles),
                Stream.of(new Desired("key1", DEVICE, true, true, Optional.empty())),
                Set.of("muster-fleet-default"));

        assertThat(difference.unusedRoles()).containsExactly(Dynsec.roleOf(DEVICE), Dynsec.roleOf(OTHER));
    }

    @Test
    void loginThatIsRightAndWasNeverUsedIsUnheard() {
        has(ROLE);
        has(Client.of("key1", DEVICE, ROLE.name()));
        Desired unused = new Desired("key1", DEVICE, false, false, Optional.of(ROLE));

        assertThat(from(unused).unheard()).containsExactly("key1");
        assertThat(from(unused).devices()).isEmpty();
    }

    @Test
    void unusedLoginThatDiffersOrHasNoClientIsNotUnheard() {
        assertThat(from(
                                new Desired("key1", DEVICE, false, false, Optional.of(ROLE)),
                                new Desired("key2", OTHER, false, false, Optional.empty()))
                        .unheard())
                .isEmpty();
    }
}
