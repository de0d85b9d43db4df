// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

import io.muster.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The outcome of a row.
 *
 * @param subject the members that name the row
 * @param fault why it failed; empty if it did not
 * @param again the row for the file of failed rows
 */
record Result(Map<String, Object> subject, Optional<String> fault, byte[] again) {

    /** Makes the result of a row that is given again as its result names it. */
    static Result of(Map<String, Object> subject, Optional<String> fault) {
        Result result = new Result(subject, fault, new byte[0]);
        return new Result(subject, fault, result.line().getBytes(StandardCharsets.UTF_8));
    }

    /** Returns the line of the results. */
    String line() {
        Map<String, Object> members = new LinkedHashMap<>(subject);
        members.put("outcome", fault.isPresent() ? "failed" : "done");
        fault.ifPresent(text -> members.put("fault", text));
        return Json.text(members) + "\n";
    }
}
