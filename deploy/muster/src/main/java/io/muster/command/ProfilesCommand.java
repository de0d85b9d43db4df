// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Lists the profiles, without their tokens. */
@Command(
        name = "profiles",
        mixinStandardHelpOptions = true,
        description = "Lists the profiles, or changes the current one.")
final class ProfilesCommand implements Callable<Integer> {

    private final Shell shell;

    @Option(names = "--use", paramLabel = "NAME", description = "Makes this profile the current one.")
    private String use;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            description = "table (the default), json or csv.")
    private Output output = Output.table;

    ProfilesCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws Failure {
        Profiles profiles = Profiles.of(shell);
        if (use != null) {
            profiles.use(use);
        }
        List<Map<String, Object>> lines = new ArrayList<>();
        for (String name : profiles.names()) {
            Map<String, Object> line = new LinkedHashMap<>(profiles.find(name).orElse(Map.of()));
            line.remove("token");
            line.put("name", name);
            line.put("current", name.equals(profiles.current()));
            lines.add(line);
        }
        Output.Rows rows = output.rows(shell, List.of("name", "current", "url", "fleet"));
        lines.forEach(rows::add);
        rows.end();
        return Exit.DONE;
    }
}
