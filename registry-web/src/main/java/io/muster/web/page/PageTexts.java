// SPDX-License-Identifier: Apache-2.0
package io.muster.web.page;

import io.muster.config.MusterConfig;
import io.muster.json.Json;
import jakarta.annotation.PostConstruct;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The texts of pages, by language: those that come with the registry, and the operator's in place of them. */
@ApplicationScoped
public class PageTexts {

    private static final String ENGLISH = "en";
    /** The languages that come with the registry. */
    private static final Set<String> BUNDLED = Set.of("de", ENGLISH);

    @Inject
    MusterConfig config;

    private final Map<String, Map<String, Object>> texts = new TreeMap<>();

    /** Reads them all. */
    @PostConstruct
    void read() {
        BUNDLED.forEach(language -> texts.put(
                language,
                new TreeMap<>(Json.parseObject(
                        PageFile.bundled("/claim/texts/" + language + ".json").orElseThrow()))));
        config.claimPage().texts().forEach((language, own) -> texts.computeIfAbsent(language, tag -> new TreeMap<>())
                .putAll(Json.parseObject(own)));
    }

    /** Returns the languages that there are. */
    Set<String> languages() {
        return Collections.unmodifiableSet(texts.keySet());
    }

    /** Returns the texts of a language, by their names. */
    Map<String, Object> of(String language) {
        return Collections.unmodifiableMap(texts.get(language));
    }

    /** Returns one text of a language, or the English one. */
    String text(String language, String name) {
        Object text = texts.get(language).getOrDefault(name, texts.get(ENGLISH).get(name));
        return text == null ? name : text.toString();
    }

    /** Returns the language that a browser wants most, of those that there are. */
    String language(HttpServletRequest request) {
        for (Locale wanted : Collections.list(request.getLocales())) {
            String tag = wanted.toLanguageTag().toLowerCase(Locale.ROOT);
            for (String language : new String[] {tag, wanted.getLanguage()}) {
                if (request.getHeader("Accept-Language") != null && texts.containsKey(language)) {
                    return language;
                }
            }
        }
        return ENGLISH;
    }

    /** Makes a text of a stranger a text in HTML, between tags or in a quoted attribute. */
    static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
