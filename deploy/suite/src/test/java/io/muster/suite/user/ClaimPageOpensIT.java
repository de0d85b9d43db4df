// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.user;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.user.Chromium.Visitor;
import java.net.URI;
import org.junit.jupiter.api.Test;

/** The shortest look at the claim page in a real browser. {@link ClaimPageIT} has all of its states. */
class ClaimPageOpensIT {

    @Test
    void pageOpensAndSaysThatNobodyCanSignInYet() {
        URI base = SharedWorld.embedded().server().base();
        try (Chromium chromium = Chromium.start();
                Visitor visitor = chromium.visitor(base)) {
            visitor.page().navigate(base.resolve("claim").toString());
            visitor.page().getByText("Nobody can sign in here yet").waitFor();

            assertThat(visitor.page()
                            .getByRole(AriaRole.HEADING, new Page.GetByRoleOptions().setName("Add a device"))
                            .count())
                    .isEqualTo(1);
            visitor.check("nobody-can-sign-in");
            assertThat(visitor.hosts()).containsExactly(base.getAuthority());
        }
    }
}
