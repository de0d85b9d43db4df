// SPDX-License-Identifier: Apache-2.0
package io.muster.web.page;

import io.muster.api.ProblemType;
import io.muster.config.ClaimPage;
import io.muster.config.MusterConfig;
import io.muster.json.Json;
import io.muster.problem.RegistryException;
import io.muster.user.SignInProviders;
import io.muster.web.user.SignedIn;
import jakarta.annotation.PostConstruct;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The claim page: files for the browser, which does the rest through the interface of claims. All addresses in them are relative, so that
 * the page works below a proxy's path too.
 */
@Path("/claim")
@ApplicationScoped
public class ClaimPageResource {

    @Inject
    MusterConfig config;

    @Inject
    SignInProviders providers;

    @Inject
    SignedIn signedIn;

    @Inject
    PageTexts texts;

    private static final String INDEX = "index.html";

    private final PageFiles pages = new PageFiles("/claim/");

    /** Makes what the configuration decides. */
    @PostConstruct
    void make() {
        ClaimPage look = config.claimPage();
        String logo = look.logo().isPresent() ? "<img src=\"claim/logo\" alt=\"\">" : "";
        String index = new String(PageFile.bundled("/claim/" + INDEX).orElseThrow(), StandardCharsets.UTF_8)
                .replace("{{logo}}", logo)
                .replace("{{title}}", PageTexts.escaped(look.title()));
        pages.put(INDEX, PageFile.of(index.getBytes(StandardCharsets.UTF_8), PageFile.type("html")));
        String colours = ":root { --accent: " + look.colour() + "; --on-accent: " + look.textColour() + "; }\n";
        pages.put("colour.css", PageFile.of(colours.getBytes(StandardCharsets.UTF_8), PageFile.type("css")));
        look.logo().ifPresent(picture -> pages.put("logo", PageFile.of(picture.bytes(), picture.type())));
        texts.languages()
                .forEach(language -> pages.put(
                        "texts/" + language + ".json",
                        PageFile.of(Json.bytes(texts.of(language)), PageFile.type("json"))));
    }

    /** Returns the page itself. */
    @GET
    public Response index(@Context HttpServletRequest request) {
        if (request.getRequestURI().endsWith("/")) {
            // Relative addresses would begin one level too low.
            return Response.status(Response.Status.MOVED_PERMANENTLY)
                    .location(URI.create(config.address("/claim")))
                    .build();
        }
        return pages.find(INDEX).orElseThrow().answer(request);
    }

    /**
     * Returns what the page must know of this registry, and who is signed in. A browser would note a 401 as an error of the page,
     * and nobody being signed in is none.
     */
    @GET
    @Path("/page.json")
    public Response settings(@Context HttpServletRequest request) {
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("address", config.address("/claim"));
        settings.put("languages", texts.languages());
        settings.put(
                "providers",
                providers.names().stream().map(name -> Map.of("name", name)).toList());
        signedIn.user(request).ifPresent(user -> {
            Map<String, Object> shown = new LinkedHashMap<>();
            shown.put("user", user.provider() + ":" + user.subject());
            user.name().ifPresent(name -> shown.put("name", name));
            shown.put("groups", user.groups().stream().sorted().toList());
            settings.put("user", shown);
        });
        return Response.ok(Json.bytes(settings), MediaType.APPLICATION_JSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }

    /** Returns a file that the page consists of. */
    @GET
    @Path("/{file: (?:logo|(?:[a-z0-9-]+/)*[a-z0-9-]+(?:[.][a-z]+)+)}")
    public Response file(@Context HttpServletRequest request, @PathParam("file") String file) {
        return Optional.of(file)
                .filter(name -> !name.equals(INDEX))
                .flatMap(pages::find)
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no file of the page"))
                .answer(request);
    }
}
