// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.user;

import static org.assertj.core.api.Assertions.assertThat;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.deque.html.axecore.results.Rule;
import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.ConsoleMessage;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import io.muster.Required;
import io.muster.suite.fixture.SharedWorld;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/** The machine's own Chromium, with a camera that sees what a test puts before it. Used by one thread. */
public final class Chromium implements AutoCloseable {

    /** A small phone, upright. */
    public static final int PHONE_WIDTH = 360;

    private static final int PHONE_HEIGHT = 740;
    private static final int DESK_WIDTH = 1280;
    private static final int DESK_HEIGHT = 860;
    private static final List<String> NAMES = List.of("chromium", "chromium-browser", "google-chrome");

    private final FakeCamera camera = new FakeCamera(SharedWorld.directory("camera"));
    private final Playwright playwright;
    private final Browser browser;

    private Chromium(Path program) {
        playwright = Playwright.create(
                new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        browser = playwright
                .chromium()
                .launch(new BrowserType.LaunchOptions()
                        .setExecutablePath(program)
                        .setArgs(List.of(
                                // As root it does not start with one.
                                "--no-sandbox",
                                "--use-fake-ui-for-media-stream",
                                "--use-fake-device-for-media-stream",
                                "--use-file-for-fake-video-capture=" + camera.file())));
    }

    /** Starts it. Without one on this machine the test is skipped, or fails in CI. */
    public static Chromium start() {
        List<Path> programs = Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .flatMap(directory -> NAMES.stream().map(name -> Path.of(directory, name)))
                .filter(Files::isExecutable)
                .toList();
        Required.there(!programs.isEmpty(), "there is no chromium");
        return new Chromium(programs.get(0));
    }

    /** Returns the film before its camera. */
    FakeCamera camera() {
        return camera;
    }

    /** A phone of somebody who never was at this registry. */
    public Visitor visitor(URI registry) {
        return visitor(registry, PHONE_WIDTH, PHONE_HEIGHT, "claims", "claim-");
    }

    /** A desk of an operator who never was at this registry. */
    public Visitor operator(URI registry) {
        return visitor(registry, DESK_WIDTH, DESK_HEIGHT, "api/v1/", "console-");
    }

    private Visitor visitor(URI registry, int width, int height, String api, String pictures) {
        return new Visitor(
                registry,
                browser.newContext(new Browser.NewContextOptions()
                        .setViewportSize(width, height)
                        .setLocale("en-GB")
                        .setTimezoneId("Europe/Berlin")),
                api,
                pictures);
    }

    @Override
    public void close() {
        browser.close();
        playwright.close();
    }

    /** One person's browser with one page. Everything that goes wrong in pages of the registry is remembered. */
    public static final class Visitor implements AutoCloseable {

        private final List<String> faults = new CopyOnWriteArrayList<>();
        private final List<String> hosts = new CopyOnWriteArrayList<>();
        private final String registry;
        private final BrowserContext context;
        private final String api;
        private final String pictures;
        private final Page page;

        private Visitor(URI registry, BrowserContext context, String api, String pictures) {
            this.registry = registry.toString();
            this.context = context;
            this.api = api;
            this.pictures = pictures;
            page = context.newPage();
            page.setDefaultTimeout(60_000);
            page.onConsoleMessage(this::note);
            page.onPageError(faults::add);
            page.onRequest(request -> {
                if (isHere() && !request.isNavigationRequest()) {
                    hosts.add(URI.create(request.url().split("[?#]")[0]).getAuthority());
                }
            });
        }

        /** Tells whether the browser is at the registry, not at a provider. */
        private boolean isHere() {
            return page.url().startsWith(registry);
        }

        /** Chromium notes every answer of 400 and above; those of the interface are what tests are about. */
        private void note(ConsoleMessage message) {
            boolean refusal = message.text().startsWith("Failed to load resource")
                    && message.location().startsWith(registry + api);
            if (isHere() && Set.of("error", "warning").contains(message.type()) && !refusal) {
                faults.add(message.type() + ": " + message.text() + " " + message.location());
            }
        }

        public Page page() {
            return page;
        }

        /** Returns the faults since the last check. */
        public List<String> faults() {
            return faults;
        }

        /** Returns the browser, to look at in another way. */
        public BrowserContext context() {
            return context;
        }

        /** The hosts that pages of the registry asked for anything. */
        public List<String> hosts() {
            return hosts.stream().distinct().toList();
        }

        /** Checks that nothing was reported, that nothing is wider than the screen, and what axe finds; keeps a picture. */
        public void check(String state) {
            assertThat(faults).as("faults in " + state).isEmpty();
            picture(state);
            assertThat(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
                    .as(state + " fits the screen")
                    .isEqualTo(true);
            assertThat(new AxeBuilder(page)
                            .analyze().getViolations().stream()
                                    .map(Rule::toString)
                                    .toList())
                    .as("what axe finds in " + state)
                    .isEmpty();
            // Axe sets styles, which the page forbids.
            faults.clear();
        }

        public void picture(String state) {
            try {
                Path directory = Files.createDirectories(Path.of(System.getProperty("basedir", ""))
                        .toAbsolutePath()
                        .resolve("target/screenshots"));
                page.screenshot(new Page.ScreenshotOptions()
                        .setPath(directory.resolve(pictures + state + ".png"))
                        // On a desk, a list would be a picture of fifty rows.
                        .setFullPage(page.viewportSize().width < DESK_WIDTH));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            context.close();
        }
    }
}
