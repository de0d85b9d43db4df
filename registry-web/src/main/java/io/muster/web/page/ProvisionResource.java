// SPDX-License-Identifier: Apache-2.0
package io.muster.web.page;

import io.muster.api.ProblemType;
import io.muster.config.MusterConfig;
import io.muster.fleet.ClaimRules;
import io.muster.fleet.Fleets;
import io.muster.ownership.Claim;
import io.muster.ownership.ClaimCode;
import io.muster.ownership.Claims;
import io.muster.ownership.EvenClaims;
import io.muster.ownership.OwnedDevice;
import io.muster.ownership.OwnedDevices;
import io.muster.problem.RegistryException;
import io.muster.user.User;
import io.muster.web.Bodies;
import io.muster.web.Form;
import io.muster.web.Origin;
import io.muster.web.user.UserAccess;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A form without a script, for those whose customers know such a page: it lists devices by name, and takes the number on a device. It is
 * one more way to ask {@link Claims}, so it has the same rules, limits and records.
 */
@Path("/provision")
@ApplicationScoped
public class ProvisionResource {

    private static final String NUMBER = "manufacturerId";
    private static final String TYPE = "provision_type";
    private static final String GROUP = "group";
    private static final String TO_USER = "provision_to_user";
    private static final String TO_GROUP = "provision_to_group";

    private static final String NOT_FOUND = "device_not_found";
    private static final String TAKEN = "already_provisioned";
    private static final String WRONG_TYPE = "invalid_provision_type";
    private static final Set<String> ERRORS = Set.of(NOT_FOUND, TAKEN, WRONG_TYPE);

    private static final int LONGEST_NUMBER = 256;
    private static final int PAGE = 100;
    private static final int MOST = 500;

    @Inject
    MusterConfig config;

    @Inject
    Fleets fleets;

    @Inject
    Claims claims;

    @Inject
    EvenClaims evenClaims;

    @Inject
    UserAccess access;

    @Inject
    FormTokens tokens;

    @Inject
    PageTexts texts;

    /** Shows the devices of the user and the form. */
    @GET
    public Response page(@Context HttpServletRequest request) {
        fleet();
        String language = texts.language(request);
        User user;
        try {
            user = access.user(request);
        } catch (RegistryException e) {
            if (e.type() != ProblemType.UNAUTHORIZED || request.getHeader(HttpHeaders.AUTHORIZATION) != null) {
                throw e;
            }
            String body = "<p>" + text(language, "provision-signed-out")
                    + "</p>\n<p><a class=\"button main\" href=\"claim\">" + text(language, "sign-in") + "</a></p>\n";
            return html(Response.status(ProblemType.UNAUTHORIZED.status()), language, body);
        }
        return html(
                Response.ok(),
                language,
                outcome(language, request) + devices(language, user) + form(language, user, tokens.of(request)));
    }

    /** Makes the user, or a group of the user, the owner of the device with this number. */
    @POST
    public CompletionStage<Response> provision(@Context HttpServletRequest request, InputStream body) {
        String fleet = fleet();
        User user = access.user(request);
        Form form = form(Bodies.read(request, body, Bodies.FORM));
        if (access.isByCookie(request)
                && form.get(FormTokens.FIELD)
                        .filter(token -> tokens.isOf(request, token))
                        .isEmpty()) {
            throw RegistryException.withDetail(
                    ProblemType.FORBIDDEN, "the form has no " + FormTokens.FIELD + " of this session; load it again");
        }
        Optional<To> to = to(form, user);
        if (to.isEmpty()) {
            return CompletableFuture.completedFuture(found("error=" + WRONG_TYPE));
        }
        EvenClaims.Watch watch = evenClaims.watch();
        Optional<Claim.Knowledge> known = form.get(NUMBER)
                .filter(text -> text.length() <= LONGEST_NUMBER)
                .flatMap(text -> knowledge(fleet, text));
        if (known.isEmpty()) {
            return watch.answer(found("error=" + NOT_FOUND));
        }
        try {
            String origin = Origin.of(request, config.trustedProxies());
            claims.claim(new Claim(user, known.get(), to.get().group(), Optional.empty(), origin), watch);
            return CompletableFuture.completedFuture(found("success=true"));
        } catch (RegistryException e) {
            return switch (e.type()) {
                case CLAIM_REFUSED -> watch.answer(found("error=" + NOT_FOUND));
                case ALREADY_CLAIMED -> CompletableFuture.completedFuture(found("error=" + TAKEN));
                case NOT_IN_GROUP -> CompletableFuture.completedFuture(found("error=" + WRONG_TYPE));
                default -> throw e;
            };
        }
    }

    private String fleet() {
        return config.provisionFleet()
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "muster.provision.fleet is not set"));
    }

    private static Form form(byte[] body) {
        try {
            Form form = Form.parse(body);
            if (!form.hasRepeated()) {
                return form;
            }
        } catch (IllegalArgumentException e) {
            // reported below
        }
        throw RegistryException.withDetail(ProblemType.INVALID_REQUEST, "the form is malformed, or has a field twice");
    }

    /** The one to whom the device is to belong: the user, or a group of the user. */
    private record To(Optional<String> group) {}

    /** Returns the future owner; empty if the form names none, or a group that the user is not in. */
    private static Optional<To> to(Form form, User user) {
        String type = form.get(TYPE).orElse("");
        if (type.equals(TO_USER)) {
            return Optional.of(new To(Optional.empty()));
        }
        if (!type.equals(TO_GROUP)) {
            return Optional.empty();
        }
        // A user of one group need not name it. Without a group nothing can belong to one.
        return form.get(GROUP)
                .or(() -> user.groups().size() == 1 ? user.groups().stream().findFirst() : Optional.empty())
                .filter(user.groups()::contains)
                .map(group -> new To(Optional.of(group)));
    }

    /** Reads the number as the fleet's rules for claims say. */
    private Optional<Claim.Knowledge> knowledge(String fleet, String text) {
        Optional<ClaimRules> rules =
                fleets.find(fleet).flatMap(found -> found.document().claims());
        Optional<String> tag = rules.flatMap(ClaimRules::tag);
        if (tag.isPresent()) {
            return Optional.of(new Claim.ByTag(fleet, tag.get(), text));
        }
        return rules.filter(found -> found.by().contains(ClaimRules.By.SERIAL)).isPresent()
                ? Optional.of(new Claim.BySerial(fleet, text))
                : ClaimCode.of(text).map(Claim.ByCode::new);
    }

    private Response found(String query) {
        return Response.status(Response.Status.FOUND)
                .location(URI.create(config.address("/provision?" + query)))
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }

    /** Says what came of the form. Only what the registry itself writes into the address counts. */
    private String outcome(String language, HttpServletRequest request) {
        Form query;
        try {
            query = Form.parseQuery(
                    Optional.ofNullable(request.getQueryString()).orElse(""));
        } catch (IllegalArgumentException e) {
            return "";
        }
        if (query.get("success").filter("true"::equals).isPresent()) {
            return "<p class=\"notice notice-good\" role=\"status\">" + text(language, "provision-success") + "</p>\n";
        }
        return query.get("error")
                .filter(ERRORS::contains)
                .map(error -> "<p class=\"notice notice-bad\" role=\"alert\">" + text(language, "provision-" + error)
                        + "</p>\n")
                .orElse("");
    }

    private String devices(String language, User user) {
        List<OwnedDevice> devices = new ArrayList<>();
        Optional<String> next = Optional.empty();
        do {
            OwnedDevices.Page page = claims.list(user, next, PAGE);
            devices.addAll(page.devices());
            next = page.next();
        } while (next.isPresent() && devices.size() < MOST);
        StringBuilder html = new StringBuilder("<h2>")
                .append(text(language, "provision-list"))
                .append("</h2>\n");
        if (devices.isEmpty()) {
            return html.append("<p>")
                    .append(text(language, "devices-none"))
                    .append("</p>\n")
                    .toString();
        }
        html.append("<ul>\n");
        devices.stream()
                .sorted(Comparator.comparing(OwnedDevice::name, String.CASE_INSENSITIVE_ORDER)
                        .thenComparing(OwnedDevice::claimId))
                .forEach(device -> html.append("<li>")
                        .append(PageTexts.escaped(device.name()))
                        .append(device.owner()
                                .group()
                                .map(group -> " (" + PageTexts.escaped(group) + ")")
                                .orElse(""))
                        .append("</li>\n"));
        html.append("</ul>\n");
        if (next.isPresent()) {
            html.append("<p>").append(text(language, "provision-more")).append("</p>\n");
        }
        return html.toString();
    }

    private String form(String language, User user, Optional<String> token) {
        StringBuilder html = new StringBuilder("<h2>")
                .append(text(language, "provision-add"))
                .append("</h2>\n");
        html.append("<form method=\"post\" action=\"provision\">\n");
        token.ifPresent(value -> html.append("<input type=\"hidden\" name=\"" + FormTokens.FIELD + "\" value=\"")
                .append(PageTexts.escaped(value))
                .append("\">\n"));
        html.append("<label for=\"number\">")
                .append(text(language, "provision-id"))
                .append("</label>\n");
        html.append("<input id=\"number\" name=\"" + NUMBER + "\" required maxlength=\"" + LONGEST_NUMBER
                + "\" autocomplete=\"off\">\n");
        html.append("<label for=\"type\">").append(text(language, "to-label")).append("</label>\n");
        html.append("<select id=\"type\" name=\"" + TYPE + "\">\n");
        option(html, TO_USER, text(language, "provision-user"));
        if (!user.groups().isEmpty()) {
            option(html, TO_GROUP, text(language, "provision-group"));
        }
        html.append("</select>\n");
        if (user.groups().size() > 1) {
            html.append("<label for=\"group\">")
                    .append(text(language, "provision-which"))
                    .append("</label>\n");
            html.append("<select id=\"group\" name=\"" + GROUP + "\">\n");
            user.groups().stream().sorted().map(PageTexts::escaped).forEach(group -> option(html, group, group));
            html.append("</select>\n");
        }
        return html.append("<button type=\"submit\" class=\"big main\">")
                .append(text(language, "provision-send"))
                .append("</button>\n</form>\n")
                .toString();
    }

    private static void option(StringBuilder html, String value, String text) {
        html.append("<option value=\"").append(value).append("\">").append(text).append("</option>\n");
    }

    private String text(String language, String name) {
        return PageTexts.escaped(texts.text(language, name));
    }

    private Response html(Response.ResponseBuilder response, String language, String body) {
        Map<String, String> values = Map.of(
                "{{language}}", language,
                "{{title}}", PageTexts.escaped(config.claimPage().title()),
                "{{heading}}", text(language, "provision-title"));
        String page =
                """
                <!DOCTYPE html>
                <html lang="{{language}}">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="color-scheme" content="light dark">
                <title>{{heading}} - {{title}}</title>
                <link rel="icon" href="claim/icon.svg" type="image/svg+xml">
                <link rel="stylesheet" href="claim/claim.css">
                <link rel="stylesheet" href="claim/colour.css">
                </head>
                <body>
                <header class="brand"><span class="brand-title">{{title}}</span></header>
                <main>
                <h1>{{heading}}</h1>
                """;
        for (Map.Entry<String, String> value : values.entrySet()) {
            page = page.replace(value.getKey(), value.getValue());
        }
        return PageHeaders.ofPage(response)
                .type("text/html;charset=UTF-8")
                .entity((page + body + "</main>\n</body>\n</html>\n").getBytes(java.nio.charset.StandardCharsets.UTF_8))
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }
}
