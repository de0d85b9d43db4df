// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import io.muster.config.Settings;
import io.muster.http.Reply;
import io.muster.http.Target;
import io.muster.http.Template;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.spi.Candidate;
import io.muster.spi.Verdict;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/** Asks an API that was never made for Muster, in the API's own way. */
final class ApiForm implements Form {

    private enum Method {
        GET,
        HEAD,
        POST,
        PUT
    }

    private final Target target;
    private final ExtraHeaders headers;
    private final Method method;
    private final Optional<Template> body;
    private final String contentType;
    private final Mapping mapping;

    ApiForm(Settings settings, Target target, ExtraHeaders headers) {
        this.target = target;
        this.headers = headers;
        method = method(settings);
        contentType = settings.text("content-type", "application/json");
        body = body(settings);
        mapping = new Mapping(settings, method == Method.HEAD);
        if (!target.asksForSerial() && body.filter(Template::asksForSerial).isEmpty()) {
            settings.fault("url", "must contain {serial}, or the body must");
        }
    }

    private static Method method(Settings settings) {
        String text = settings.text("method", Method.GET.name());
        try {
            return Method.valueOf(text);
        } catch (IllegalArgumentException e) {
            settings.fault("method", "must be GET, HEAD, POST or PUT");
            return Method.GET;
        }
    }

    private Optional<Template> body(Settings settings) {
        Optional<String> text = settings.text("body");
        boolean allowed = method == Method.POST || method == Method.PUT;
        if (text.isEmpty()) {
            if (settings.text("content-type").isPresent()) {
                settings.fault("content-type", "means nothing without body");
            }
            return Optional.empty();
        }
        if (!allowed) {
            settings.fault("body", "is only for POST and PUT");
        }
        String type = contentType.toLowerCase(Locale.ROOT).split(";", 2)[0].strip();
        if (!contentType.chars().allMatch(c -> c >= ' ' && c < 0x7f)) {
            settings.fault("content-type", "must be one line of printable ASCII");
        } else if (type.equals("application/x-www-form-urlencoded")) {
            return Optional.of(new Template(text.get(), Template::percentEncoded))
                    .filter(body -> allowed);
        } else if (type.matches("application/([a-z0-9!#$&^_.+-]+\\+)?json")) {
            Template template = new Template(text.get(), Template::jsonEscaped);
            if (isJson(template)) {
                return Optional.of(template).filter(body -> allowed);
            }
            settings.fault(
                    "body", "is not JSON once its placeholders are filled in; they belong between double quotes");
        } else {
            settings.fault("content-type", "must be JSON or application/x-www-form-urlencoded");
        }
        return Optional.empty();
    }

    private static boolean isJson(Template template) {
        try {
            // A quote and a backslash, so that a placeholder outside a string is detected.
            Json.parse(template.fill("a\"b\\c", "a").getBytes(StandardCharsets.UTF_8));
            return true;
        } catch (MalformedJsonException e) {
            return false;
        }
    }

    @Override
    public HttpRequest question(Candidate candidate) {
        HttpRequest.Builder question = headers.addTo(HttpRequest.newBuilder(target.address(candidate)));
        BodyPublisher publisher = BodyPublishers.noBody();
        if (body.isPresent()) {
            question.header("Content-Type", contentType);
            publisher = BodyPublishers.ofString(body.get().fill(candidate), StandardCharsets.UTF_8);
        }
        return question.method(method.name(), publisher).build();
    }

    @Override
    public Verdict verdict(Candidate candidate, Reply reply) {
        return mapping.verdict(candidate, reply);
    }
}
