// SPDX-License-Identifier: Apache-2.0
package io.muster.web.page;

import io.muster.api.ProblemType;
import io.muster.config.MusterConfig;
import io.muster.json.Json;
import io.muster.problem.RegistryException;
import io.muster.web.Accepted;
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
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * The description of every request, {@code openapi.yaml} of this package's resources, and the page that shows it. Public.
 * Its only address is that of {@code muster.issuer}.
 */
@Path("/openapi")
@ApplicationScoped
public class OpenApiResource {

    private static final MediaType YAML = new MediaType("application", "yaml");
    private static final MediaType OPENAPI = new MediaType("application", "vnd.oai.openapi");
    private static final MediaType JSON = MediaType.APPLICATION_JSON_TYPE;
    private static final MediaType OPENAPI_JSON = new MediaType("application", "vnd.oai.openapi+json");
    private static final MediaType HTML = MediaType.TEXT_HTML_TYPE;

    @Inject
    MusterConfig config;

    private final Map<String, PageFile> files = new ConcurrentHashMap<>();

    @PostConstruct
    void make() {
        String yaml = new String(PageFile.bundled("/openapi/openapi.yaml").orElseThrow(), StandardCharsets.UTF_8)
                .replace("{{issuer}}", config.address("").replace("'", "%27"));
        // JSON has booleans, numbers, texts, lists and maps with texts as names: all that this reads.
        Object document =
                new Load(LoadSettings.builder().setLabel("openapi.yaml").build()).loadFromString(yaml);
        files.put("openapi.yaml", PageFile.of(yaml.getBytes(StandardCharsets.UTF_8), YAML.toString()));
        files.put("openapi.json", PageFile.of(Json.bytes(document), JSON.toString()));
        for (String name : new String[] {"index.html", "page.js", "page.css"}) {
            files.put(
                    name,
                    PageFile.of(
                            PageFile.bundled("/openapi/" + name).orElseThrow(),
                            PageFile.type(name.substring(name.lastIndexOf('.') + 1))));
        }
    }

    /** Returns the document as YAML or JSON. With a slash at the end, or for a browser, it is the page. */
    @GET
    public Response document(@Context HttpServletRequest request, @Context HttpHeaders headers) {
        if (request.getRequestURI().endsWith("/")) {
            return files.get("index.html").answer(request);
        }
        MediaType type = Accepted.of(headers, YAML, OPENAPI, JSON, OPENAPI_JSON, HTML);
        if (type.equals(HTML)) {
            return Response.seeOther(URI.create(config.address("/openapi/")))
                    .header(HttpHeaders.CACHE_CONTROL, "no-cache")
                    .header(HttpHeaders.VARY, HttpHeaders.ACCEPT)
                    .build();
        }
        boolean json = type.equals(JSON) || type.equals(OPENAPI_JSON);
        Response answer = files.get(json ? "openapi.json" : "openapi.yaml").answer(request, type.toString());
        answer.getHeaders().putSingle(HttpHeaders.VARY, HttpHeaders.ACCEPT);
        return answer;
    }

    /** Returns a file of the page, or the document by name. */
    @GET
    @Path("/{file: [a-z]+[.][a-z]+}")
    public Response file(@Context HttpServletRequest request, @PathParam("file") String file) {
        return Optional.ofNullable(files.get(file))
                .filter(found -> !file.equals("index.html"))
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no file of the page"))
                .answer(request);
    }
}
