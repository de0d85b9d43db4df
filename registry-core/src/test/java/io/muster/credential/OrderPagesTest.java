// SPDX-License-Identifier: Apache-2.0
package io.muster.credential;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.credential.CredentialOrders.Kind;
import io.muster.credential.CredentialOrders.OfFleet;
import io.muster.credential.CredentialOrders.Order;
import io.muster.credential.CredentialOrders.Scope;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OrderPagesTest {

    private static final OfFleet ORDERS = new OfFleet(
            "f",
            List.of(
                    order("01", Kind.REVOKE),
                    order("02", Kind.ROTATE),
                    order("03", Kind.REVOKE),
                    order("04", Kind.REVOKE)));

    private static Order order(String id, Kind kind) {
        return new Order(
                id,
                kind,
                new Scope("f", Optional.empty(), Optional.empty()),
                Instant.EPOCH,
                Instant.EPOCH,
                Instant.EPOCH,
                "",
                "",
                Optional.empty());
    }

    private static List<String> page(Kind kind, String after, int atMost) {
        return ORDERS.list(kind, Optional.of(after).filter(id -> !id.isEmpty()), atMost).stream()
                .map(Order::id)
                .toList();
    }

    @Test
    void pagesOfOneKindFollowEachOtherAndLeaveNothingOut() {
        assertThat(page(Kind.REVOKE, "", 2)).containsExactly("01", "03");
        assertThat(page(Kind.REVOKE, "03", 2)).containsExactly("04");
        assertThat(page(Kind.REVOKE, "04", 2)).isEmpty();
        assertThat(page(Kind.ROTATE, "", 2)).containsExactly("02");
    }
}
