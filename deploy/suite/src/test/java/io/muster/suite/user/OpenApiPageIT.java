// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.user;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.user.Chromium.Visitor;
import java.net.URI;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The page of the requests in a real browser: every operation opens, and nothing breaks its content security policy. */
@Tag("extended")
class OpenApiPageIT {

    @Test
    void everyOperationOpensAndASearchFindsOne() {
        URI base = SharedWorld.embedded().server().base();
        try (Chromium chromium = Chromium.start();
                Visitor visitor = chromium.visitor(base)) {
            Page page = visitor.page();
            page.navigate(base.resolve("openapi/").toString() + "#claim");
            Locator claim = page.locator("#claim");
            claim.locator(".answers").waitFor();
            visitor.check("openapi");

            page.evaluate("document.querySelectorAll('section > details').forEach(one => { one.open = true; })");
            page.locator("#openApiFile .answers").waitFor();
            page.getByLabel("Search").fill("block serials");

            assertThat(page.locator("section > details:visible").count()).isBetween(1, 10);
            assertThat(page.locator("#blockSerials").isVisible()).isTrue();
            assertThat(visitor.hosts()).containsExactly(base.getAuthority());
        }
    }
}
